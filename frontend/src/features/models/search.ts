import * as z from "zod/mini";

/** What of the list the address holds; anything unknown in a link is ignored. */
export const modelListSearch = z.object({
  q: z.catch(z.optional(z.string()), undefined),
  kind: z.catch(z.optional(z.enum(["CHAT", "EMBEDDING"])), undefined),
  status: z.catch(z.optional(z.enum(["DRAFT", "ACTIVE", "DISABLED"])), undefined),
});

export type ModelListSearch = z.infer<typeof modelListSearch>;
