import { Alert } from "@mantine/core";
import { useForm } from "@mantine/form";
import { ConflictNotice } from "@/components/conflict-notice";
import { FormBody, FormDialog } from "@/components/form-dialog";
import { CredentialFields } from "@/features/providers/components/credential-fields";
import {
  ProviderFields,
  type ProviderValues,
} from "@/features/providers/components/provider-fields";
import { useUpdateProvider } from "@/features/providers/mutations";
import {
  credentialOf,
  noCredential,
  orNull,
  providerSchema,
} from "@/features/providers/provider-form";
import type { KindInfo, Provider } from "@/features/providers/queries";
import { zodFields } from "@/lib/form";
import { notifySuccess } from "@/lib/notify";
import { keys } from "@/lib/query-keys";
import { useEdit } from "@/lib/use-edit";

interface Props {
  provider: Provider;
  info: KindInfo;
  opened: boolean;
  onClose: () => void;
}

export function EditProviderDialog({ opened, onClose, ...rest }: Props) {
  return (
    <FormDialog opened={opened} onClose={onClose} title="Edit provider">
      <EditProviderForm {...rest} onClose={onClose} />
    </FormDialog>
  );
}

function EditProviderForm({ provider, info, onClose }: Omit<Props, "opened">) {
  const update = useUpdateProvider();
  const usual = info.defaultBaseUrl ?? "";
  const movesTo = (baseUrl: string) =>
    provider.credentialPrefix !== null &&
    originOf(baseUrl || usual) !== originOf(provider.baseUrl ?? usual);
  const form = useForm<ProviderValues>({
    initialValues: valuesOf(provider),
    validate: (values) => {
      const withCredential = movesTo(values.baseUrl);
      return zodFields(providerSchema(info, { withCredential, proof: values.proof }))(values);
    },
  });
  const moves = movesTo(form.values.baseUrl);
  const movesHeaders =
    provider.headerNames.length > 0 &&
    originOf(form.values.baseUrl || usual) !== originOf(provider.baseUrl ?? usual);

  const { submit, saving, problem, conflict } = useEdit(form, {
    version: provider.version,
    values: valuesOf(provider),
    refresh: keys.provider(provider.id),
    save: async (values, expectedVersion) => {
      await update.mutateAsync({
        id: provider.id,
        name: values.name.trim(),
        baseUrl: orNull(values.baseUrl),
        organization: orNull(values.organization),
        region: orNull(values.region),
        apiVersion: orNull(values.apiVersion),
        priceMultiplier: values.priceMultiplier.trim(),
        ...(info.choosesResponses ? { servesResponses: values.servesResponses === "yes" } : {}),
        // Empty text would remove the stored key, which is what a move without a new one comes to.
        ...(moves ? credentialOf(values, info, "") : {}),
        ...(movesHeaders ? { headers: [] } : {}),
        expectedVersion,
      });
      notifySuccess(`${values.name.trim()} saved.`);
      onClose();
    },
  });

  return (
    <FormBody
      onSubmit={form.onSubmit((values) => void submit(values))}
      onCancel={onClose}
      submitLabel="Save"
      saving={saving}
      problem={problem}
      disabled={conflict !== null}
    >
      <ProviderFields form={form} info={info} />
      {moves ? (
        <CredentialFields
          form={form}
          info={info}
          label="API key for the new address"
          description={`The stored key does not follow to another host.${info.credentialRequired ? "" : " Leave this empty if none is needed there."}`}
        />
      ) : null}
      {movesHeaders ? (
        <Alert color="yellow">
          The stored headers do not follow to another host. Add them again afterwards.
        </Alert>
      ) : null}
      {conflict ? <ConflictNotice {...conflict} mine={form.values} labels={labels} /> : null}
    </FormBody>
  );
}

const labels = {
  name: "Name",
  baseUrl: "Base URL",
  organization: "Organisation",
  region: "Region",
  apiVersion: "API version",
  priceMultiplier: "Price multiplier",
  servesResponses: "Calls of the Responses interface",
};

const valuesOf = (provider: Provider): ProviderValues => ({
  name: provider.name,
  baseUrl: provider.baseUrl ?? "",
  organization: provider.organization ?? "",
  region: provider.region ?? "",
  apiVersion: provider.apiVersion ?? "",
  priceMultiplier: provider.priceMultiplier,
  servesResponses: provider.servesResponses ? "yes" : "no",
  ...noCredential,
});

function originOf(address: string): string {
  const text = address.trim();
  return URL.canParse(text) ? new URL(text).origin : text;
}
