import { queryOptions } from "@tanstack/react-query";
import { graphql } from "@/gql";
import type { ApiKeysQuery } from "@/gql/graphql";
import { execute } from "@/lib/execute";
import { pagesQuery } from "@/lib/pages";
import { keys } from "@/lib/query-keys";

export type OwnKey = ApiKeysQuery["apiKeys"]["edges"][number]["node"];

const document = graphql(`
  query ApiKeys($after: String) {
    apiKeys(first: 50, after: $after) {
      edges {
        node {
          id name prefix status version createdAt lastUsedAt lastUsedClient expiresAt
          previousPrefix previousExpiresAt
          models { id slug }
          rateLimit { requestsPerMinute inputTokensPerMinute outputTokensPerMinute concurrentRequests }
          budget { daily weekly monthly alertThresholds }
        }
      }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

const callableDocument = graphql(`
  query CallableModels($userId: ID!) {
    effectivePolicy(userId: $userId) { models { model { id slug } } }
  }
`);

export const apiKeysQuery = () =>
  pagesQuery<OwnKey>({
    queryKey: keys.apiKeys,
    fetch: async (after) => (await execute(document, { after })).apiKeys,
  });

/** What somebody's keys may be narrowed to. */
export const callableModelsQuery = (userId: string) =>
  queryOptions({
    queryKey: keys.callableModels(userId),
    queryFn: async () =>
      (await execute(callableDocument, { userId })).effectivePolicy.models.map(
        ({ model }) => model,
      ),
  });
