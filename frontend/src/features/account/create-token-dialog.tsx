import { Checkbox, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { ExpiryField } from "@/components/expiry-field";
import { FormBody } from "@/components/form-dialog";
import { SecretDialog } from "@/components/secret-dialog";
import { SecretOnce } from "@/components/secret-once";
import { useCreateToken } from "@/features/account/queries";
import { scopes } from "@/features/account/scopes";
import type { TokenScope } from "@/gql/graphql";
import { type Expiry, expiryProblem } from "@/lib/expiry";
import { useSave } from "@/lib/use-save";

interface Props {
  opened: boolean;
  onClose: () => void;
}

export function CreateTokenDialog({ opened, onClose }: Props) {
  return (
    <SecretDialog<string>
      {...{ opened, onClose }}
      title="Create automation token"
      readyTitle="Your token is ready"
      form={(onCreated) => <TokenForm onCancel={onClose} onCreated={onCreated} />}
    >
      {(secret) => (
        <SecretOnce secret={secret} what="token">
          Copy the token now. Nobody can show it again. Send it as “Authorization: Bearer …” to
          /graphql.
        </SecretOnce>
      )}
    </SecretDialog>
  );
}

interface FormProps {
  onCancel: () => void;
  onCreated: (secret: string) => void;
}

const initialValues: { name: string; scopes: TokenScope[]; expiresAt: Expiry } = {
  name: "",
  scopes: ["READ"],
  expiresAt: { choice: "90", date: "" },
};

function TokenForm({ onCancel, onCreated }: FormProps) {
  const create = useCreateToken();
  const form = useForm({
    initialValues,
    validate: {
      name: (name) => (name.trim() === "" ? "Say what it is for" : null),
      scopes: (chosen) => (chosen.length === 0 ? "Choose at least one" : null),
      expiresAt: (expiry) => expiryProblem(expiry),
    },
  });
  const { submit, saving, problem } = useSave(form, async ({ expiresAt, ...rest }) => {
    onCreated((await create.mutateAsync({ ...rest, expiry: expiresAt })).secret);
  });

  return (
    <FormBody
      onSubmit={form.onSubmit((values) => void submit(values))}
      onCancel={onCancel}
      submitLabel="Create token"
      saving={saving}
      problem={problem}
    >
      <TextInput
        label="Name"
        description="What it is for, such as “Nightly report”."
        data-autofocus
        autoComplete="off"
        {...form.getInputProps("name")}
      />
      <Checkbox.Group
        label="May touch"
        description="Never more than your own role allows."
        {...form.getInputProps("scopes")}
      >
        <Stack gap="xs" mt="xs">
          {scopes.map(({ value, label, description }) => (
            <Checkbox key={value} value={value} label={label} description={description} />
          ))}
        </Stack>
      </Checkbox.Group>
      <ExpiryField
        value={form.values.expiresAt}
        onChange={(expiry) => form.setFieldValue("expiresAt", expiry)}
        error={form.errors.expiresAt ? String(form.errors.expiresAt) : null}
      />
    </FormBody>
  );
}
