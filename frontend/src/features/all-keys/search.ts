import * as z from "zod/mini";

/** What of the list the address holds; anything unknown in a link is ignored. */
export const allKeysSearch = z.object({
  q: z.catch(z.optional(z.string()), undefined),
  state: z.catch(z.optional(z.enum(["ACTIVE", "STALE", "EXPIRED", "REVOKED"])), undefined),
});

export type AllKeysSearch = z.infer<typeof allKeysSearch>;
