import { Radio, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { ConflictNotice } from "@/components/conflict-notice";
import { FormBody } from "@/components/form-dialog";
import { useUpdateUser } from "@/features/users/mutations";
import type { UserDetail } from "@/features/users/queries";
import type { Role } from "@/gql/graphql";
import { notifySuccess } from "@/lib/notify";
import { keys } from "@/lib/query-keys";
import { useEdit } from "@/lib/use-edit";

interface Props {
  user: UserDetail;
  onDone: () => void;
}

interface Values extends Record<string, unknown> {
  name: string;
  role: Role;
}

const labels = { name: "Name", role: "Role" };

export function EditUserForm({ user, onDone }: Props) {
  const update = useUpdateUser();
  const invited = user.status === "INVITED";
  const form = useForm<Values>({
    initialValues: { name: user.name, role: user.role },
    validate: {
      name: (name) => (name.trim() === "" && !invited ? "Enter a name" : null),
    },
  });
  const { submit, saving, problem, conflict } = useEdit(form, {
    version: user.version,
    values: { name: user.name, role: user.role },
    refresh: keys.user(user.id),
    save: async (values, expectedVersion) => {
      await update.mutateAsync({ id: user.id, ...values, expectedVersion });
      notifySuccess("User saved.");
      onDone();
    },
  });
  return (
    <FormBody
      onSubmit={form.onSubmit((values) => void submit(values))}
      onCancel={onDone}
      submitLabel="Save"
      saving={saving}
      problem={problem}
      disabled={conflict !== null}
    >
      <TextInput
        label="Name"
        {...(invited ? { description: "Set by the person when accepting the invitation" } : {})}
        data-autofocus
        {...form.getInputProps("name")}
      />
      <Radio.Group label="Role" {...form.getInputProps("role")}>
        <Stack gap="xs" mt={6}>
          <Radio
            value="MEMBER"
            label="Member"
            description="Creates own API keys, sees available models and own usage"
          />
          <Radio
            value="ADMIN"
            label="Admin"
            description="Manages providers, models, users, groups and settings"
          />
        </Stack>
      </Radio.Group>
      {conflict ? <ConflictNotice {...conflict} mine={form.values} labels={labels} /> : null}
    </FormBody>
  );
}
