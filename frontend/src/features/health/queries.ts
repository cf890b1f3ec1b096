import { queryOptions } from "@tanstack/react-query";
import { graphql } from "@/gql";
import type { BackendHealthQuery } from "@/gql/graphql";
import { execute } from "@/lib/execute";
import { keys } from "@/lib/query-keys";

const healthDocument = graphql(`
  query BackendHealth {
    backendHealth {
      providerId providerName providerModel
      serves { id slug alone }
      state restsUntil inFlight answered refused unreached brokeOff headMs lastFailure lastFailureAt
    }
  }
`);

export type Backend = BackendHealthQuery["backendHealth"][number];

export const healthQuery = queryOptions({
  queryKey: keys.backendHealth,
  queryFn: async () => (await execute(healthDocument)).backendHealth,
  // Rests are seconds long: a page that is older than that would lie.
  refetchInterval: 3_000,
});
