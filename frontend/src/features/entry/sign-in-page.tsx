import { Alert, Anchor, Button, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { getRouteApi, Link } from "@tanstack/react-router";
import * as z from "zod/mini";
import { PasswordField } from "@/components/password-field";
import { EntryFrame } from "@/features/entry/entry-frame";
import { useEnter } from "@/features/session/use-enter";
import { zodFields } from "@/lib/form";
import { requestOk } from "@/lib/http";
import { useSave } from "@/lib/use-save";

const route = getRouteApi("/sign-in");

const schema = z.object({
  email: z.string().check(z.trim(), z.minLength(1, "Enter your e-mail address")),
  password: z.string().check(z.minLength(1, "Enter your password")),
});

export function SignInPage() {
  const { next } = route.useSearch();
  const enter = useEnter();
  const form = useForm({
    initialValues: { email: "", password: "" },
    validate: zodFields(schema),
  });
  const { submit, saving, problem } = useSave(form, async (values) => {
    await requestOk("POST", "/auth/sign-in", values);
    enter(next);
  });

  return (
    <EntryFrame
      title="Sign in"
      description={next ? "Sign in to go on to the page you asked for." : undefined}
    >
      <form onSubmit={form.onSubmit((values) => void submit(values))} noValidate>
        <Stack gap="md">
          {problem ? (
            <Alert color="red" role="alert">
              {problem}
            </Alert>
          ) : null}
          <TextInput
            label="E-mail"
            type="email"
            autoComplete="username"
            autoFocus
            {...form.getInputProps("email")}
          />
          <PasswordField
            label="Password"
            autoComplete="current-password"
            {...form.getInputProps("password")}
          />
          <Button type="submit" loading={saving} fullWidth mt={4}>
            Sign in
          </Button>
          <Anchor
            size="sm"
            ta="center"
            renderRoot={(props) => <Link to="/forgot-password" {...props} />}
          >
            Forgot your password?
          </Anchor>
        </Stack>
      </form>
    </EntryFrame>
  );
}
