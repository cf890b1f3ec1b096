import type { UsageScope } from "@/features/usage/queries";
import type { Range } from "@/features/usage/range";
import type { UsageDimension } from "@/gql/graphql";
import { addDays, startOfDay } from "@/lib/dates";

/** Narrows the log of calls beyond whose they are and when they were. */
export interface CallNarrowing {
  model?: string | undefined;
  outcome?: string | undefined;
  status?: number | undefined;
}

function address(
  path: string,
  given: Record<string, string | number | boolean | undefined>,
): string {
  const asked = Object.entries(given).filter(
    (entry): entry is [string, string | number | true] =>
      entry[1] !== undefined && entry[1] !== false && entry[1] !== "",
  );
  return `/export/${path}?${new URLSearchParams(asked.map(([name, value]) => [name, String(value)]))}`;
}

/** The points of the charts, as the server adds them up. */
export const seriesAddress = (scope: UsageScope, { from, to, interval }: Range): string =>
  address("usage.csv", { from, to, interval, ...scope });

/** The whole breakdown, also what is beyond the first rows of the table. */
export const breakdownAddress = (
  scope: UsageScope,
  { from, to }: Range,
  by: UsageDimension,
): string => address("usage-breakdown.csv", { from, to, by, ...scope });

/** How many calls were refused, by reason. */
export const refusalsAddress = (scope: UsageScope, { from, to }: Range): string =>
  address("refusals.csv", { from, to, ...scope });

/** Every call that the filters leave. */
export function callsAddress(
  { userId, everyone }: UsageScope,
  range: Range,
  timeZone: string,
  narrowing: CallNarrowing,
): string {
  return address("calls.csv", { userId, everyone, ...instantsOf(range, timeZone), ...narrowing });
}

/** The instants at which the days of a range begin and end. */
export const instantsOf = ({ from, to }: Range, timeZone: string) => ({
  from: startOfDay(from, timeZone),
  to: startOfDay(addDays(to, 1), timeZone),
});
