import * as z from "zod/mini";
import type { KindInfo } from "@/features/providers/queries";

const name = z
  .string()
  .check(
    z.trim(),
    z.minLength(1, "Give it a name, such as OpenAI Europe"),
    z.maxLength(120, "A name has at most 120 characters"),
  );

const address = z.string().check(
  z.trim(),
  z.refine((text) => text === "" || /^https?:\/\/\S+$/.test(text), {
    message: "An address begins with https:// or http://, like https://api.example.com/v1",
  }),
);

const factor = z
  .string()
  .check(
    z.trim(),
    z.regex(
      /^\d{1,4}(\.\d{1,6})?$/,
      "A factor is a number such as 0.85, with at most six decimals",
    ),
  );

/** What can be told from the form alone; the server has the last word. `info` is what the chosen kind needs. */
export function providerSchema(info: KindInfo | undefined, options: { withCredential: boolean }) {
  return z.object({
    name,
    baseUrl: info?.baseUrlRequired
      ? address.check(z.minLength(1, `${info.label} needs the address that it is called at`))
      : address,
    priceMultiplier: factor,
    credential:
      options.withCredential && info?.credentialRequired
        ? z.string().check(z.trim(), z.minLength(1, `${info.label} can't be called without a key`))
        : z.string(),
  });
}

export const orNull = (text: string): string | null => (text.trim() === "" ? null : text.trim());
