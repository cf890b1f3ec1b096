import * as z from "zod/mini";
import { isDate } from "@/lib/dates";

const date = z.string().check(z.refine(isDate));
const text = z.catch(z.optional(z.string()), undefined);

export const spans = [7, 30, 90] as const;
export const dimensions = [
  "MODEL",
  "KEY",
  "CLIENT_APP",
  "PROJECT",
  "PROVIDER",
  "USER",
  "GROUP",
  "SESSION",
] as const;

export const outcomes = ["OK", "ABORTED", "UPSTREAM_ERROR", "UNREACHABLE", "RECOVERED"] as const;

/** What the address of a page with usage on it may hold; anything else counts as not given. */
export const usageSearch = z.object({
  days: z.catch(z.optional(z.literal(spans)), undefined),
  from: z.catch(z.optional(date), undefined),
  to: z.catch(z.optional(date), undefined),
  by: z.catch(z.optional(z.enum(dimensions)), undefined),
  /** Of single calls: what they asked for, through what, how they ended, what was answered. */
  model: text,
  key: text,
  provider: text,
  outcome: z.catch(z.optional(z.enum(outcomes)), undefined),
  status: z.catch(z.optional(z.number()), undefined),
});

/** Everybody's usage can also be narrowed to one user or one group. */
export const adminUsageSearch = z.extend(usageSearch, {
  user: text,
  group: text,
});

export type AdminUsageSearch = z.infer<typeof adminUsageSearch>;

export type UsageSearch = z.infer<typeof usageSearch>;
