import type { UsageSearch } from "@/features/usage/search";
import { addDays, daysBetween, formatDay, todayIn } from "@/lib/dates";

export const longestRange = 400;
const usualSpan = 30;
const hourlyUpTo = 2;
// The server keeps hours for at least so long.
const hourlyWithin = 62;

export interface Range {
  /** First and last day, both included, in the deployment's time zone. */
  from: string;
  to: string;
  interval: "DAY" | "HOUR";
}

/** The days that an address asks for: a whole custom range, or so many days up to today. */
export function rangeOf(search: UsageSearch, timeZone: string, now: Date = new Date()): Range {
  const { from, to } = search;
  if (isCustom(search) && from !== undefined && to !== undefined) {
    return withInterval(from, to, todayIn(timeZone, now));
  }
  const today = todayIn(timeZone, now);
  return withInterval(addDays(today, 1 - (search.days ?? usualSpan)), today, today);
}

/** Which tab is on; a range that is incomplete or turned round counts as none. */
export function chosenSpan(search: UsageSearch): string {
  return isCustom(search) ? "custom" : String(search.days ?? usualSpan);
}

export const daysOf = ({ from, to }: Range): number => daysBetween(from, to) + 1;

export function describeRange({ from, to }: Range): string {
  const [first, last] = [from, to].map((date) => formatDay(`${date}T12:00:00Z`));
  return first === last ? String(first) : `${first} – ${last}`;
}

function isCustom({ from, to }: UsageSearch): boolean {
  if (from === undefined || to === undefined) return false;
  const days = daysBetween(from, to) + 1;
  return days >= 1 && days <= longestRange;
}

function withInterval(from: string, to: string, today: string): Range {
  const hourly = daysBetween(from, to) < hourlyUpTo && daysBetween(from, today) < hourlyWithin;
  return { from, to, interval: hourly ? "HOUR" : "DAY" };
}
