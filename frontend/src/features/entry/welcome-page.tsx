import { Alert, Button, PasswordInput, Skeleton, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import * as z from "zod/mini";
import { LoadFailure } from "@/components/loaded";
import { EntryFrame } from "@/features/entry/entry-frame";
import { useEnter } from "@/features/session/use-enter";
import { zodFields } from "@/lib/form";
import { requestOk } from "@/lib/http";
import { keys } from "@/lib/query-keys";
import { useSave } from "@/lib/use-save";

const route = getRouteApi("/welcome/$token");
const shortestPassword = 10;

const linkSchema = z.object({
  kind: z.enum(["invite", "reset"]),
  email: z.string(),
  name: z.string(),
  status: z.enum(["valid", "expired", "used", "unknown"]),
});
type LinkState = z.infer<typeof linkSchema>;

const deadLinks = {
  expired: {
    title: "This link has expired",
    text: "Invitations are good for seven days. Ask an administrator to send you a new one.",
  },
  used: {
    title: "This link was used already",
    text: "It works once. If it was you, sign in with the password that you chose.",
  },
  unknown: {
    title: "This link is not known",
    text: "It may be cut off, or a newer link has replaced it. Open the link of the latest message, or ask an administrator.",
  },
};

export function WelcomePage() {
  const { token } = route.useParams();
  const path = `/auth/link/${encodeURIComponent(token)}`;
  const query = useQuery({
    queryKey: keys.entryLink(token),
    queryFn: async () => linkSchema.parse(await requestOk("GET", path)),
    staleTime: Number.POSITIVE_INFINITY,
  });

  if (query.isError) {
    return (
      <EntryFrame title="Welcome">
        <LoadFailure error={query.error} onRetry={() => void query.refetch()} />
      </EntryFrame>
    );
  }
  if (query.data === undefined) {
    return (
      <EntryFrame title="Welcome">
        <Stack role="status" aria-label="Loading">
          <Skeleton height={56} />
          <Skeleton height={56} />
          <Skeleton height={36} />
        </Stack>
      </EntryFrame>
    );
  }
  if (query.data.status !== "valid") {
    const { title, text } = deadLinks[query.data.status];
    return (
      <EntryFrame title={title} description={text}>
        <Button variant="default" renderRoot={(props) => <Link to="/sign-in" {...props} />}>
          Go to sign-in
        </Button>
      </EntryFrame>
    );
  }
  return <AcceptForm path={path} link={query.data} />;
}

const acceptSchema = z.object({
  name: z.string().check(z.trim(), z.minLength(1, "Enter your name")),
  password: z
    .string()
    .check(z.minLength(shortestPassword, `Use at least ${shortestPassword} characters`)),
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
    <EntryFrame
      title={invited ? "Welcome to Sluicegate" : "Choose a new password"}
      description={
        <>
          For <b>{link.email}</b>
        </>
      }
    >
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
          <PasswordInput
            label="Password"
            description={`At least ${shortestPassword} characters. A few unrelated words do well.`}
            autoComplete="new-password"
            visibilityToggleButtonProps={{ "aria-label": "Show or hide the password" }}
            {...form.getInputProps("password")}
          />
          <Button type="submit" loading={saving} fullWidth mt={4}>
            {invited ? "Create account" : "Set password"}
          </Button>
          <Text size="xs" c="dimmed">
            You will be signed in on this device.
          </Text>
        </Stack>
      </form>
    </EntryFrame>
  );
}
