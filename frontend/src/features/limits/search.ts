import * as z from "zod/mini";

const kinds = ["USER", "GROUP", "POOL"] as const;

/** What the address of the lists of limits and budgets may hold; anything else counts as not given. */
export const limitsSearch = z.object({
  q: z.catch(z.optional(z.string()), undefined),
  kind: z.catch(z.optional(z.enum(kinds)), undefined),
});

export const budgetsSearch = z.extend(limitsSearch, {
  use: z.catch(z.optional(z.enum(["NEAR", "REACHED"])), undefined),
});

export type LimitsSearch = z.infer<typeof limitsSearch>;
export type BudgetsSearch = z.infer<typeof budgetsSearch>;
