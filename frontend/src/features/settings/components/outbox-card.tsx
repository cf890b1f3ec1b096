import { Anchor, Badge, Button, Text } from "@mantine/core";
import { IconMailbox } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { Column } from "@/components/data-table";
import { LogCard } from "@/components/log-card";
import { When } from "@/components/when";
import { type Letter, mailLogQuery, useRetryMail } from "@/features/settings/queries";
import type { LetterKind, MailStatus } from "@/gql/graphql";
import { notifySuccess } from "@/lib/notify";

const kinds: Record<LetterKind, string> = {
  INVITATION: "Invitation",
  PASSWORD_RESET: "Password link",
  BUDGET_ALERT: "Alert",
  TEST: "Test",
};

const statuses: Record<MailStatus, { label: string; color: string }> = {
  QUEUED: { label: "Waiting", color: "yellow" },
  SENT: { label: "Sent", color: "green" },
  FAILED: { label: "Failed", color: "red" },
  CANCELLED: { label: "Cancelled", color: "gray" },
};

const useLetters = (status: MailStatus | null) => useInfiniteQuery(mailLogQuery(status));

export const OutboxCard = () => (
  <LogCard
    title="Outbox"
    description="Letters to people, newest first. What is in them is never shown, and forgotten once they are sent."
    narrowing="Which letters"
    statuses={statuses}
    columns={columns}
    useRows={useLetters}
    icon={IconMailbox}
    none={["No such letters", "No letters yet"]}
  >
    Invitations, password links and alerts that are sent by mail show up here for 90 days.
  </LogCard>
);

const columns: Column<Letter>[] = [
  {
    id: "recipient",
    header: "To",
    cell: ({ recipient, userId, kind, error, status }) => (
      <>
        <span style={{ overflowWrap: "anywhere" }}>
          {userId ? (
            <Anchor
              inherit
              c="inherit"
              fw={500}
              renderRoot={(props) => (
                <Link to="/admin/users/$userId" params={{ userId }} {...props} />
              )}
            >
              {recipient}
            </Anchor>
          ) : (
            recipient
          )}
        </span>
        <Text size="xs" c="dimmed" hiddenFrom="sm">
          {kinds[kind]}
        </Text>
        {error ? (
          <Text
            size="xs"
            c={status === "FAILED" ? "var(--mantine-color-error)" : "dimmed"}
            style={{ overflowWrap: "anywhere" }}
          >
            {error}
          </Text>
        ) : null}
      </>
    ),
  },
  { id: "kind", header: "What", cell: ({ kind }) => kinds[kind], from: "sm" },
  {
    id: "status",
    header: "Status",
    cell: ({ status, attempts }) => (
      <Badge color={statuses[status].color} title={`Tried ${attempts} times`}>
        {statuses[status].label}
      </Badge>
    ),
  },
  {
    id: "written",
    header: "Written",
    cell: ({ createdAt }) => <When at={createdAt} />,
    from: "md",
  },
  {
    id: "next",
    header: "Next attempt or end",
    cell: ({ nextAttemptAt, finishedAt }) => <When at={nextAttemptAt ?? finishedAt} none="–" />,
    from: "sm",
  },
  {
    id: "actions",
    header: "Actions",
    bare: true,
    numeric: true,
    cell: (letter) => (letter.status === "QUEUED" ? <Retry letter={letter} /> : null),
  },
];

function Retry({ letter: { id, recipient } }: { letter: Letter }) {
  const retry = useRetryMail();
  return (
    <Button
      size="compact-sm"
      variant="subtle"
      loading={retry.isPending}
      aria-label={`Try now: letter to ${recipient}`}
      onClick={() =>
        retry.mutate(id, {
          onSuccess: () => notifySuccess(`The letter to ${recipient} is on its way.`),
        })
      }
    >
      Try now
    </Button>
  );
}
