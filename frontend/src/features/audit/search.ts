import * as z from "zod/mini";
import { spanSearch } from "@/lib/time-span";

const text = z.catch(z.optional(z.string()), undefined);

/** What of the log the address asks for; anything unknown in a link is ignored. */
export const auditSearch = z.object({
  q: text,
  action: text,
  /** A user's id. */
  actor: text,
  /** What was changed: its kind, and one of it by its id. */
  kind: text,
  id: text,
  ...spanSearch,
});

export type AuditSearch = z.infer<typeof auditSearch>;
