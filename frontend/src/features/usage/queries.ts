import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import type { Range } from "@/features/usage/range";
import { graphql } from "@/gql";
import type {
  CallOutcome,
  CallsQuery,
  UsageBreakdownQuery,
  UsageDimension,
  UsageReportQuery,
} from "@/gql/graphql";
import { execute } from "@/lib/execute";
import { pagesQuery } from "@/lib/pages";
import { keys } from "@/lib/query-keys";

/** Whose usage: the viewer's own when empty; at most one of these otherwise, for administrators. */
export interface UsageScope {
  userId?: string;
  groupId?: string;
  everyone?: boolean;
}

export type UsageReport = UsageReportQuery["usage"];
export type UsageTotals = UsageReport["totals"];
export type Refusal = UsageReport["refusals"][number];
export type UsageSlice = UsageBreakdownQuery["usage"]["breakdown"][number];
export type Call = CallsQuery["calls"]["edges"][number]["node"];

const reportDocument = graphql(`
  query UsageReport(
    $from: Date!, $to: Date!, $interval: UsageInterval!, $userId: ID, $groupId: ID, $everyone: Boolean!
  ) {
    usage(from: $from, to: $to, interval: $interval, userId: $userId, groupId: $groupId, everyone: $everyone) {
      totals { requests errors inputTokens cacheReadTokens cacheWriteTokens outputTokens cost }
      previous { requests errors inputTokens cacheReadTokens cacheWriteTokens outputTokens cost }
      series {
        start
        totals { requests errors inputTokens cacheReadTokens cacheWriteTokens outputTokens cost }
      }
      previousSeries {
        start
        totals { requests errors inputTokens cacheReadTokens cacheWriteTokens outputTokens cost }
      }
      refusals { reason calls }
    }
  }
`);

const breakdownDocument = graphql(`
  query UsageBreakdown(
    $from: Date!, $to: Date!, $userId: ID, $groupId: ID, $everyone: Boolean!, $by: UsageDimension!, $first: Int!
  ) {
    usage(from: $from, to: $to, userId: $userId, groupId: $groupId, everyone: $everyone) {
      breakdown(by: $by, first: $first) {
        key
        label
        totals { requests errors inputTokens cacheReadTokens cacheWriteTokens outputTokens cost }
      }
    }
  }
`);

const callsDocument = graphql(`
  query Calls(
    $after: String, $userId: ID, $everyone: Boolean!, $model: String, $key: String, $provider: String,
    $outcome: CallOutcome, $status: Int, $from: DateTime, $to: DateTime
  ) {
    calls(
      first: 10, after: $after, userId: $userId, everyone: $everyone, model: $model, key: $key, provider: $provider,
      outcome: $outcome, status: $status, from: $from, to: $to
    ) {
      edges {
        node {
          id at userLabel keyName model providerName status outcome stream inputTokens cacheReadTokens
          outputTokens cost estimated latencyMs firstByteMs clientApp project
          charges { since free longContextAbove charges { priceClass tokens price } }
        }
      }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

export const mostSlices = 20;

function whose({ userId, groupId, everyone }: UsageScope) {
  return { userId: userId ?? null, groupId: groupId ?? null, everyone: everyone ?? false };
}

export const usageReportQuery = (scope: UsageScope, range: Range) =>
  queryOptions({
    queryKey: keys.usageReport(scope, range),
    queryFn: async () => (await execute(reportDocument, { ...range, ...whose(scope) })).usage,
    placeholderData: keepPreviousData,
  });

export const usageBreakdownQuery = (scope: UsageScope, range: Range, by: UsageDimension) =>
  queryOptions({
    queryKey: keys.usageBreakdown(scope, range, by),
    queryFn: async () => {
      const { from, to } = range;
      const variables = { from, to, by, first: mostSlices, ...whose(scope) };
      return (await execute(breakdownDocument, variables)).usage.breakdown;
    },
    placeholderData: keepPreviousData,
  });

/** Single calls of some days, narrowed further or not. */
export interface CallFilter {
  from: string;
  to: string;
  model?: string | undefined;
  key?: string | undefined;
  provider?: string | undefined;
  outcome?: CallOutcome | undefined;
  status?: number | undefined;
}

export const callsQuery = ({ userId, everyone }: UsageScope, filter: CallFilter) =>
  pagesQuery<Call>({
    queryKey: keys.calls({ userId, everyone, ...filter }),
    fetch: async (after) => {
      const { from, to } = filter;
      const narrowing = {
        model: filter.model ?? null,
        key: filter.key ?? null,
        provider: filter.provider ?? null,
        outcome: filter.outcome ?? null,
        status: filter.status ?? null,
      };
      const whoseCalls = { userId: userId ?? null, everyone: everyone ?? false };
      return (await execute(callsDocument, { after, ...whoseCalls, from, to, ...narrowing })).calls;
    },
  });
