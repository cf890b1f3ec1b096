import { queryOptions } from "@tanstack/react-query";
import { graphql } from "@/gql";
import type { AvailableModelsQuery } from "@/gql/graphql";
import { execute } from "@/lib/execute";
import { keys } from "@/lib/query-keys";

export type AvailableModel = AvailableModelsQuery["availableModels"][number];

const document = graphql(`
  query AvailableModels {
    availableModels {
      slug displayName kind provider contextWindow maxOutputTokens capabilities free
      prices {
        input cacheRead cacheWrite5m cacheWrite1h output
        longContext { above input cacheRead cacheWrite5m cacheWrite1h output }
      }
    }
  }
`);

/** What the viewer may call; short enough to come as a whole. */
export const availableModelsQuery = queryOptions({
  queryKey: keys.availableModels,
  queryFn: async () => (await execute(document)).availableModels,
});
