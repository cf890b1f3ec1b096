import * as z from "zod/mini";

/** What the address of one's alerts may hold. */
export const noticesSearch = z.object({
  show: z.catch(z.optional(z.enum(["unread"])), undefined),
});

export type NoticesSearch = z.infer<typeof noticesSearch>;
