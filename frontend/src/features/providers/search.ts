import * as z from "zod/mini";

/** What of the list the address holds; anything unknown in a link is ignored. */
export const providerListSearch = z.object({
  q: z.catch(z.optional(z.string()), undefined),
});

export type ProviderListSearch = z.infer<typeof providerListSearch>;
