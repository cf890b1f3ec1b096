import { Anchor, Button, Group, NativeSelect, Stack, Text } from "@mantine/core";
import { IconKey } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { CredentialStatus } from "@/components/credential-status";
import { type Column, DataTable } from "@/components/data-table";
import { EmptyState } from "@/components/empty-state";
import { PageHeader } from "@/components/page-header";
import { SearchInput } from "@/components/search-input";
import { When } from "@/components/when";
import { allKeysQuery, type ListedKey } from "@/features/all-keys/queries";
import type { AllKeysSearch } from "@/features/all-keys/search";
import { KeyActions } from "@/features/keys/components/key-actions";
import { LastUsed } from "@/features/keys/components/last-used";
import { KeyNarrowing } from "@/features/policy/components/key-narrowing";
import { useSession } from "@/features/session/queries";
import { totalOf } from "@/lib/pages";
import { keys } from "@/lib/query-keys";
import { useTableState } from "@/lib/use-table-state";

const states = [
  { value: "", label: "Any status" },
  { value: "ACTIVE", label: "Active" },
  { value: "STALE", label: "Not used for 30 days" },
  { value: "EXPIRED", label: "Expired" },
  { value: "REVOKED", label: "Revoked" },
];

/** Everybody's keys, to find those that nobody uses and to stop one whose owner is not at hand. */
export function AllKeysPage() {
  const { state, set, clear, isFiltered } = useTableState<AllKeysSearch>();
  const query = useInfiniteQuery(allKeysQuery(state));
  const filtered = isFiltered("q", "state");
  return (
    <Stack gap="lg">
      <PageHeader
        title="All API keys"
        description="Everybody's keys, newest first. Nobody can see a secret again; you can narrow and revoke."
      />
      <Stack gap="sm">
        <Group gap="xs">
          <SearchInput
            label="Search by key or owner"
            value={state.q ?? ""}
            onChange={(q) => set({ q: q || undefined })}
            flex={{ base: "1 1 100%", sm: "0 1 360px" }}
          />
          <NativeSelect
            aria-label="Status"
            data={states}
            value={state.state ?? ""}
            onChange={({ currentTarget: { value } }) =>
              set({ state: (value || undefined) as AllKeysSearch["state"] })
            }
          />
          {filtered ? (
            <Button variant="subtle" color="gray" onClick={clear}>
              Clear
            </Button>
          ) : null}
        </Group>
        <DataTable
          label="All API keys"
          columns={columns}
          query={query}
          total={totalOf(query.data)}
          empty={
            <EmptyState
              icon={IconKey}
              title={filtered ? "No such keys" : "No keys yet"}
              {...(filtered
                ? {
                    action: (
                      <Button variant="default" onClick={clear}>
                        Clear search and filters
                      </Button>
                    ),
                  }
                : {})}
            >
              {filtered
                ? "No key or owner has this in its name, or the status leaves none."
                : "Everybody creates their own keys under API keys."}
            </EmptyState>
          }
        />
      </Stack>
    </Stack>
  );
}

const ownerName = ({ owner }: ListedKey): string => owner.name || owner.email;

const columns: Column<ListedKey>[] = [
  {
    id: "name",
    header: "Key",
    cell: (key) => (
      <>
        <Text fw={500} inherit style={{ overflowWrap: "anywhere" }}>
          {key.name || "Unnamed"}
        </Text>
        <Text size="xs" c="dimmed" className="mono">
          {key.prefix}…
        </Text>
        <Text size="xs" hiddenFrom="sm">
          <Owner of={key} />
        </Text>
        <KeyNarrowing {...key} models={key.models ?? null} />
      </>
    ),
  },
  { id: "owner", header: "Owner", cell: (key) => <Owner of={key} />, from: "sm" },
  { id: "status", header: "Status", cell: ({ status }) => <CredentialStatus status={status} /> },
  {
    id: "used",
    header: "Last used",
    cell: (key) => <LastUsed {...key} />,
    from: "sm",
  },
  {
    id: "ends",
    header: "Expires",
    cell: ({ revokedAt, expiresAt }) =>
      revokedAt ? (
        <>
          Revoked <When at={revokedAt} />
        </>
      ) : (
        <When at={expiresAt} />
      ),
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

function Owner({ of: key }: { of: ListedKey }) {
  return (
    <Anchor
      inherit
      c="inherit"
      title={key.owner.email}
      renderRoot={(props) => (
        <Link to="/admin/users/$userId" params={{ userId: key.owner.id }} {...props} />
      )}
    >
      {ownerName(key)}
    </Anchor>
  );
}

function Actions({ of: key }: { of: ListedKey }) {
  const { id } = useSession().viewer.user;
  return (
    <KeyActions
      apiKey={key}
      ownerId={key.owner.id}
      refresh={keys.apiKeys}
      isOwn={key.owner.id === id}
      consequence={`Calls with this key of ${ownerName(key)} are refused with 401 from the next one on. This can't be undone; ${ownerName(key)} can create a new key.`}
    />
  );
}
