import { Alert, Button, Group, Stack } from "@mantine/core";
import { useForm } from "@mantine/form";
import * as z from "zod/mini";
import { PasswordField } from "@/components/password-field";
import { SectionCard } from "@/components/section-card";
import { useChangePassword } from "@/features/account/sessions";
import { useSession } from "@/features/session/queries";
import { zodFields } from "@/lib/form";
import { notifySuccess } from "@/lib/notify";
import { newPassword, shortestPassword } from "@/lib/password";
import { useSave } from "@/lib/use-save";

const schema = z.object({
  currentPassword: z.string().check(z.minLength(1, "Enter your present password")),
  newPassword,
});

export function PasswordCard() {
  const { email } = useSession().viewer.user;
  const change = useChangePassword();
  const form = useForm({
    initialValues: { currentPassword: "", newPassword: "" },
    validate: zodFields(schema),
  });
  const { submit, saving, problem } = useSave(form, async (values) => {
    await change.mutateAsync(values);
    form.reset();
    notifySuccess("Your password is changed, and all other browsers are signed out.");
  });

  return (
    <SectionCard
      title="Password"
      description="A new one signs you out everywhere else. API keys go on working."
    >
      <form
        onSubmit={form.onSubmit((values) => void submit(values))}
        data-unsaved={form.isDirty() || undefined}
        noValidate
      >
        <Stack gap="md">
          <input type="hidden" autoComplete="username" value={email} readOnly />
          <PasswordField
            label="Present password"
            autoComplete="current-password"
            {...form.getInputProps("currentPassword")}
          />
          <PasswordField
            label="New password"
            description={`At least ${shortestPassword} characters. A few unrelated words do well.`}
            autoComplete="new-password"
            {...form.getInputProps("newPassword")}
          />
          {problem ? (
            <Alert color="red" role="alert">
              {problem}
            </Alert>
          ) : null}
          <Group justify="flex-end">
            <Button type="submit" loading={saving} disabled={!form.isDirty()}>
              Change password
            </Button>
          </Group>
        </Stack>
      </form>
    </SectionCard>
  );
}
