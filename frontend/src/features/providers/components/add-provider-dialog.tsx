import { Select } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { FormBody, FormDialog } from "@/components/form-dialog";
import { Loaded } from "@/components/loaded";
import { CredentialFields } from "@/features/providers/components/credential-fields";
import {
  ProviderFields,
  type ProviderValues,
} from "@/features/providers/components/provider-fields";
import { useCreateProvider } from "@/features/providers/mutations";
import {
  credentialOf,
  noCredential,
  orNull,
  providerSchema,
} from "@/features/providers/provider-form";
import { type KindInfo, providerKindsQuery } from "@/features/providers/queries";
import { zodFields } from "@/lib/form";
import { notifySuccess } from "@/lib/notify";
import { useSave } from "@/lib/use-save";

interface Props {
  opened: boolean;
  onClose: () => void;
}

export function AddProviderDialog({ opened, onClose }: Props) {
  const kinds = useQuery(providerKindsQuery);
  return (
    <FormDialog opened={opened} onClose={onClose} title="Add provider">
      <Loaded query={kinds}>{(data) => <AddProviderForm kinds={data} onClose={onClose} />}</Loaded>
    </FormDialog>
  );
}

function AddProviderForm({ kinds, onClose }: { kinds: KindInfo[]; onClose: () => void }) {
  const navigate = useNavigate();
  const create = useCreateProvider();
  const [info, setInfo] = useState<KindInfo>();
  const form = useForm<ProviderValues>({
    initialValues: {
      name: "",
      baseUrl: "",
      organization: "",
      region: "",
      apiVersion: "",
      priceMultiplier: "1",
      servesResponses: "yes",
      ...noCredential,
    },
    validate: (values) =>
      zodFields(providerSchema(info, { withCredential: true, proof: values.proof }))(values),
  });

  const { submit, saving, problem } = useSave(form, async (values) => {
    if (!info) return;
    const provider = await create.mutateAsync({
      kind: info.kind,
      name: values.name.trim(),
      baseUrl: orNull(values.baseUrl),
      organization: info.takesOrganization ? orNull(values.organization) : null,
      region: info.takesRegion ? orNull(values.region) : null,
      apiVersion: info.takesApiVersion ? orNull(values.apiVersion) : null,
      priceMultiplier: values.priceMultiplier.trim(),
      ...(info.choosesResponses ? { servesResponses: values.servesResponses === "yes" } : {}),
      ...credentialOf(values, info),
    });
    notifySuccess(`${provider.name} added. Now add the models that it offers.`);
    onClose();
    await navigate({
      to: "/admin/providers/$providerId",
      params: { providerId: provider.id },
    });
  });

  function choose(kind: string | null): void {
    const chosen = kinds.find((one) => one.kind === kind);
    if (!chosen) return;
    // A name that nobody touched goes with the kind.
    if (form.values.name === "" || form.values.name === info?.label) {
      form.setFieldValue("name", chosen.label);
    }
    form.clearErrors();
    setInfo(chosen);
  }

  return (
    <FormBody
      onSubmit={form.onSubmit((values) => void submit(values))}
      onCancel={onClose}
      submitLabel="Add provider"
      saving={saving}
      problem={problem}
      disabled={info === undefined}
    >
      <Select
        label="Kind"
        description="Whose interface it has. Compatible ones are for servers of your own."
        placeholder="Choose a kind"
        data={kinds.map(({ kind, label }) => ({ value: kind, label }))}
        value={info?.kind ?? null}
        onChange={choose}
        allowDeselect={false}
        required
        data-autofocus
      />
      {info ? (
        <>
          <ProviderFields form={form} info={info} />
          {info.kind === "DEMO" ? null : <CredentialFields form={form} info={info} />}
        </>
      ) : null}
    </FormBody>
  );
}
