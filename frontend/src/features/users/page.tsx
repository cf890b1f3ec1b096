import { Button, Stack } from "@mantine/core";
import { IconFileImport, IconUserPlus, IconUsers } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { lazy, Suspense, useState } from "react";
import { type Column, DataTable } from "@/components/data-table";
import { EmptyState } from "@/components/empty-state";
import { FileButton } from "@/components/file-button";
import { PageHeader } from "@/components/page-header";
import { When } from "@/components/when";
import { peopleAtOnce } from "@/features/users/bulk";
import { RoleBadge, StatusBadge } from "@/features/users/components/badges";
import { BulkBar } from "@/features/users/components/bulk-bar";
import { UserFilters } from "@/features/users/components/user-filters";
import { UserName } from "@/features/users/components/user-name";
import { type ListedUser, userListQuery, userName } from "@/features/users/queries";
import type { UserListSearch } from "@/features/users/search";
import type { UserSort } from "@/gql/graphql";
import { exportAddress } from "@/lib/export-address";
import { rowsOf, totalOf } from "@/lib/pages";
import { useTableState } from "@/lib/use-table-state";

const InviteDialog = lazy(() => import("@/features/users/components/invite-dialog"));
const ImportDialog = lazy(() => import("@/features/users/components/import-dialog"));

const columns: Column<ListedUser, UserSort>[] = [
  {
    id: "name",
    header: "Name",
    cell: (user) => <UserName user={user} />,
    sort: { asc: "NAME_ASC", desc: "NAME_DESC" },
  },
  {
    id: "role",
    header: "Role",
    cell: ({ role }) => <RoleBadge role={role} />,
    sort: { asc: "ROLE_ASC", desc: "ROLE_DESC" },
    from: "sm",
  },
  {
    id: "status",
    header: "Status",
    cell: ({ status }) => <StatusBadge status={status} />,
    sort: { asc: "STATUS_ASC", desc: "STATUS_DESC" },
  },
  {
    id: "lastActive",
    header: "Last active",
    cell: ({ lastActiveAt }) => <When at={lastActiveAt} />,
    sort: { asc: "LAST_ACTIVE_ASC", desc: "LAST_ACTIVE_DESC" },
    from: "md",
  },
  {
    id: "created",
    header: "Created",
    cell: ({ createdAt }) => <When at={createdAt} />,
    sort: { asc: "CREATED_ASC", desc: "CREATED_DESC" },
    from: "md",
  },
];

export function UsersPage() {
  const { state, set, clear, isFiltered } = useTableState<UserListSearch>();
  const query = useInfiniteQuery(userListQuery(state));
  const [inviting, setInviting] = useState(false);
  const [importing, setImporting] = useState(false);
  const [selected, setSelected] = useState<Set<string>>(new Set());
  const rows = rowsOf(query.data);
  // What a new search or filter takes out of sight is not acted upon.
  const chosen = rows.filter(({ id }) => selected.has(id));
  const total = totalOf(query.data);
  // Everybody who matches, also those who are not loaded; another search ends that.
  const [everybody, setEverybody] = useState<string | null>(null);
  const asked = JSON.stringify([state.q, state.role, state.status, state.group]);
  const matching = everybody === asked && total !== undefined;

  function select(ids: Set<string>): void {
    setSelected(ids);
    setEverybody(null);
  }

  const invite = (
    <Button leftSection={<IconUserPlus size={16} aria-hidden />} onClick={() => setInviting(true)}>
      Invite users
    </Button>
  );

  return (
    <Stack gap="lg">
      <PageHeader
        title="Users"
        description="Everybody who may sign in here or call models through the gateway."
        actions={
          <>
            <FileButton href={fileOf(state)}>Export CSV</FileButton>
            <Button
              variant="default"
              leftSection={<IconFileImport size={16} aria-hidden />}
              onClick={() => setImporting(true)}
            >
              Import CSV
            </Button>
            {invite}
          </>
        }
      />
      <Stack gap="sm">
        <UserFilters
          state={state}
          onChange={set}
          {...(isFiltered("q", "role", "status", "group") ? { onClear: clear } : {})}
        />
        <DataTable
          label="Users"
          columns={columns}
          query={query}
          sort={state.sort ?? "NAME_ASC"}
          onSort={(sort) => set({ sort })}
          rowLink={(user) => ({ to: "/admin/users/$userId", params: { userId: user.id } })}
          selection={{
            selected: new Set(chosen.map(({ id }) => id)),
            onChange: select,
            nameOf: (id) => {
              const user = rows.find((row) => row.id === id);
              return user ? userName(user) : "";
            },
          }}
          total={total}
          empty={
            isFiltered("q", "role", "status", "group") ? (
              <EmptyState
                icon={IconUsers}
                title="Nobody matches"
                action={
                  <Button variant="default" onClick={clear}>
                    Clear search and filters
                  </Button>
                }
              >
                No user has this in name or e-mail, or the filters leave nobody.
              </EmptyState>
            ) : (
              <EmptyState icon={IconUsers} title="No users yet" action={invite}>
                Invite people by e-mail; each gets a one-time link to set name and password.
              </EmptyState>
            )
          }
        />
      </Stack>
      <BulkBar
        selected={
          matching
            ? { kind: "matching", search: state, count: total }
            : { kind: "chosen", users: chosen }
        }
        everybody={
          !matching &&
          total !== undefined &&
          chosen.length === rows.length &&
          total > rows.length &&
          total <= peopleAtOnce
            ? { count: total, onSelect: () => setEverybody(asked) }
            : undefined
        }
        onDone={() => select(new Set())}
      />
      {importing ? (
        <Suspense>
          <ImportDialog onClose={() => setImporting(false)} />
        </Suspense>
      ) : null}
      {inviting ? (
        <Suspense>
          <InviteDialog onClose={() => setInviting(false)} />
        </Suspense>
      ) : null}
    </Stack>
  );
}

/** The list as it is searched, filtered and sorted now, whole. */
const fileOf = ({ q, role, status, group, sort }: UserListSearch): string =>
  exportAddress("users.csv", { search: q, role, status, groupId: group, sort });
