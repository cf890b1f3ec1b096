import { Alert, Anchor, Button, Divider, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import * as z from "zod/mini";
import { PasswordField } from "@/components/password-field";
import { EntryFrame } from "@/features/entry/entry-frame";
import { problemOf, SignOnButton, waysQuery } from "@/features/entry/sign-on";
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
  const { next, problem: failed } = route.useSearch();
  // A password is asked for at once; the other way appears as soon as it is known to be there.
  const ways = useQuery(waysQuery).data;
  return (
    <EntryFrame
      title="Sign in"
      description={next ? "Sign in to go on to the page you asked for." : undefined}
    >
      {failed ? (
        <Alert color="red" role="alert">
          {problemOf(failed)}
        </Alert>
      ) : null}
      {ways?.enabled ? (
        <>
          <SignOnButton
            label={ways.label}
            next={next}
            variant={ways.passwords ? "default" : "filled"}
          />
          <Divider label={ways.passwords ? "or with a password" : "administrators"} />
        </>
      ) : null}
      <PasswordForm next={next} plain={ways?.enabled === true && !ways.passwords} />
    </EntryFrame>
  );
}

interface FormProps {
  next: string | undefined;
  /** Where another way is the usual one. */
  plain: boolean;
}

function PasswordForm({ next, plain }: FormProps) {
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
        <Button
          type="submit"
          variant={plain ? "default" : "filled"}
          loading={saving}
          fullWidth
          mt={4}
        >
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
  );
}
