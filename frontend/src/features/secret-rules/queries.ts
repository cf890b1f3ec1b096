import { keepPreviousData, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { graphql } from "@/gql";
import type {
  CreateSecretRuleInput,
  SecretAction,
  SecretFindingsQuery,
  SecretRuleDraft,
  SecretRulePacksQuery,
  SecretRulesQuery,
  SecretRuleTrialQuery,
  UpdateSecretRuleInput,
} from "@/gql/graphql";
import { execute } from "@/lib/execute";
import { pagesQuery } from "@/lib/pages";
import { keys } from "@/lib/query-keys";

const rulesDocument = graphql(`
  query SecretRules {
    secretRules { id name description pattern action check enabled template version recentCalls }
  }
`);

const packsDocument = graphql(`
  query SecretRulePacks {
    secretRulePacks { key name description templates { key name description action } }
  }
`);

const trialDocument = graphql(`
  query SecretRuleTrial($text: String!, $draft: SecretRuleDraft) {
    secretRuleTrial(text: $text, draft: $draft) {
      matches action sent fault position
      parts { text rules action }
    }
  }
`);

const findingsDocument = graphql(`
  query SecretFindings(
    $after: String, $ruleId: ID, $userId: ID, $action: SecretAction, $since: DateTime, $until: DateTime
  ) {
    secretFindings(
      first: 20, after: $after, ruleId: $ruleId, userId: $userId, action: $action, from: $since, to: $until
    ) {
      edges { node { id at ruleName action matches userLabel keyLabel modelSlug user { id } } }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

const createDocument = graphql(`
  mutation CreateSecretRule($input: CreateSecretRuleInput!) {
    createSecretRule(input: $input) { rule { id } }
  }
`);

const updateDocument = graphql(`
  mutation UpdateSecretRule($input: UpdateSecretRuleInput!) {
    updateSecretRule(input: $input) { rule { id } }
  }
`);

const deleteDocument = graphql(`
  mutation DeleteSecretRule($id: ID!) {
    deleteSecretRule(id: $id) { id }
  }
`);

const addPackDocument = graphql(`
  mutation AddSecretRulePack($input: AddSecretRulePackInput!) {
    addSecretRulePack(input: $input) { rules { id } }
  }
`);

export type SecretRule = SecretRulesQuery["secretRules"][number];
export type Pack = SecretRulePacksQuery["secretRulePacks"][number];
export type Trial = SecretRuleTrialQuery["secretRuleTrial"];
export type Finding = SecretFindingsQuery["secretFindings"]["edges"][number]["node"];

export const rulesQuery = queryOptions({
  queryKey: keys.secretRuleList,
  queryFn: async () => (await execute(rulesDocument)).secretRules,
});

/** They come with the server's version. */
export const packsQuery = queryOptions({
  queryKey: keys.secretRulePacks,
  queryFn: async () => (await execute(packsDocument)).secretRulePacks,
  staleTime: Number.POSITIVE_INFINITY,
});

/** What a draft makes of a text, or all rules that are on without one. */
export const trialQuery = (text: string, draft: SecretRuleDraft | null) =>
  queryOptions({
    queryKey: keys.secretRuleTrial(text, draft),
    queryFn: async () => (await execute(trialDocument, { text, draft })).secretRuleTrial,
    placeholderData: keepPreviousData,
    // What people try may hold real secrets.
    gcTime: 0,
  });

// Findings come by themselves, some seconds after the calls.
const findingsEvery = 10_000;

interface FindingFilter {
  ruleId: string | null;
  userId: string | null;
  action: SecretAction | null;
  since: string | null;
  until: string | null;
}

export const findingsQuery = (filter: FindingFilter) => ({
  ...pagesQuery<Finding>({
    queryKey: keys.secretFindings(filter),
    fetch: async (after) => (await execute(findingsDocument, { after, ...filter })).secretFindings,
  }),
  refetchInterval: findingsEvery,
});

function useRuleMutation<T, R>(mutationFn: (variables: T) => Promise<R>, shownInPlace = true) {
  const client = useQueryClient();
  return useMutation({
    mutationFn,
    meta: { shownInPlace },
    onSettled: () => client.invalidateQueries({ queryKey: keys.secretRules }),
  });
}

export const useCreateRule = () =>
  useRuleMutation((input: CreateSecretRuleInput) => execute(createDocument, { input }));

export const useUpdateRule = () =>
  useRuleMutation((input: UpdateSecretRuleInput) => execute(updateDocument, { input }));

/** A switch in the list starts it, so that a refusal has no better place than a notice. */
export const useSwitchRule = () =>
  useRuleMutation((input: UpdateSecretRuleInput) => execute(updateDocument, { input }), false);

export const useDeleteRule = () => useRuleMutation((id: string) => execute(deleteDocument, { id }));

/** Keys of templates by the key of their pack. Packs are added one after another, each whole or not at all. */
export const useAddTemplates = () =>
  useRuleMutation(async (chosen: ReadonlyMap<string, string[]>) => {
    for (const [pack, templates] of chosen) {
      await execute(addPackDocument, { input: { pack, templates } });
    }
  });
