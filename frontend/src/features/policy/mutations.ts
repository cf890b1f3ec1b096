import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type Subject, toSubjectInput } from "@/features/policy/subject";
import { graphql } from "@/gql";
import type { BudgetInput, CreateOverrideInput, RateLimitInput } from "@/gql/graphql";
import { execute } from "@/lib/execute";
import { keys } from "@/lib/query-keys";

const grantModelsDocument = graphql(`
  mutation GrantModels($input: GrantModelsInput!) {
    grantModels(input: $input) { grants { id } }
  }
`);

const revokeGrantDocument = graphql(`
  mutation RevokeGrant($id: ID!) {
    revokeGrant(id: $id) { id }
  }
`);

const setRateLimitDocument = graphql(`
  mutation SetRateLimit($subject: SubjectInput!, $input: RateLimitInput!, $expectedVersion: Int) {
    setRateLimit(subject: $subject, input: $input, expectedVersion: $expectedVersion) { rateLimit { requestsPerMinute } }
  }
`);

const setBudgetDocument = graphql(`
  mutation SetBudget($subject: SubjectInput!, $input: BudgetInput!, $expectedVersion: Int) {
    setBudget(subject: $subject, input: $input, expectedVersion: $expectedVersion) { budget { daily } }
  }
`);

const setPoolRateLimitDocument = graphql(`
  mutation SetPoolRateLimit($groupId: ID!, $input: RateLimitInput!, $expectedVersion: Int) {
    setGroupPoolRateLimit(groupId: $groupId, input: $input, expectedVersion: $expectedVersion) { pool { rateLimit { requestsPerMinute } } }
  }
`);

const setPoolBudgetDocument = graphql(`
  mutation SetPoolBudget($groupId: ID!, $input: BudgetInput!, $expectedVersion: Int) {
    setGroupPoolBudget(groupId: $groupId, input: $input, expectedVersion: $expectedVersion) { pool { budget { daily } } }
  }
`);

const createOverrideDocument = graphql(`
  mutation CreateOverride($input: CreateOverrideInput!) {
    createOverride(input: $input) { override { id } }
  }
`);

const endOverrideDocument = graphql(`
  mutation EndOverride($id: ID!) {
    endOverride(id: $id) { override { id } }
  }
`);

/** A value of a group shows with each of its members, so every policy that was read may have changed. */
function usePolicyMutation<T>(
  mutationFn: (variables: T) => Promise<unknown>,
  shownInPlace = false,
) {
  const client = useQueryClient();
  return useMutation({
    mutationFn,
    meta: { shownInPlace },
    onSuccess: () => client.invalidateQueries({ queryKey: keys.policies }),
  });
}

const grantModels = (subject: Subject, modelIds: string[]) =>
  execute(grantModelsDocument, { input: { subject: toSubjectInput(subject), modelIds } });

export const useGrantModels = (subject: Subject) =>
  usePolicyMutation((modelIds: string[]) => grantModels(subject, modelIds));

export const useRevokeGrant = () =>
  usePolicyMutation((id: string) => execute(revokeGrantDocument, { id }), true);

interface Guarded<T> {
  input: T;
  /** Refused when somebody saved since this version. */
  expected: number | undefined;
}

export const useSetRateLimit = (subject: Subject) =>
  usePolicyMutation(async ({ input, expected }: Guarded<RateLimitInput>) => {
    const expectedVersion = expected ?? null;
    if (subject.kind === "pool") {
      await execute(setPoolRateLimitDocument, { groupId: subject.id, input, expectedVersion });
    } else {
      await execute(setRateLimitDocument, {
        subject: toSubjectInput(subject),
        input,
        expectedVersion,
      });
    }
  }, true);

export const useSetBudget = (subject: Subject) =>
  usePolicyMutation(async ({ input, expected }: Guarded<BudgetInput>) => {
    const expectedVersion = expected ?? null;
    if (subject.kind === "pool") {
      await execute(setPoolBudgetDocument, { groupId: subject.id, input, expectedVersion });
    } else {
      await execute(setBudgetDocument, {
        subject: toSubjectInput(subject),
        input,
        expectedVersion,
      });
    }
  }, true);

export const useCreateOverride = () =>
  usePolicyMutation(
    (input: CreateOverrideInput) => execute(createOverrideDocument, { input }),
    true,
  );

export const useEndOverride = () =>
  usePolicyMutation((id: string) => execute(endOverrideDocument, { id }), true);
