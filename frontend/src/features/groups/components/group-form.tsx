import { Textarea, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useNavigate } from "@tanstack/react-router";
import { FormBody } from "@/components/form-dialog";
import { useCreateGroup, useUpdateGroup } from "@/features/groups/mutations";
import type { GroupDetail } from "@/features/groups/queries";
import { notifySuccess } from "@/lib/notify";
import { useSave } from "@/lib/use-save";

interface Values extends Record<string, unknown> {
  name: string;
  description: string;
}

/** Leads to the new group, where its members and policy are set. */
export function CreateGroupForm({ onCancel }: { onCancel: () => void }) {
  const create = useCreateGroup();
  const navigate = useNavigate();
  return (
    <GroupForm
      initial={{ name: "", description: "" }}
      submitLabel="Create group"
      onCancel={onCancel}
      save={async (values) => {
        const groupId = await create.mutateAsync(values);
        await navigate({ to: "/admin/groups/$groupId", params: { groupId } });
      }}
    />
  );
}

interface EditProps {
  group: GroupDetail;
  onDone: () => void;
}

export function EditGroupForm({ group, onDone }: EditProps) {
  const update = useUpdateGroup();
  return (
    <GroupForm
      initial={{ name: group.name, description: group.description }}
      submitLabel="Save"
      onCancel={onDone}
      save={async (values) => {
        await update.mutateAsync({ id: group.id, ...values });
        notifySuccess("Group saved.");
        onDone();
      }}
    />
  );
}

interface FormProps {
  initial: Values;
  submitLabel: string;
  onCancel: () => void;
  save: (values: Values) => Promise<void>;
}

function GroupForm({ initial, submitLabel, onCancel, save }: FormProps) {
  const form = useForm<Values>({
    initialValues: initial,
    validate: { name: (name) => (name.trim() === "" ? "Give the group a name" : null) },
  });
  const { submit, saving, problem } = useSave(form, save);
  return (
    <FormBody
      onSubmit={form.onSubmit((values) => void submit(values))}
      onCancel={onCancel}
      {...{ submitLabel, saving, problem }}
    >
      <TextInput
        label="Name"
        description="Shown to members wherever this group sets a value"
        data-autofocus
        {...form.getInputProps("name")}
      />
      <Textarea
        label="Description"
        placeholder="Optional"
        autosize
        minRows={2}
        maxRows={6}
        {...form.getInputProps("description")}
      />
    </FormBody>
  );
}
