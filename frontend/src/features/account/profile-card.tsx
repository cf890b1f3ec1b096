import { Alert, Button, Group, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import * as z from "zod/mini";
import { SectionCard } from "@/components/section-card";
import { useRename } from "@/features/account/queries";
import { useSession } from "@/features/session/queries";
import { zodFields } from "@/lib/form";
import { notifySuccess } from "@/lib/notify";
import { useSave } from "@/lib/use-save";

const schema = z.object({
  name: z
    .string()
    .check(
      z.trim(),
      z.minLength(1, "Enter your name"),
      z.maxLength(120, "Use at most 120 characters"),
    ),
});

export function ProfileCard() {
  const { user } = useSession().viewer;
  const rename = useRename();
  const form = useForm({ initialValues: { name: user.name }, validate: zodFields(schema) });
  const { submit, saving, problem } = useSave(form, async ({ name }) => {
    await rename.mutateAsync(name.trim());
    form.setValues({ name: name.trim() });
    form.resetDirty({ name: name.trim() });
    notifySuccess("Your name is saved.");
  });

  return (
    <SectionCard title="Profile">
      <form
        onSubmit={form.onSubmit((values) => void submit(values))}
        data-unsaved={form.isDirty() || undefined}
        noValidate
      >
        <Stack gap="md">
          <TextInput label="Name" autoComplete="name" {...form.getInputProps("name")} />
          <TextInput
            label="E-mail"
            description={`You are ${user.role === "ADMIN" ? "an administrator" : "a member"}. An administrator can change your role.`}
            inputWrapperOrder={["label", "input", "description"]}
            value={user.email}
            readOnly
            variant="filled"
          />
          {problem ? (
            <Alert color="red" role="alert">
              {problem}
            </Alert>
          ) : null}
          <Group justify="flex-end">
            <Button type="submit" loading={saving} disabled={!form.isDirty()}>
              Save
            </Button>
          </Group>
        </Stack>
      </form>
    </SectionCard>
  );
}
