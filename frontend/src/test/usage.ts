import type { UsageReportQuery } from "@/gql/graphql";

type Totals = UsageReportQuery["usage"]["totals"];

export function mockTotals(some: Partial<Totals> = {}): Totals {
  return {
    requests: 0,
    errors: 0,
    inputTokens: 0,
    cacheReadTokens: 0,
    cacheWriteTokens: 0,
    outputTokens: 0,
    cost: "0",
    ...some,
  };
}

export function mockReport(now: Partial<Totals>, before: Partial<Totals> = {}): UsageReportQuery {
  return {
    usage: {
      totals: mockTotals(now),
      previous: mockTotals(before),
      series: [
        { start: "2026-11-23T00:00:00Z", totals: mockTotals() },
        { start: "2026-11-24T00:00:00Z", totals: mockTotals(now) },
      ],
      refusals: [],
      previousSeries: [
        { start: "2026-11-21T00:00:00Z", totals: mockTotals() },
        { start: "2026-11-22T00:00:00Z", totals: mockTotals(before) },
      ],
    },
  };
}
