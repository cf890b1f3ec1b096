import type { UsageScope } from "@/features/usage/queries";
import type { Range } from "@/features/usage/range";
import type { UsageDimension } from "@/gql/graphql";
import { addDays, startOfDay } from "@/lib/dates";
import { exportAddress } from "@/lib/export-address";

/** Narrows the log of calls beyond whose they are and when they were. */
export interface CallNarrowing {
  model?: string | undefined;
  key?: string | undefined;
  provider?: string | undefined;
  outcome?: string | undefined;
  status?: number | undefined;
}

/** The points of the charts, as the server adds them up. */
export const seriesAddress = (scope: UsageScope, { from, to, interval }: Range): string =>
  exportAddress("usage.csv", { from, to, interval, ...scope });

/** The whole breakdown, also what is beyond the first rows of the table. */
export const breakdownAddress = (
  scope: UsageScope,
  { from, to }: Range,
  by: UsageDimension,
): string => exportAddress("usage-breakdown.csv", { from, to, by, ...scope });

/** How many calls were refused, by reason. */
export const refusalsAddress = (scope: UsageScope, { from, to }: Range): string =>
  exportAddress("refusals.csv", { from, to, ...scope });

/** Every call that the filters leave. */
export function callsAddress(
  { userId, everyone }: UsageScope,
  range: Range,
  timeZone: string,
  narrowing: CallNarrowing,
): string {
  return exportAddress("calls.csv", {
    userId,
    everyone,
    ...instantsOf(range, timeZone),
    ...narrowing,
  });
}

/** The instants at which the days of a range begin and end. */
export const instantsOf = ({ from, to }: Range, timeZone: string) => ({
  from: startOfDay(from, timeZone),
  to: startOfDay(addDays(to, 1), timeZone),
});
