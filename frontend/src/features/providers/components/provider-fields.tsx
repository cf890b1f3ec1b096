import { Select, TextInput } from "@mantine/core";
import type { UseFormReturnType } from "@mantine/form";
import type { CredentialValues } from "@/features/providers/provider-form";
import type { KindInfo } from "@/features/providers/queries";

export interface ProviderValues extends CredentialValues {
  name: string;
  baseUrl: string;
  organization: string;
  region: string;
  apiVersion: string;
  priceMultiplier: string;
  /** "yes" or "no". */
  servesResponses: string;
}

interface Props {
  form: UseFormReturnType<ProviderValues>;
  info: KindInfo;
}

/** The fields that a kind has, except its credential. */
export function ProviderFields({ form, info }: Props) {
  const takesAddress = info.baseUrlRequired || info.defaultBaseUrl !== null;
  return (
    <>
      <TextInput
        label="Name"
        description="What people see beside a model, in usage and in the audit log."
        maxLength={120}
        required
        {...form.getInputProps("name")}
      />
      {takesAddress ? (
        <TextInput
          label="Base URL"
          type="url"
          inputMode="url"
          placeholder={info.defaultBaseUrl ?? "https://api.example.com/v1"}
          {...(info.defaultBaseUrl
            ? { description: "Only when calls go elsewhere, such as to a regional address." }
            : {})}
          required={info.baseUrlRequired}
          {...form.getInputProps("baseUrl")}
        />
      ) : null}
      {info.takesOrganization ? (
        <TextInput
          label="Organisation"
          description="Sent along where one key belongs to several organisations."
          placeholder="org-…"
          {...form.getInputProps("organization")}
        />
      ) : null}
      {info.takesRegion ? (
        <TextInput
          label="Region"
          description="Whose models are called, and whose name goes into every signature."
          placeholder="eu-central-1"
          required
          {...form.getInputProps("region")}
        />
      ) : null}
      {info.takesApiVersion ? (
        <TextInput
          label="API version"
          description="Only for the older interface by deployments; empty calls /openai/v1."
          placeholder="2024-10-21"
          {...form.getInputProps("apiVersion")}
        />
      ) : null}
      {info.choosesResponses ? (
        <Select
          label="Calls of the Responses interface"
          description="Many servers know Chat Completions alone; Codex and others call Responses."
          data={[
            { value: "yes", label: "Go there as they are" },
            { value: "no", label: "Are translated to Chat Completions" },
          ]}
          allowDeselect={false}
          {...form.getInputProps("servesResponses")}
        />
      ) : null}
      {info.kind === "DEMO" ? null : (
        <TextInput
          label="Price multiplier"
          description="What was agreed on with the provider: 0.85 charges list prices less 15 %."
          inputMode="decimal"
          {...form.getInputProps("priceMultiplier")}
        />
      )}
    </>
  );
}
