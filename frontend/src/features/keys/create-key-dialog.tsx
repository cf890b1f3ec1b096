import { Button, Divider, Group, Stack, TextInput, Title } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useState } from "react";
import { ExpiryField } from "@/components/expiry-field";
import { FormBody, FormDialog } from "@/components/form-dialog";
import { SecretOnce } from "@/components/secret-once";
import { ConnectPanel } from "@/features/connect/connect-panel";
import { useCreateKey } from "@/features/keys/mutations";
import { expiryProblem, noExpiry } from "@/lib/expiry";
import { useSave } from "@/lib/use-save";

interface Props {
  opened: boolean;
  onClose: () => void;
}

export function CreateKeyDialog({ opened, onClose }: Props) {
  const [secret, setSecret] = useState<string | null>(null);

  function close(): void {
    onClose();
    setSecret(null);
  }

  return (
    <FormDialog
      opened={opened}
      onClose={close}
      title={secret === null ? "Create API key" : "Your key is ready"}
      size={secret === null ? "md" : "xl"}
      sticky={secret !== null}
    >
      {secret === null ? (
        <KeyForm onCancel={close} onCreated={setSecret} />
      ) : (
        <Stack gap="lg">
          <SecretOnce secret={secret} what="key">
            Copy the key now. It is stored as a hash alone, so nobody can show it again.
          </SecretOnce>
          <Divider />
          <Stack gap="sm">
            <Title order={2}>Connect</Title>
            <ConnectPanel secret={secret} />
          </Stack>
          <Group justify="flex-end">
            <Button onClick={close}>Done</Button>
          </Group>
        </Stack>
      )}
    </FormDialog>
  );
}

interface FormProps {
  onCancel: () => void;
  onCreated: (secret: string) => void;
}

const longestName = 120;

function KeyForm({ onCancel, onCreated }: FormProps) {
  const create = useCreateKey();
  const form = useForm({
    initialValues: { name: "", expiresAt: noExpiry },
    validate: {
      name: (name) => (name.length > longestName ? `Use at most ${longestName} characters` : null),
      expiresAt: (expiry) => expiryProblem(expiry),
    },
  });
  const { submit, saving, problem } = useSave(form, async ({ name, expiresAt }) => {
    const { secret } = await create.mutateAsync({ name, expiry: expiresAt });
    onCreated(secret);
  });

  return (
    <FormBody
      onSubmit={form.onSubmit((values) => void submit(values))}
      onCancel={onCancel}
      submitLabel="Create key"
      saving={saving}
      problem={problem}
    >
      <TextInput
        label="Name"
        description="Optional. Where it will be used, such as “Laptop” or “CI”."
        data-autofocus
        autoComplete="off"
        {...form.getInputProps("name")}
      />
      <ExpiryField
        value={form.values.expiresAt}
        onChange={(expiry) => form.setFieldValue("expiresAt", expiry)}
        error={form.errors.expiresAt ? String(form.errors.expiresAt) : null}
      />
    </FormBody>
  );
}
