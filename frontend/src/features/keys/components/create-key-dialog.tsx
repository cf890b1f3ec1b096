import { Divider, Stack, Title } from "@mantine/core";
import { FormBody } from "@/components/form-dialog";
import { SecretDialog } from "@/components/secret-dialog";
import { SecretOnce } from "@/components/secret-once";
import { ConnectPanel } from "@/features/connect/connect-panel";
import { KeyFields } from "@/features/keys/components/key-fields";
import { narrowingInput, newKey, useKeyForm } from "@/features/keys/key-form";
import { useCreateKey } from "@/features/keys/mutations";
import { useSession } from "@/features/session/queries";
import { expiryInstant } from "@/lib/expiry";
import { useSave } from "@/lib/use-save";

interface Props {
  opened: boolean;
  onClose: () => void;
}

export function CreateKeyDialog({ opened, onClose }: Props) {
  return (
    <SecretDialog<string>
      {...{ opened, onClose }}
      title="Create API key"
      readyTitle="Your key is ready"
      readySize="xl"
      form={(onMade) => <CreateForm onCancel={onClose} onMade={onMade} />}
    >
      {(secret) => (
        <>
          <SecretOnce secret={secret} what="key">
            Copy the key now. It is stored as a hash alone, so nobody can show it again.
          </SecretOnce>
          <Divider />
          <Stack gap="sm">
            <Title order={2}>Connect</Title>
            <ConnectPanel secret={secret} />
          </Stack>
        </>
      )}
    </SecretDialog>
  );
}

interface FormProps {
  onCancel: () => void;
  onMade: (secret: string) => void;
}

function CreateForm({ onCancel, onMade }: FormProps) {
  const { id } = useSession().viewer.user;
  const create = useCreateKey();
  const form = useKeyForm(newKey);
  const { submit, saving, problem } = useSave(form, async (values) => {
    const made = await create.mutateAsync({
      name: values.name.trim(),
      expiresAt: expiryInstant(values.expiresAt),
      ...narrowingInput(values),
    });
    onMade(made.secret);
  });
  return (
    <FormBody
      onSubmit={form.onSubmit((values) => void submit(values))}
      {...{ onCancel, saving, problem }}
      submitLabel="Create key"
    >
      <KeyFields form={form} ownerId={id} />
    </FormBody>
  );
}
