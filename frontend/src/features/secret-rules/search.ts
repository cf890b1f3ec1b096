import * as z from "zod/mini";
import { spanSearch } from "@/lib/time-span";

const text = z.catch(z.optional(z.string()), undefined);

/** Which findings the address asks for. */
export const secretRulesSearch = z.object({
  /** Ids of a rule and of a user. */
  rule: text,
  user: text,
  action: z.catch(z.optional(z.literal(["BLOCK", "REDACT", "LOG"])), undefined),
  ...spanSearch,
});

export type SecretRulesSearch = z.infer<typeof secretRulesSearch>;
