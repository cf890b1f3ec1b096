import * as z from "zod/mini";

export const connectSearch = z.object({
  client: z.catch(z.optional(z.string()), undefined),
  model: z.catch(z.optional(z.string()), undefined),
});

export type ConnectSearch = z.infer<typeof connectSearch>;
