import * as z from "zod/mini";

export const ownModelsSearch = z.object({ q: z.catch(z.optional(z.string()), undefined) });

export type OwnModelsSearch = z.infer<typeof ownModelsSearch>;
