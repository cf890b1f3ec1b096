import { graphql } from "@/gql";
import type { ApiKeysQuery } from "@/gql/graphql";
import { execute } from "@/lib/execute";
import { pagesQuery } from "@/lib/pages";
import { keys } from "@/lib/query-keys";

export type OwnKey = ApiKeysQuery["apiKeys"]["edges"][number]["node"];

const document = graphql(`
  query ApiKeys($after: String) {
    apiKeys(first: 50, after: $after) {
      edges { node { id name prefix status createdAt lastUsedAt expiresAt } }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

export const apiKeysQuery = () =>
  pagesQuery<OwnKey>({
    queryKey: keys.apiKeys,
    fetch: async (after) => (await execute(document, { after })).apiKeys,
  });
