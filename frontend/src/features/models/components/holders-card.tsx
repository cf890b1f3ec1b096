import { Button, Group, Text } from "@mantine/core";
import { IconUsersGroup } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type Column, DataTable } from "@/components/data-table";
import { EmptyState } from "@/components/empty-state";
import { SectionCard } from "@/components/section-card";
import { When } from "@/components/when";
import { type Holder, type Model, modelHoldersQuery } from "@/features/models/queries";
import { plural } from "@/lib/numbers";
import { totalOf } from "@/lib/pages";

const columns: Column<Holder>[] = [
  {
    id: "holder",
    header: "Granted to",
    cell: ({ user, group }) => group?.name ?? (user?.name || user?.email),
  },
  {
    id: "who",
    header: "Who that is",
    cell: ({ user, group }) => (
      <Text span size="sm" c="dimmed">
        {group ? `Group of ${plural(group.memberCount, "member")}` : user?.email}
      </Text>
    ),
  },
  {
    id: "since",
    header: "Since",
    cell: ({ createdAt }) => <When at={createdAt} />,
    from: "sm",
  },
];

export function HoldersCard({ model }: { model: Model }) {
  const query = useInfiniteQuery(modelHoldersQuery(model.id));
  const total = totalOf(query.data);
  return (
    <SectionCard
      title="Access"
      description="Who may call it. Grants are given and revoked on the page of a user or group."
      flush
    >
      <DataTable
        label="Who may call this model"
        columns={columns}
        query={query}
        flush
        rowLink={({ user, group }) =>
          group
            ? { to: "/admin/groups/$groupId", params: { groupId: group.id } }
            : { to: "/admin/users/$userId", params: { userId: user?.id ?? "" } }
        }
        {...(total === undefined ? {} : { total })}
        empty={
          <EmptyState
            icon={IconUsersGroup}
            title="Nobody may call it yet"
            action={
              <Group gap="xs" justify="center">
                <Button
                  variant="default"
                  renderRoot={(props) => <Link to="/admin/groups" {...props} />}
                >
                  Grant it to a group
                </Button>
                <Button
                  variant="default"
                  renderRoot={(props) => <Link to="/admin/users" {...props} />}
                >
                  Grant it to a user
                </Button>
              </Group>
            }
          >
            Every call is refused until {model.slug} is granted to somebody.
          </EmptyState>
        }
      />
    </SectionCard>
  );
}
