import type { AllKeysSearch } from "@/features/all-keys/search";
import { graphql } from "@/gql";
import type { AllApiKeysQuery } from "@/gql/graphql";
import { execute } from "@/lib/execute";
import { pagesQuery } from "@/lib/pages";
import { keys } from "@/lib/query-keys";

export type ListedKey = AllApiKeysQuery["allApiKeys"]["edges"][number]["node"];

const document = graphql(`
  query AllApiKeys($after: String, $search: String, $state: KeyState, $counted: Boolean!) {
    allApiKeys(first: 50, after: $after, search: $search, state: $state) {
      edges {
        node {
          id name prefix status version createdAt lastUsedAt lastUsedClient expiresAt revokedAt
          previousPrefix previousExpiresAt
          models { id slug }
          rateLimit { requestsPerMinute inputTokensPerMinute outputTokensPerMinute concurrentRequests }
          budget { daily weekly monthly alertThresholds }
          owner { id name email }
        }
      }
      pageInfo { hasNextPage endCursor }
      totalCount @include(if: $counted)
    }
  }
`);

export const allKeysQuery = ({ q, state }: AllKeysSearch) =>
  pagesQuery<ListedKey>({
    queryKey: keys.allApiKeys({ q, state }),
    fetch: async (after) => {
      const variables = { search: q ?? null, state: state ?? null, after, counted: after === null };
      return (await execute(document, variables)).allApiKeys;
    },
  });
