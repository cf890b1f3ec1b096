import { Radio, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { FormBody } from "@/components/form-dialog";
import { useUpdateUser } from "@/features/users/mutations";
import type { UserDetail } from "@/features/users/queries";
import type { Role } from "@/gql/graphql";
import { notifySuccess } from "@/lib/notify";
import { useSave } from "@/lib/use-save";

interface Props {
  user: UserDetail;
  onDone: () => void;
}

interface Values extends Record<string, unknown> {
  name: string;
  role: Role;
}

export function EditUserForm({ user, onDone }: Props) {
  const update = useUpdateUser();
  const invited = user.status === "INVITED";
  const form = useForm<Values>({
    initialValues: { name: user.name, role: user.role },
    validate: {
      name: (name) => (name.trim() === "" && !invited ? "Enter a name" : null),
    },
  });
  const { submit, saving, problem } = useSave(form, async (values: Values) => {
    await update.mutateAsync({ id: user.id, ...values });
    notifySuccess("User saved.");
    onDone();
  });
  return (
    <FormBody
      onSubmit={form.onSubmit((values) => void submit(values))}
      onCancel={onDone}
      submitLabel="Save"
      saving={saving}
      problem={problem}
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
    </FormBody>
  );
}
