import { Anchor, Button, Group } from "@mantine/core";
import { IconUserPlus, IconUsers } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { Confirmed } from "@/components/confirm-dialog";
import { type Column, DataTable } from "@/components/data-table";
import { EmptyState } from "@/components/empty-state";
import { SearchInput } from "@/components/search-input";
import { SectionCard } from "@/components/section-card";
import { When } from "@/components/when";
import { AddMembersDialog } from "@/features/groups/components/add-members-dialog";
import { useRemoveMember } from "@/features/groups/mutations";
import { type GroupDetail, type GroupMember, groupMembersQuery } from "@/features/groups/queries";
import { RoleBadge, StatusBadge } from "@/features/users/components/badges";
import { UserName } from "@/features/users/components/user-name";
import { userName } from "@/features/users/queries";
import { notifySuccess } from "@/lib/notify";

interface Props {
  group: GroupDetail;
}

export function MembersCard({ group }: Props) {
  const [search, setSearch] = useState("");
  const [adding, setAdding] = useState(false);
  const query = useInfiniteQuery(groupMembersQuery(group.id, search));
  const add = (
    <Button
      variant="default"
      leftSection={<IconUserPlus size={16} aria-hidden />}
      onClick={() => setAdding(true)}
    >
      Add members
    </Button>
  );
  const columns: Column<GroupMember>[] = [
    { id: "name", header: "Name", cell: (user) => <UserName user={user} /> },
    { id: "role", header: "Role", cell: ({ role }) => <RoleBadge role={role} />, from: "sm" },
    {
      id: "status",
      header: "Status",
      cell: ({ status }) => <StatusBadge status={status} />,
      from: "sm",
    },
    {
      id: "active",
      header: "Last active",
      cell: ({ lastActiveAt }) => <When at={lastActiveAt} />,
      from: "md",
    },
    {
      id: "actions",
      header: "Actions",
      cell: (user) => <RemoveButton group={group} user={user} />,
      bare: true,
      numeric: true,
    },
  ];
  return (
    <SectionCard
      title="Members"
      actions={
        group.memberCount === 0 ? undefined : (
          <Group gap="md">
            <Anchor
              size="sm"
              renderRoot={(props) => (
                <Link to="/admin/users" search={{ group: group.id }} {...props} />
              )}
            >
              Show in Users
            </Anchor>
            {add}
          </Group>
        )
      }
      flush
    >
      {group.memberCount > 10 || search !== "" ? (
        <Group px="lg" pb="sm">
          <SearchInput
            label="Search members by name or e-mail"
            value={search}
            onChange={setSearch}
            flex="1 1 240px"
            maw={{ sm: 360 }}
          />
        </Group>
      ) : null}
      <DataTable
        flush
        pacing="asked"
        label="Members"
        columns={columns}
        query={query}
        total={search === "" && query.hasNextPage ? group.memberCount : undefined}
        rowLink={(user) => ({ to: "/admin/users/$userId", params: { userId: user.id } })}
        empty={
          search ? (
            <EmptyState icon={IconUsers} title="No member matches">
              Nobody in this group has “{search}” in name or e-mail.
            </EmptyState>
          ) : (
            <EmptyState icon={IconUsers} title="No members yet" action={add}>
              Add people to give them this group's models, limits and budget.
            </EmptyState>
          )
        }
      />
      <AddMembersDialog group={group} opened={adding} onClose={() => setAdding(false)} />
    </SectionCard>
  );
}

function RemoveButton({ group, user }: { group: GroupDetail; user: GroupMember }) {
  const remove = useRemoveMember();
  const name = userName(user);
  return (
    <Confirmed
      title={`Remove ${name} from ${group.name}?`}
      consequence={`Grants, limits and caps of ${group.name} no longer apply to ${name} from the next call on. What is set elsewhere stays.`}
      confirmLabel="Remove"
      onConfirm={async () => {
        await remove.mutateAsync({ groupId: group.id, userId: user.id });
        notifySuccess(`${name} is no longer in ${group.name}.`);
      }}
      trigger={(open) => (
        <Button
          variant="subtle"
          color="gray"
          size="compact-sm"
          onClick={open}
          aria-label={`Remove ${name}`}
        >
          Remove
        </Button>
      )}
    />
  );
}
