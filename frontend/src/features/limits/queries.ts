import { graphql } from "@/gql";
import type { BudgetOwnersQuery, RateLimitOwnersQuery } from "@/gql/graphql";
import { execute } from "@/lib/execute";
import { pagesQuery } from "@/lib/pages";
import { keys } from "@/lib/query-keys";
import type { BudgetsSearch, LimitsSearch } from "./search";

const budgetsDocument = graphql(`
  query BudgetOwners($after: String, $search: String, $kind: SourceKind, $use: CapUseFilter) {
    budgetOwners(first: 50, after: $after, search: $search, kind: $kind, use: $use) {
      totalCount
      edges {
        node {
          id kind subjectId name email
          budget { daily weekly monthly alertThresholds version }
          uses { window cap spent resetsAt reachedAt }
          overrides { id window reason createdBy endsAt }
        }
      }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

const limitsDocument = graphql(`
  query RateLimitOwners($after: String, $search: String, $kind: SourceKind) {
    rateLimitOwners(first: 50, after: $after, search: $search, kind: $kind) {
      totalCount
      edges {
        node {
          id kind subjectId name email
          rateLimit {
            requestsPerMinute inputTokensPerMinute outputTokensPerMinute concurrentRequests version
          }
          uses { dimension limit used }
          overrides { id dimension reason createdBy endsAt }
        }
      }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

export type BudgetOwner = BudgetOwnersQuery["budgetOwners"]["edges"][number]["node"];
export type RateLimitOwner = RateLimitOwnersQuery["rateLimitOwners"]["edges"][number]["node"];

// Every call changes what is used, so it is asked for again while somebody looks.
const refreshEvery = 15_000;

export const budgetOwnersQuery = ({ q, kind, use }: BudgetsSearch) => ({
  ...pagesQuery<BudgetOwner>({
    queryKey: keys.budgetOwners({ q, kind, use }),
    fetch: async (after) => {
      const variables = { after, search: q ?? null, kind: kind ?? null, use: use ?? null };
      return (await execute(budgetsDocument, variables)).budgetOwners;
    },
  }),
  refetchInterval: refreshEvery,
});

export const rateLimitOwnersQuery = ({ q, kind }: LimitsSearch) => ({
  ...pagesQuery<RateLimitOwner>({
    queryKey: keys.rateLimitOwners({ q, kind }),
    fetch: async (after) => {
      const variables = { after, search: q ?? null, kind: kind ?? null };
      return (await execute(limitsDocument, variables)).rateLimitOwners;
    },
  }),
  refetchInterval: refreshEvery,
});
