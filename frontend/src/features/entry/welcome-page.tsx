import { Alert, Button, Divider, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import * as z from "zod/mini";
import { LoadFailure } from "@/components/loaded";
import { PasswordField } from "@/components/password-field";
import { EntryFrame, EntryLoading } from "@/features/entry/entry-frame";
import { SignOnButton, waysQuery } from "@/features/entry/sign-on";
import { useEnter } from "@/features/session/use-enter";
import { zodFields } from "@/lib/form";
import { requestOk } from "@/lib/http";
import { newPassword, shortestPassword } from "@/lib/password";
import { keys } from "@/lib/query-keys";
import { useSave } from "@/lib/use-save";

const linkSchema = z.object({
  kind: z.enum(["invite", "reset"]),
  email: z.string(),
  name: z.string(),
  status: z.enum(["valid", "expired", "used", "replaced", "unknown"]),
  password: z.boolean(),
});
type LinkState = z.infer<typeof linkSchema>;

const deadLinks = {
  expired: {
    title: "This link has expired",
    invite: "Invitations are good for seven days. Ask an administrator to send you a new one.",
    reset: "Links to set a new password are good for one hour. Ask for a new one.",
  },
  used: {
    title: "This link was used already",
    invite: "It works once. If it was you, sign in with the password that you chose.",
    reset: "It works once. If it was you, sign in with the password that you chose.",
  },
  replaced: {
    title: "A newer link has replaced this one",
    invite: "You were sent another invitation after this one. Open the link of the latest message.",
    reset: "Another link was asked for after this one. Open the link of the latest message.",
  },
  unknown: {
    title: "This link is not known",
    invite: "It may be cut off, or the invitation was withdrawn. Ask an administrator.",
    reset: "It may be cut off. Open the link from the message again, or ask for a new one.",
  },
};

/** What a one-time link leads to: setting up an account (`invite`), or a new password for it (`reset`). */
export function WelcomePage({ token, kind }: { token: string; kind: LinkState["kind"] }) {
  const path = `/auth/link/${encodeURIComponent(token)}`;
  const query = useQuery({
    queryKey: keys.entryLink(token),
    queryFn: async () => linkSchema.parse(await requestOk("GET", path)),
    staleTime: Number.POSITIVE_INFINITY,
  });

  const title = kind === "invite" ? "Welcome" : "New password";
  if (query.isError) {
    return (
      <EntryFrame title={title}>
        <LoadFailure error={query.error} onRetry={() => void query.refetch()} />
      </EntryFrame>
    );
  }
  if (query.data === undefined) {
    return <EntryLoading title={title} fields={2} />;
  }
  if (query.data.status !== "valid") {
    const { status } = query.data;
    const again = kind === "reset" && status !== "used";
    return (
      <EntryFrame title={deadLinks[status].title} description={deadLinks[status][kind]}>
        <Button
          variant="default"
          renderRoot={(props) => <Link to={again ? "/forgot-password" : "/sign-in"} {...props} />}
        >
          {again ? "Ask for a new link" : "Go to sign-in"}
        </Button>
      </EntryFrame>
    );
  }
  return <Welcome path={path} link={query.data} />;
}

/** By a password, through the identity provider, or by whichever one likes. */
function Welcome({ path, link }: { path: string; link: LinkState }) {
  const ways = useQuery(waysQuery).data;
  const invited = link.kind === "invite";
  const elsewhere = ways?.enabled && (invited || !link.password);
  return (
    <EntryFrame
      title={invited ? "Welcome to Sluicegate" : "Choose a new password"}
      description={
        <>
          For <b>{link.email}</b>
        </>
      }
    >
      {elsewhere ? (
        <SignOnButton label={ways.label} variant={link.password ? "default" : "filled"} />
      ) : null}
      {elsewhere && link.password ? <Divider label="or with a password" /> : null}
      {link.password ? <AcceptForm path={path} link={link} /> : null}
      {!link.password && !elsewhere ? (
        <Text size="sm">Passwords are off for members here. Ask an administrator.</Text>
      ) : null}
    </EntryFrame>
  );
}

const acceptSchema = z.object({
  name: z.string().check(z.trim(), z.minLength(1, "Enter your name")),
  password: newPassword,
});

function AcceptForm({ path, link }: { path: string; link: LinkState }) {
  const enter = useEnter();
  const form = useForm({
    initialValues: { name: link.name, password: "" },
    validate: zodFields(acceptSchema),
  });
  const { submit, saving, problem } = useSave(form, async (values) => {
    await requestOk("POST", path, values);
    enter();
  });
  const invited = link.kind === "invite";

  return (
    <form onSubmit={form.onSubmit((values) => void submit(values))} noValidate>
      <Stack gap="md">
        {problem ? (
          <Alert color="red" role="alert">
            {problem}
          </Alert>
        ) : null}
        {invited ? (
          <TextInput
            label="Your name"
            autoComplete="name"
            autoFocus
            {...form.getInputProps("name")}
          />
        ) : null}
        <input type="hidden" autoComplete="username" value={link.email} readOnly />
        <PasswordField
          label="Password"
          description={`At least ${shortestPassword} characters. A few unrelated words do well.`}
          autoComplete="new-password"
          {...form.getInputProps("password")}
        />
        <Button type="submit" loading={saving} fullWidth mt={4}>
          {invited ? "Create account" : "Set password"}
        </Button>
        <Text size="xs" c="dimmed">
          {invited
            ? "You will be signed in on this device."
            : "You will be signed in on this device, and signed out everywhere else."}
        </Text>
      </Stack>
    </form>
  );
}
