import { Button, Stack, Text } from "@mantine/core";
import { IconKey, IconPlus } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Confirmed } from "@/components/confirm-dialog";
import { CredentialStatus } from "@/components/credential-status";
import { type Column, DataTable } from "@/components/data-table";
import { EmptyState } from "@/components/empty-state";
import { PageHeader } from "@/components/page-header";
import { When } from "@/components/when";
import { CreateKeyDialog } from "@/features/keys/create-key-dialog";
import { useRevokeKey } from "@/features/keys/mutations";
import { apiKeysQuery, type OwnKey } from "@/features/keys/queries";
import { notifySuccess } from "@/lib/notify";

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
    cell: ({ name, prefix }) => (
      <>
        <Text fw={500} inherit {...(name === "" ? { c: "dimmed" } : {})}>
          {name || "Unnamed"}
        </Text>
        <Text size="xs" c="dimmed" className="mono" hiddenFrom="sm">
          {prefix}…
        </Text>
      </>
    ),
  },
  {
    id: "prefix",
    header: "Key",
    cell: ({ prefix }) => <span className="mono">{prefix}…</span>,
    from: "sm",
  },
  { id: "status", header: "Status", cell: ({ status }) => <CredentialStatus status={status} /> },
  {
    id: "used",
    header: "Last used",
    cell: ({ lastUsedAt }) => <When at={lastUsedAt} />,
    from: "sm",
  },
  {
    id: "expires",
    header: "Expires",
    cell: ({ expiresAt }) => <When at={expiresAt} />,
    from: "sm",
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
    cell: (key) => <Revoke of={key} />,
  },
];

function Revoke({ of: { id, name, prefix, status, lastUsedAt } }: { of: OwnKey }) {
  const revoke = useRevokeKey();
  if (status !== "ACTIVE") return null;
  const label = name || `${prefix}…`;
  return (
    <Confirmed
      title={`Revoke ${label}?`}
      consequence={
        <Stack gap={8}>
          <span>
            From the next call on, whatever uses this key is refused with 401. That can't be undone;
            to let it in again, create a new key. Calls that are under way finish, and past usage
            stays.
          </span>
          <span>
            Last used: <When at={lastUsedAt} none="never" />
          </span>
        </Stack>
      }
      confirmLabel="Revoke key"
      onConfirm={async () => {
        await revoke.mutateAsync(id);
        notifySuccess(`${label} is revoked.`);
      }}
      trigger={(open) => (
        <Button
          size="compact-sm"
          variant="subtle"
          color="red"
          onClick={open}
          aria-label={`Revoke ${label}`}
        >
          Revoke
        </Button>
      )}
    />
  );
}
