import { Alert, Anchor, Button, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import * as z from "zod/mini";
import { LoadFailure } from "@/components/loaded";
import { EntryFrame, EntryLoading } from "@/features/entry/entry-frame";
import { zodFields } from "@/lib/form";
import { requestOk } from "@/lib/http";
import { keys } from "@/lib/query-keys";
import { useSave } from "@/lib/use-save";

const helpSchema = z.object({ resetByMail: z.boolean() });
const schema = z.object({
  email: z.string().check(z.trim(), z.minLength(1, "Enter your e-mail address")),
});

export function ForgotPasswordPage() {
  const [asked, setAsked] = useState<string | null>(null);
  const help = useQuery({
    queryKey: keys.entryHelp,
    queryFn: async () => helpSchema.parse(await requestOk("GET", "/auth/help")),
  });

  if (help.isError) {
    return (
      <EntryFrame title="Forgot your password?">
        <LoadFailure error={help.error} onRetry={() => void help.refetch()} />
      </EntryFrame>
    );
  }
  if (help.data === undefined) {
    return <EntryLoading title="Forgot your password?" />;
  }
  if (!help.data.resetByMail) {
    return (
      <EntryFrame
        title="Forgot your password?"
        description="No mail is sent from here. Ask an administrator: they can make a link by which you set a new password."
      >
        <BackToSignIn />
      </EntryFrame>
    );
  }
  if (asked !== null) {
    return (
      <EntryFrame
        title="Look into your mailbox"
        description={
          <>
            If <b>{asked}</b> has an account here, a message with a link is on its way. The link is
            good for one hour.
          </>
        }
      >
        <BackToSignIn />
      </EntryFrame>
    );
  }
  return <AskForm onAsked={setAsked} />;
}

function AskForm({ onAsked }: { onAsked: (email: string) => void }) {
  const form = useForm({ initialValues: { email: "" }, validate: zodFields(schema) });
  const { submit, saving, problem } = useSave(form, async ({ email }) => {
    await requestOk("POST", "/auth/forgot", { email });
    onAsked(email.trim());
  });
  return (
    <EntryFrame
      title="Forgot your password?"
      description="We send you a link by which you set a new one."
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
          <Button type="submit" loading={saving} fullWidth mt={4}>
            Send the link
          </Button>
          <Anchor size="sm" ta="center" renderRoot={(props) => <Link to="/sign-in" {...props} />}>
            Back to sign-in
          </Anchor>
        </Stack>
      </form>
    </EntryFrame>
  );
}

function BackToSignIn() {
  return (
    <Button variant="default" renderRoot={(props) => <Link to="/sign-in" {...props} />}>
      Back to sign-in
    </Button>
  );
}
