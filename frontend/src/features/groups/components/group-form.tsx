import { Textarea, TextInput } from "@mantine/core";
import { type UseFormReturnType, useForm } from "@mantine/form";
import { useNavigate } from "@tanstack/react-router";
import { ConflictNotice } from "@/components/conflict-notice";
import { FormBody } from "@/components/form-dialog";
import { useCreateGroup, useUpdateGroup } from "@/features/groups/mutations";
import type { GroupDetail } from "@/features/groups/queries";
import { notifySuccess } from "@/lib/notify";
import { keys } from "@/lib/query-keys";
import { useEdit } from "@/lib/use-edit";
import { useSave } from "@/lib/use-save";

interface Values extends Record<string, unknown> {
  name: string;
  description: string;
}

/** Leads to the new group, where its members and policy are set. */
export function CreateGroupForm({ onCancel }: { onCancel: () => void }) {
  const create = useCreateGroup();
  const navigate = useNavigate();
  const form = useGroupForm({ name: "", description: "" });
  const { submit, saving, problem } = useSave(form, async (values) => {
    const groupId = await create.mutateAsync(values);
    await navigate({ to: "/admin/groups/$groupId", params: { groupId } });
  });
  return (
    <FormBody
      onSubmit={form.onSubmit((values) => void submit(values))}
      submitLabel="Create group"
      {...{ onCancel, saving, problem }}
    >
      <GroupFields form={form} />
    </FormBody>
  );
}

interface EditProps {
  group: GroupDetail;
  onDone: () => void;
}

const labels = { name: "Name", description: "Description" };

export function EditGroupForm({ group, onDone }: EditProps) {
  const update = useUpdateGroup();
  const present: Values = { name: group.name, description: group.description };
  const form = useGroupForm(present);
  const { submit, saving, problem, conflict } = useEdit(form, {
    version: group.version,
    values: present,
    refresh: keys.group(group.id),
    save: async (values, expectedVersion) => {
      await update.mutateAsync({ id: group.id, ...values, expectedVersion });
      notifySuccess("Group saved.");
      onDone();
    },
  });
  return (
    <FormBody
      onSubmit={form.onSubmit((values) => void submit(values))}
      onCancel={onDone}
      submitLabel="Save"
      disabled={conflict !== null}
      {...{ saving, problem }}
    >
      <GroupFields form={form} />
      {conflict ? <ConflictNotice {...conflict} mine={form.values} labels={labels} /> : null}
    </FormBody>
  );
}

const useGroupForm = (initialValues: Values) =>
  useForm<Values>({
    initialValues,
    validate: { name: (name) => (name.trim() === "" ? "Give the group a name" : null) },
  });

function GroupFields({ form }: { form: UseFormReturnType<Values> }) {
  return (
    <>
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
    </>
  );
}
