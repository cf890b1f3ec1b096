import * as z from "zod/mini";

export const spans = ["WEEK", "MONTH", "QUARTER", "EVER"] as const;
export const orders = ["TOKENS", "SPEND", "REQUESTS"] as const;

/** What the address of the leaderboard may hold; anything else counts as not given. */
export const leaderboardSearch = z.object({
  span: z.catch(z.optional(z.enum(spans)), undefined),
  by: z.catch(z.optional(z.enum(orders)), undefined),
});

export type LeaderboardSearch = z.infer<typeof leaderboardSearch>;
