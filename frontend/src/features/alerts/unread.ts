import { queryOptions } from "@tanstack/react-query";
import { graphql } from "@/gql";
import { execute } from "@/lib/execute";
import { keys } from "@/lib/query-keys";

const unreadDocument = graphql(`
  query UnreadAlerts {
    alertNotices(first: 1, unread: true) { totalCount }
  }
`);

const bellEvery = 60_000;

export const unreadQuery = queryOptions({
  queryKey: keys.unreadAlerts,
  queryFn: async () => (await execute(unreadDocument)).alertNotices.totalCount,
  refetchInterval: bellEvery,
});
