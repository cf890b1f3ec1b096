import { Badge, Text } from "@mantine/core";
import { IconBell } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { type Column, DataTable } from "@/components/data-table";
import { EmptyState } from "@/components/empty-state";
import { SectionCard } from "@/components/section-card";
import { When } from "@/components/when";
import { toldQuery } from "@/features/alerts/queries";
import { type Alert, capName, setterOf } from "@/features/alerts/words";
import { formatUsd } from "@/lib/currency";

/** Everything that was told of budgets, to whomever. */
export function ToldCard() {
  const query = useInfiniteQuery(toldQuery);
  return (
    <SectionCard title="All alerts" description="Newest first; kept for 400 days." flush>
      <DataTable
        label="All alerts"
        columns={toldColumns}
        query={query}
        pacing="asked"
        skeletonRows={3}
        flush
        empty={
          <EmptyState icon={IconBell} title="No alerts yet">
            An alert comes when spending reaches a threshold of a budget, such as 80 %.
          </EmptyState>
        }
      />
    </SectionCard>
  );
}

// Nobody is "you" in the list of all.
const nobody = "";

export const toldColumns: Column<Alert>[] = [
  {
    id: "what",
    header: "What",
    cell: (alert) => (
      <>
        {alert.threshold} % of {capName(alert, nobody)}
        <Text size="xs" c="dimmed">
          {formatUsd(alert.spent)} of {formatUsd(alert.cap)}, {setterOf(alert, nobody)}
        </Text>
      </>
    ),
  },
  {
    id: "effect",
    header: "Effect",
    cell: ({ blocks, resetsAt }) =>
      blocks && Date.parse(resetsAt) > Date.now() ? (
        <Badge color="red">Refused until reset</Badge>
      ) : (
        <Badge color={blocks ? "gray" : "yellow"}>{blocks ? "Was refused" : "Warning"}</Badge>
      ),
  },
  { id: "at", header: "When", from: "sm", cell: ({ at }) => <When at={at} /> },
];
