import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { graphql } from "@/gql";
import type {
  BudgetInput,
  GroupPolicyQuery,
  ModelPickerQuery,
  PreviewGroupPolicyQuery,
  PreviewUserPolicyQuery,
  RateLimitInput,
  UserPolicyQuery,
} from "@/gql/graphql";
import { ApiError } from "@/lib/errors";
import { execute } from "@/lib/execute";
import { pagesQuery } from "@/lib/pages";
import { keys } from "@/lib/query-keys";

const userPolicyDocument = graphql(`
  query UserPolicy($userId: ID!) {
    user(id: $userId) {
      id
      grants { id createdAt model { id slug displayName status } }
      inheritedGrants { id createdAt model { id slug displayName status } group { id name } }
      rateLimit { requestsPerMinute inputTokensPerMinute outputTokensPerMinute concurrentRequests }
      budget { daily weekly monthly alertThresholds }
      limitVersion: rateLimit { version }
      budgetVersion: budget { version }
      raises: overrides(past: true) {
        id dimension window limit cap reason createdBy createdAt endsAt endedAt endedBy running
      }
      effectivePolicy {
        models { model { id slug displayName status } sources { kind id name } }
        limits {
          dimension limit used
          override { id reason createdBy endsAt }
          source { kind id name }
          candidates { value source { kind id name } }
        }
        budgets {
          window cap spent reserved resetsAt reachedAt alertThresholds
          override { id reason createdBy endsAt }
          source { kind id name }
          candidates { cap source { kind id name } }
        }
        pools {
          source { kind id name }
          limits { dimension limit used }
          budgets { window cap spent reserved resetsAt reachedAt alertThresholds }
        }
      }
    }
  }
`);

const groupPolicyDocument = graphql(`
  query GroupPolicy($groupId: ID!) {
    group(id: $groupId) {
      id
      grants { id createdAt model { id slug displayName status } }
      rateLimit { requestsPerMinute inputTokensPerMinute outputTokensPerMinute concurrentRequests }
      budget { daily weekly monthly alertThresholds }
      limitVersion: rateLimit { version }
      budgetVersion: budget { version }
      pool {
        limitVersion: rateLimit { version }
        budgetVersion: budget { version }
        rateLimit { requestsPerMinute inputTokensPerMinute outputTokensPerMinute concurrentRequests }
        budget { daily weekly monthly alertThresholds }
        limits { dimension limit used }
        budgets { window cap spent reserved resetsAt reachedAt alertThresholds }
      }
    }
  }
`);

const modelPickerDocument = graphql(`
  query ModelPicker($search: String!, $after: String) {
    models(first: 20, after: $after, search: $search) {
      edges { node { id slug displayName kind status } }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

const previewUserDocument = graphql(`
  query PreviewUserPolicy($userId: ID!, $rateLimit: RateLimitInput, $budget: BudgetInput) {
    previewUserPolicy(userId: $userId, rateLimit: $rateLimit, budget: $budget) {
      affected {
        blocked unblocked
        limits { dimension before after }
        budgets { window before after spent }
      }
    }
  }
`);

const previewGroupDocument = graphql(`
  query PreviewGroupPolicy($groupId: ID!, $rateLimit: RateLimitInput, $budget: BudgetInput) {
    previewGroupPolicy(groupId: $groupId, rateLimit: $rateLimit, budget: $budget, first: 10) {
      people stricter looser blocked unblocked
      affected { userId blocked user { id name email } }
    }
  }
`);

const explainDocument = graphql(`
  query Explain($userId: ID!, $model: String!) {
    explain(userId: $userId, model: $model) {
      allowed status code message retryAt
      checks { name passed detail }
    }
  }
`);

export type UserPolicy = NonNullable<UserPolicyQuery["user"]>;
export type GroupPolicy = NonNullable<GroupPolicyQuery["group"]>;
export type EffectivePolicy = UserPolicy["effectivePolicy"];
export type EffectiveLimit = EffectivePolicy["limits"][number];
export type EffectiveBudget = EffectivePolicy["budgets"][number];
export type EffectivePool = EffectivePolicy["pools"][number];
export type Override = NonNullable<EffectiveLimit["override"]>;
export type Raise = UserPolicy["raises"][number];
export type PolicySource = NonNullable<EffectiveLimit["source"]>;
export type PickedModel = ModelPickerQuery["models"]["edges"][number]["node"];
export type GroupPreview = PreviewGroupPolicyQuery["previewGroupPolicy"];
export type UserPreview = PreviewUserPolicyQuery["previewUserPolicy"]["affected"][number];
export type RateLimit = UserPolicy["rateLimit"];
export type Budget = UserPolicy["budget"];

// What is in use moves with every call, so these figures are asked for again while somebody looks at them.
const refreshEvery = 15_000;

export const userPolicyQuery = (userId: string) =>
  queryOptions({
    queryKey: keys.policy(userId),
    queryFn: async () => present((await execute(userPolicyDocument, { userId })).user, "user"),
    refetchInterval: refreshEvery,
  });

export const groupPolicyQuery = (groupId: string) =>
  queryOptions({
    queryKey: keys.groupPolicy(groupId),
    queryFn: async () => present((await execute(groupPolicyDocument, { groupId })).group, "group"),
    refetchInterval: refreshEvery,
  });

export const modelPickerQuery = (search: string) =>
  pagesQuery<PickedModel>({
    queryKey: keys.modelPicker(search),
    fetch: async (after) => (await execute(modelPickerDocument, { search, after })).models,
  });

/** What of a subject's values somebody is about to save: all limits, or all caps. */
export type PreviewedValues = { rateLimit?: RateLimitInput; budget?: BudgetInput };

export const groupPreviewQuery = (groupId: string, values: PreviewedValues) =>
  queryOptions({
    queryKey: keys.policyPreview(groupId, values),
    queryFn: async () =>
      (await execute(previewGroupDocument, { groupId, ...values })).previewGroupPolicy,
    placeholderData: keepPreviousData,
  });

/** Null when nothing that holds for the user would change. */
export const userPreviewQuery = (userId: string, values: PreviewedValues) =>
  queryOptions({
    queryKey: keys.policyPreview(userId, values),
    queryFn: async (): Promise<UserPreview | null> =>
      (await execute(previewUserDocument, { userId, ...values })).previewUserPolicy.affected[0] ??
      null,
    placeholderData: keepPreviousData,
  });

export const explainQuery = (userId: string, model: string) =>
  queryOptions({
    queryKey: keys.explain(userId, model),
    queryFn: async () => (await execute(explainDocument, { userId, model })).explain,
    staleTime: 0,
    gcTime: 0,
  });

function present<T>(found: T | null | undefined, what: string): T {
  if (found) return found;
  throw new ApiError(`This ${what} does not exist any more.`, "not_found");
}
