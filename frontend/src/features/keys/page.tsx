import { Button, Stack, Text } from "@mantine/core";
import { IconKey, IconPlus } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { CredentialStatus } from "@/components/credential-status";
import { type Column, DataTable } from "@/components/data-table";
import { EmptyState } from "@/components/empty-state";
import { PageHeader } from "@/components/page-header";
import { When } from "@/components/when";
import { CreateKeyDialog } from "@/features/keys/components/create-key-dialog";
import { KeyActions } from "@/features/keys/components/key-actions";
import { LastUsed } from "@/features/keys/components/last-used";
import { apiKeysQuery, type OwnKey } from "@/features/keys/queries";
import { KeyNarrowing } from "@/features/policy/components/key-narrowing";
import { useSession } from "@/features/session/queries";
import { keys } from "@/lib/query-keys";

export function ApiKeysPage() {
  const query = useInfiniteQuery(apiKeysQuery());
  const [creating, setCreating] = useState(false);
  const create = (
    <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setCreating(true)}>
      Create key
    </Button>
  );
  return (
    <Stack gap="lg">
      <PageHeader
        title="API keys"
        description="What your assistants and scripts send to the gateway. Use one for each, so that you can tell them apart and revoke one alone."
        actions={create}
      />
      <DataTable
        label="API keys"
        columns={columns}
        query={query}
        skeletonRows={3}
        empty={
          <EmptyState icon={IconKey} title="No keys yet" action={create}>
            A key lets an assistant call the gateway in your name. Its use counts as yours.
          </EmptyState>
        }
      />
      <CreateKeyDialog opened={creating} onClose={() => setCreating(false)} />
    </Stack>
  );
}

const columns: Column<OwnKey>[] = [
  {
    id: "name",
    header: "Name",
    cell: (key) => (
      <>
        <Text fw={500} inherit {...(key.name === "" ? { c: "dimmed" } : {})}>
          {key.name || "Unnamed"}
        </Text>
        <Text size="xs" c="dimmed" className="mono" hiddenFrom="sm">
          {key.prefix}…
        </Text>
        <KeyNarrowing {...key} models={key.models ?? null} />
      </>
    ),
  },
  {
    id: "prefix",
    header: "Key",
    cell: ({ prefix, previousPrefix, previousExpiresAt }) => (
      <>
        <span className="mono">{prefix}…</span>
        {previousPrefix ? (
          <Text size="xs" c="dimmed">
            {previousPrefix}… until <When at={previousExpiresAt} />
          </Text>
        ) : null}
      </>
    ),
    from: "sm",
  },
  { id: "status", header: "Status", cell: ({ status }) => <CredentialStatus status={status} /> },
  {
    id: "used",
    header: "Last used",
    cell: (key) => <LastUsed {...key} />,
    from: "sm",
  },
  {
    id: "expires",
    header: "Expires",
    cell: ({ expiresAt }) => <When at={expiresAt} />,
    from: "md",
  },
  {
    id: "created",
    header: "Created",
    cell: ({ createdAt }) => <When at={createdAt} />,
    from: "md",
  },
  {
    id: "actions",
    header: "Actions",
    bare: true,
    numeric: true,
    cell: (key) => <Actions of={key} />,
  },
];

function Actions({ of: apiKey }: { of: OwnKey }) {
  const { id } = useSession().viewer.user;
  return (
    <KeyActions
      apiKey={apiKey}
      ownerId={id}
      refresh={keys.apiKeys}
      isOwn
      consequence="From the next call on, whatever uses this key is refused with 401. That can't be undone; to let it in again, create a new key. Calls that are under way finish, and past usage stays."
    />
  );
}
