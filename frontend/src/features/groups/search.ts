import * as z from "zod/mini";

export const groupListSearch = z.object({
  q: z.catch(z.optional(z.string()), undefined),
});

export type GroupListSearch = z.infer<typeof groupListSearch>;
