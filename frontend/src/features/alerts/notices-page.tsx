import { Badge, Button, SegmentedControl, Stack, Text } from "@mantine/core";
import { IconBell, IconChecks } from "@tabler/icons-react";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { DataTable } from "@/components/data-table";
import { EmptyState } from "@/components/empty-state";
import { PageHeader } from "@/components/page-header";
import type { Column } from "@/components/table-parts";
import { When } from "@/components/when";
import { type NoticeRow, noticesQuery, useMarkRead } from "@/features/alerts/queries";
import type { NoticesSearch } from "@/features/alerts/search";
import { unreadQuery } from "@/features/alerts/unread";
import { capName, setterOf } from "@/features/alerts/words";
import { useSession } from "@/features/session/queries";
import { formatUsd } from "@/lib/currency";
import { useTableState } from "@/lib/use-table-state";

const choices = [
  { value: "all", label: "All" },
  { value: "unread", label: "New" },
];

/** The alerts that a person got. */
export function NoticesPage() {
  const { id } = useSession().viewer.user;
  const { state, set } = useTableState<NoticesSearch>();
  const unread = state.show === "unread";
  const query = useInfiniteQuery(noticesQuery(unread));
  const count = useQuery(unreadQuery).data ?? 0;
  const mark = useMarkRead();
  return (
    <Stack gap="lg">
      <PageHeader
        title="Alerts"
        description="When a part of a budget is spent: yours, and what you look after."
        actions={
          <Button
            variant="default"
            leftSection={<IconChecks size={16} aria-hidden />}
            disabled={count === 0}
            loading={mark.isPending}
            onClick={() => mark.mutate(null)}
          >
            Mark all as read
          </Button>
        }
      />
      <SegmentedControl
        aria-label="Which alerts"
        data={choices}
        value={unread ? "unread" : "all"}
        onChange={(value) => set({ show: value === "unread" ? "unread" : undefined })}
        w="fit-content"
      />
      <DataTable
        label="Alerts"
        columns={columnsFor(id, (alertId) => mark.mutate([alertId]))}
        query={query}
        tall
        empty={
          <EmptyState icon={IconBell} title={unread ? "Nothing new" : "No alerts yet"}>
            An alert comes when spending reaches a threshold of a budget, such as 80 %.
          </EmptyState>
        }
      />
    </Stack>
  );
}

const columnsFor = (viewerId: string, onRead: (id: string) => void): Column<NoticeRow>[] => [
  {
    id: "what",
    header: "What",
    cell: ({ alert, readAt }) => (
      <>
        <Text inherit fw={readAt === null ? 600 : 400}>
          {alert.threshold} % of {capName(alert, viewerId)} is spent
        </Text>
        <Text size="xs" c="dimmed">
          {formatUsd(alert.spent)} of {formatUsd(alert.cap)}, {setterOf(alert, viewerId)} · resets{" "}
          <When at={alert.resetsAt} />
        </Text>
      </>
    ),
  },
  {
    id: "effect",
    header: "Effect",
    from: "sm",
    cell: ({ alert }) => (
      <Badge color={alert.blocks ? "red" : "yellow"}>
        {alert.blocks ? "Calls refused" : "Warning"}
      </Badge>
    ),
  },
  { id: "at", header: "When", from: "sm", cell: ({ alert }) => <When at={alert.at} /> },
  {
    id: "read",
    header: "Actions",
    bare: true,
    numeric: true,
    cell: ({ alert, readAt }) =>
      readAt === null ? (
        <Button
          size="compact-sm"
          variant="subtle"
          aria-label={`Mark as read: ${alert.threshold} % of ${capName(alert, viewerId)}`}
          onClick={() => onRead(alert.id)}
        >
          Mark as read
        </Button>
      ) : null,
  },
];
