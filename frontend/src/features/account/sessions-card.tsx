import { Badge, Button, Group, Stack, Text } from "@mantine/core";
import { IconDeviceLaptop } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Confirmed } from "@/components/confirm-dialog";
import { EmptyState } from "@/components/empty-state";
import { Loaded } from "@/components/loaded";
import { RowsTable } from "@/components/rows-table";
import { SectionCard } from "@/components/section-card";
import type { Column } from "@/components/table-parts";
import { When } from "@/components/when";
import {
  type OwnSession,
  sessionsQuery,
  useEndOtherSessions,
  useRevokeSession,
} from "@/features/account/sessions";
import { notifySuccess } from "@/lib/notify";
import { plural } from "@/lib/numbers";

export function SessionsCard() {
  const query = useQuery(sessionsQuery);
  const others = query.data?.filter(({ current }) => !current).length ?? 0;
  return (
    <SectionCard
      title="Sessions"
      description="Browsers in which you are signed in. End those that you do not know, and change your password then."
      flush
      actions={others > 0 ? <EndOthers count={others} /> : null}
    >
      <Loaded query={query}>
        {(sessions) =>
          sessions.length === 0 ? (
            <EmptyState icon={IconDeviceLaptop} title="No sessions">
              You are signed in nowhere.
            </EmptyState>
          ) : (
            <RowsTable label="Sessions" columns={columns} rows={sessions} />
          )
        }
      </Loaded>
    </SectionCard>
  );
}

const columns: Column<OwnSession>[] = [
  {
    id: "client",
    header: "Browser",
    cell: ({ client, address, current, lastSeenAt }) => (
      <>
        <Group gap={8}>
          <Text inherit fw={500}>
            {client}
          </Text>
          {current ? <Badge color="green">This browser</Badge> : null}
        </Group>
        <Text size="xs" c="dimmed" component="div" hiddenFrom="sm">
          {address} · <When at={lastSeenAt} />
        </Text>
      </>
    ),
  },
  {
    id: "address",
    header: "Signed in from",
    cell: ({ address }) => <span className="mono">{address}</span>,
    from: "sm",
  },
  {
    id: "seen",
    header: "Last seen",
    cell: ({ lastSeenAt }) => <When at={lastSeenAt} />,
    from: "sm",
  },
  {
    id: "created",
    header: "Signed in",
    cell: ({ createdAt }) => <When at={createdAt} />,
    from: "md",
  },
  {
    id: "actions",
    header: "Actions",
    bare: true,
    numeric: true,
    cell: (session) => (session.current ? null : <End session={session} />),
  },
];

function End({ session: { id, client, address, lastSeenAt } }: { session: OwnSession }) {
  const revoke = useRevokeSession();
  return (
    <Confirmed
      title={`Sign out ${client}?`}
      consequence={
        <Stack gap={8}>
          <span>Whoever uses that browser has to sign in again with the password, at once.</span>
          <span>
            {address}, last seen <When at={lastSeenAt} />
          </span>
        </Stack>
      }
      confirmLabel="Sign out"
      onConfirm={async () => {
        await revoke.mutateAsync(id);
        notifySuccess(`${client} is signed out.`);
      }}
      trigger={(open) => (
        <Button
          size="compact-sm"
          variant="subtle"
          color="red"
          onClick={open}
          aria-label={`Sign out ${client}, ${address}`}
        >
          Sign out
        </Button>
      )}
    />
  );
}

function EndOthers({ count }: { count: number }) {
  const end = useEndOtherSessions();
  return (
    <Confirmed
      title="Sign out everywhere else?"
      consequence={`${plural(count, "other browser")} will have to sign in again. This one stays signed in.`}
      confirmLabel="Sign out everywhere else"
      onConfirm={async () => {
        const ended = await end.mutateAsync(undefined);
        notifySuccess(`${plural(ended, "session")} ended.`);
      }}
      trigger={(open) => (
        <Button size="xs" variant="default" onClick={open}>
          Sign out everywhere else
        </Button>
      )}
    />
  );
}
