import * as z from "zod/mini";
import type { KindInfo } from "@/features/providers/queries";
import type { UpdateProviderInput } from "@/gql/graphql";

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

export const factor = z
  .string()
  .check(
    z.trim(),
    z.regex(
      /^\d{1,4}(\.\d{1,6})?$/,
      "A factor is a number such as 0.85, with at most six decimals",
    ),
  );

/** How a provider is called: with a key of its own, or with AWS's pair of keys. */
export interface CredentialValues extends Record<string, string> {
  proof: string;
  credential: string;
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string;
}

export const accessKeys = "access-keys";

export const noCredential: CredentialValues = {
  proof: accessKeys,
  credential: "",
  accessKeyId: "",
  secretAccessKey: "",
  sessionToken: "",
};

const needed = (message: string) => z.string().check(z.trim(), z.minLength(1, message));

/** The fields of a credential that has to be given. */
export function credentialSchema(info: KindInfo | undefined, proof: string) {
  if (!info?.takesAccessKeys || proof !== accessKeys) {
    const message = `${info?.label ?? "This provider"} can't be called without a key`;
    return { credential: info?.credentialRequired ? needed(message) : z.string() };
  }
  return {
    accessKeyId: needed("Give the access key id, which begins with AKIA or ASIA"),
    secretAccessKey: needed("Give the secret that belongs to the access key"),
  };
}

/** As the server takes it; `none` stands for a key that was left empty. */
export function credentialOf(
  values: CredentialValues,
  info: KindInfo,
  none: "" | null = null,
): Pick<UpdateProviderInput, "credential" | "accessKeys"> {
  if (info.takesAccessKeys && values.proof === accessKeys) {
    return {
      accessKeys: {
        accessKeyId: values.accessKeyId.trim(),
        secretAccessKey: values.secretAccessKey.trim(),
        sessionToken: orNull(values.sessionToken),
      },
    };
  }
  return { credential: values.credential.trim() || none };
}

/** What can be told from the form alone; the server has the last word. `info` is what the chosen kind needs. */
export function providerSchema(
  info: KindInfo | undefined,
  options: { withCredential: boolean; proof: string },
) {
  return z.object({
    name,
    baseUrl: info?.baseUrlRequired
      ? address.check(z.minLength(1, `${info.label} needs the address that it is called at`))
      : address,
    priceMultiplier: factor,
    region: info?.takesRegion ? needed("Give the region, such as eu-central-1") : z.string(),
    ...(options.withCredential ? credentialSchema(info, options.proof) : {}),
  });
}

export const orNull = (text: string): string | null => (text.trim() === "" ? null : text.trim());
