import { Alert, Badge, Button, Group, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { IconCircleCheck, IconSend } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { SectionCard } from "@/components/section-card";
import { useSession } from "@/features/session/queries";
import { Facts } from "@/features/settings/components/facts";
import { mailCountsQuery, type Setting, useSendTestMail } from "@/features/settings/queries";
import { formatCount } from "@/lib/numbers";
import { useSave } from "@/lib/use-save";

interface Props {
  configured: boolean;
  settings: Setting[];
}

/** Whether letters leave, and the way to try it. */
export function MailCard({ configured, settings }: Props) {
  const counts = useQuery(mailCountsQuery).data;
  const value = (name: string): string =>
    settings.find((setting) => setting.name === `SLUICEGATE_SMTP_${name}`)?.value ?? "";
  const port = value("PORT");
  return (
    <SectionCard
      title="Mail"
      mark={
        <Badge color={configured ? "green" : "gray"}>{configured ? "Set up" : "Not set up"}</Badge>
      }
      description="Brings invitations and password links. Without it, such links are shown once for you to pass on."
      flush
    >
      <Facts
        label="Mail"
        facts={[
          {
            label: "Mail server",
            value: configured
              ? `${value("HOST")}${port ? `:${port}` : ""}, ${encryption[value("TLS")] ?? value("TLS")}`
              : "None",
            setBy: ["SLUICEGATE_SMTP_HOST"],
          },
          {
            label: "Sender",
            value: value("FROM") || "None",
            setBy: ["SLUICEGATE_SMTP_FROM"],
          },
          {
            label: "Waiting to be sent",
            value: counts ? formatCount(counts.queued) : "…",
          },
          { label: "Failed in the last 90 days", value: counts ? formatCount(counts.failed) : "…" },
        ]}
      />
      {configured ? <TestMail /> : null}
    </SectionCard>
  );
}

const encryption: Record<string, string> = {
  starttls: "encrypted by STARTTLS",
  tls: "encrypted by TLS",
  none: "not encrypted",
};

function TestMail() {
  const { email } = useSession().viewer.user;
  const send = useSendTestMail();
  const [sent, setSent] = useState<string | null>(null);
  const form = useForm({ initialValues: { to: email } });
  const { submit, saving, problem } = useSave(form, async ({ to }) => {
    setSent(null);
    setSent(await send.mutateAsync(to));
  });
  return (
    <form onSubmit={form.onSubmit((values) => void submit(values))} noValidate>
      <Stack gap="sm" p="lg">
        <Group align="flex-start" gap="xs">
          <TextInput
            type="email"
            label="Send a test mail to"
            flex="1 1 220px"
            {...form.getInputProps("to")}
          />
          <Button
            type="submit"
            variant="default"
            mt={22}
            loading={saving}
            leftSection={<IconSend size={16} aria-hidden />}
          >
            Send test mail
          </Button>
        </Group>
        {problem ? (
          <Alert color="red" role="alert">
            {problem}
          </Alert>
        ) : null}
        {sent === null ? null : (
          <Alert color="green" role="status" icon={<IconCircleCheck aria-hidden />}>
            <Text size="sm">
              The mail server took a letter to {sent}. It may take a minute to arrive.
            </Text>
          </Alert>
        )}
      </Stack>
    </form>
  );
}
