import { Button, Stack, Text } from "@mantine/core";
import { IconPlus, IconUsersGroup } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { type Column, DataTable } from "@/components/data-table";
import { EmptyState } from "@/components/empty-state";
import { FormDialog } from "@/components/form-dialog";
import { PageHeader } from "@/components/page-header";
import { SearchInput } from "@/components/search-input";
import { When } from "@/components/when";
import { CreateGroupForm } from "@/features/groups/components/group-form";
import { groupListQuery, type ListedGroup } from "@/features/groups/queries";
import type { GroupListSearch } from "@/features/groups/search";
import { formatCount } from "@/lib/numbers";
import { totalOf } from "@/lib/pages";
import { useTableState } from "@/lib/use-table-state";

const columns: Column<ListedGroup>[] = [
  { id: "name", header: "Name", cell: ({ name }) => name },
  {
    id: "description",
    header: "Description",
    cell: ({ description }) => (
      <Text size="sm" c="dimmed" lineClamp={2}>
        {description}
      </Text>
    ),
    from: "sm",
  },
  {
    id: "members",
    header: "Members",
    cell: ({ memberCount }) => formatCount(memberCount),
    numeric: true,
  },
  {
    id: "created",
    header: "Created",
    cell: ({ createdAt }) => <When at={createdAt} />,
    from: "sm",
  },
];

export function GroupsPage() {
  const { state, set, clear } = useTableState<GroupListSearch>();
  const query = useInfiniteQuery(groupListQuery(state.q));
  const [creating, setCreating] = useState(false);

  const create = (
    <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setCreating(true)}>
      Create group
    </Button>
  );

  return (
    <Stack gap="lg">
      <PageHeader
        title="Groups"
        description="People who share grants, limits and budgets. Everybody may be in any number of them."
        actions={create}
      />
      <Stack gap="sm">
        <SearchInput
          label="Search by name or description"
          value={state.q ?? ""}
          onChange={(q) => set({ q: q || undefined })}
          maw={{ sm: 360 }}
        />
        <DataTable
          label="Groups"
          columns={columns}
          query={query}
          rowLink={(group) => ({ to: "/admin/groups/$groupId", params: { groupId: group.id } })}
          total={totalOf(query.data)}
          empty={
            state.q ? (
              <EmptyState
                icon={IconUsersGroup}
                title="No group matches"
                action={
                  <Button variant="default" onClick={clear}>
                    Clear search
                  </Button>
                }
              >
                No group has “{state.q}” in its name or description.
              </EmptyState>
            ) : (
              <EmptyState icon={IconUsersGroup} title="No groups yet" action={create}>
                A group gives many people the same models, limits and budgets in one place.
              </EmptyState>
            )
          }
        />
      </Stack>
      <FormDialog opened={creating} onClose={() => setCreating(false)} title="Create group">
        <CreateGroupForm onCancel={() => setCreating(false)} />
      </FormDialog>
    </Stack>
  );
}
