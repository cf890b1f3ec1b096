import { Code, Group, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { CopyButton } from "@/components/copy-button";
import { FormBody } from "@/components/form-dialog";
import { SecretDialog } from "@/components/secret-dialog";
import { SecretOnce } from "@/components/secret-once";
import { useCreateScimToken } from "@/features/provisioning/queries";
import { useSave } from "@/lib/use-save";

interface Props {
  baseUrl: string;
  opened: boolean;
  onClose: () => void;
}

export function CreateTokenDialog({ baseUrl, opened, onClose }: Props) {
  return (
    <SecretDialog<string>
      {...{ opened, onClose }}
      title="Create provisioning token"
      readyTitle="Your token is ready"
      form={(onCreated) => <TokenForm onCancel={onClose} onCreated={onCreated} />}
    >
      {(secret) => (
        <>
          <SecretOnce secret={secret} what="token">
            Copy the token now and put it where your identity provider asks for a bearer or secret
            token. Nobody can show it again.
          </SecretOnce>
          <Group gap="xs" justify="space-between" wrap="nowrap">
            <Text size="sm" style={{ minWidth: 0 }}>
              The base address is <Code style={{ overflowWrap: "anywhere" }}>{baseUrl}</Code>.
            </Text>
            <CopyButton value={baseUrl} what="base address" compact />
          </Group>
        </>
      )}
    </SecretDialog>
  );
}

interface FormProps {
  onCancel: () => void;
  onCreated: (secret: string) => void;
}

function TokenForm({ onCancel, onCreated }: FormProps) {
  const create = useCreateScimToken();
  const form = useForm({
    initialValues: { name: "" },
    validate: { name: (name) => (name.trim() === "" ? "Say whose it is" : null) },
  });
  const { submit, saving, problem } = useSave(form, async ({ name }) => {
    onCreated((await create.mutateAsync(name.trim())).secret);
  });
  return (
    <FormBody
      onSubmit={form.onSubmit((values) => void submit(values))}
      submitLabel="Create token"
      {...{ onCancel, saving, problem }}
    >
      <TextInput
        label="Name"
        description="The identity provider that gets it, such as “Okta”. The audit log names it."
        data-autofocus
        autoComplete="off"
        {...form.getInputProps("name")}
      />
    </FormBody>
  );
}
