import * as z from "zod/mini";
import { addDays, isDate, startOfDay } from "@/lib/dates";

const minute = 60_000;
const date = z.catch(z.optional(z.string().check(z.refine(isDate))), undefined);

export const spans = [1, 7, 30, 90] as const;

/** So many days up to now, or from one day to another, both included. */
export const spanSearch = {
  days: z.catch(z.optional(z.literal(spans)), undefined),
  from: date,
  to: date,
};

export interface TimeSpan {
  days?: (typeof spans)[number] | undefined;
  from?: string | undefined;
  to?: string | undefined;
}

/** The instants between which it lies, null where it is open; days are those of the deployment's time zone. */
export function instantsOfSpan({ days, from, to }: TimeSpan, timeZone: string, now = Date.now()) {
  // To the minute, so that the same question is asked again for a while.
  const until = Math.floor(now / minute) * minute;
  const since =
    days === undefined
      ? from && startOfDay(from, timeZone)
      : new Date(until - days * 86_400_000).toISOString();
  return {
    since: since ?? null,
    until: days === undefined && to ? startOfDay(addDays(to, 1), timeZone) : null,
  };
}
