import { useForm } from "@mantine/form";
import { FormBody, FormDialog } from "@/components/form-dialog";
import { CredentialInput } from "@/features/providers/components/provider-fields";
import { useUpdateProvider } from "@/features/providers/mutations";
import type { Provider } from "@/features/providers/queries";
import { notifySuccess } from "@/lib/notify";
import { useSave } from "@/lib/use-save";

interface Props {
  provider: Pick<Provider, "id" | "name" | "credentialPrefix" | "version">;
  opened: boolean;
  onClose: () => void;
}

export function CredentialDialog({ provider, opened, onClose }: Props) {
  return (
    <FormDialog
      opened={opened}
      onClose={onClose}
      title={provider.credentialPrefix === null ? "Add API key" : "Replace API key"}
    >
      <CredentialForm provider={provider} onClose={onClose} />
    </FormDialog>
  );
}

function CredentialForm({ provider, onClose }: Omit<Props, "opened">) {
  const update = useUpdateProvider();
  const form = useForm({
    initialValues: { credential: "" },
    validate: { credential: (text) => (text.trim() === "" ? "Paste the new key" : null) },
  });
  const { submit, saving, problem } = useSave(form, async ({ credential }) => {
    await update.mutateAsync({
      id: provider.id,
      credential: credential.trim(),
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
      <CredentialInput
        label="New API key"
        {...(first
          ? {}
          : {
              description: `Replaces ${provider.credentialPrefix} at once, and can't be read again.`,
            })}
        required
        data-autofocus
        {...form.getInputProps("credential")}
      />
    </FormBody>
  );
}
