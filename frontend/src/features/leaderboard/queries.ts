import { keepPreviousData, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { graphql } from "@/gql";
import type { LeaderboardOrder, LeaderboardQuery, LeaderboardSpan } from "@/gql/graphql";
import { execute } from "@/lib/execute";
import { keys } from "@/lib/query-keys";

const document = graphql(`
  query Leaderboard($span: LeaderboardSpan!, $order: LeaderboardOrder!, $first: Int!) {
    leaderboard(span: $span, order: $order, first: $first) {
      enabled
      people
      places {
        rank name userId own
        totals { requests errors inputTokens cacheReadTokens cacheWriteTokens outputTokens cost }
      }
      own {
        rank name userId own
        totals { requests errors inputTokens cacheReadTokens cacheWriteTokens outputTokens cost }
      }
    }
  }
`);

const switchDocument = graphql(`
  mutation SetLeaderboard($enabled: Boolean!) {
    setLeaderboard(enabled: $enabled) { enabled }
  }
`);

export type Leaderboard = LeaderboardQuery["leaderboard"];
export type Place = Leaderboard["places"][number];

export const mostPlaces = 50;

export const leaderboardQuery = (span: LeaderboardSpan, order: LeaderboardOrder) =>
  queryOptions({
    queryKey: keys.leaderboard(span, order),
    queryFn: async () => (await execute(document, { span, order, first: mostPlaces })).leaderboard,
    placeholderData: keepPreviousData,
  });

export function useSetLeaderboard() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (enabled: boolean) => execute(switchDocument, { enabled }),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.leaderboards }),
  });
}
