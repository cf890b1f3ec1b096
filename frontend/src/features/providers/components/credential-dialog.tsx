import { useForm } from "@mantine/form";
import * as z from "zod/mini";
import { FormBody, FormDialog } from "@/components/form-dialog";
import { CredentialFields } from "@/features/providers/components/credential-fields";
import { useUpdateProvider } from "@/features/providers/mutations";
import {
  type CredentialValues,
  credentialOf,
  credentialSchema,
  noCredential,
} from "@/features/providers/provider-form";
import type { KindInfo, Provider } from "@/features/providers/queries";
import { zodFields } from "@/lib/form";
import { notifySuccess } from "@/lib/notify";
import { useSave } from "@/lib/use-save";

interface Props {
  provider: Pick<Provider, "id" | "name" | "credentialPrefix" | "version">;
  info: KindInfo;
  opened: boolean;
  onClose: () => void;
}

export function CredentialDialog({ provider, info, opened, onClose }: Props) {
  return (
    <FormDialog
      opened={opened}
      onClose={onClose}
      title={provider.credentialPrefix === null ? "Add API key" : "Replace API key"}
    >
      <CredentialForm provider={provider} info={info} onClose={onClose} />
    </FormDialog>
  );
}

function CredentialForm({ provider, info, onClose }: Omit<Props, "opened">) {
  const update = useUpdateProvider();
  const needed = { ...info, credentialRequired: true };
  const form = useForm<CredentialValues>({
    initialValues: noCredential,
    validate: (values) => zodFields(z.object(credentialSchema(needed, values.proof)))(values),
  });
  const { submit, saving, problem } = useSave(form, async (values) => {
    await update.mutateAsync({
      id: provider.id,
      ...credentialOf(values, info),
      // A key must not go to an address that somebody else has set since.
      expectedVersion: provider.version,
    });
    notifySuccess(`The new key of ${provider.name} is used from the next call on.`);
    onClose();
  });
  const first = provider.credentialPrefix === null;
  return (
    <FormBody
      onSubmit={form.onSubmit((values) => void submit(values))}
      onCancel={onClose}
      submitLabel={first ? "Add key" : "Replace key"}
      saving={saving}
      problem={problem}
    >
      <CredentialFields
        form={form}
        info={needed}
        label="New API key"
        {...(first
          ? {}
          : {
              description: `Replaces ${provider.credentialPrefix} at once, and can't be read again.`,
            })}
      />
    </FormBody>
  );
}
