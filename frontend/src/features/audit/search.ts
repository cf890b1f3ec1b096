import * as z from "zod/mini";
import { isDate } from "@/lib/dates";

const text = z.catch(z.optional(z.string()), undefined);
const date = z.catch(z.optional(z.string().check(z.refine(isDate))), undefined);

export const spans = [1, 7, 30, 90] as const;

/** What of the log the address asks for; anything unknown in a link is ignored. */
export const auditSearch = z.object({
  q: text,
  action: text,
  /** A user's id. */
  actor: text,
  /** What was changed: its kind, and one of it by its id. */
  kind: text,
  id: text,
  /** So many days up to now, or from one day to another, both included. */
  days: z.catch(z.optional(z.literal(spans)), undefined),
  from: date,
  to: date,
});

export type AuditSearch = z.infer<typeof auditSearch>;
