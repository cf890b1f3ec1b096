import type { Icon } from "@tabler/icons-react";
import type { InfiniteData, UseInfiniteQueryResult } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { type Column, DataTable } from "@/components/data-table";
import { EmptyState } from "@/components/empty-state";
import { SectionCard } from "@/components/section-card";
import { StatusSelect } from "@/components/status-select";
import type { Page } from "@/lib/pages";

interface Props<Row extends { id: string }, Status extends string> {
  title: string;
  description: string;
  /** Names the choice of a status, for screen readers. */
  narrowing: string;
  statuses: Record<Status, { label: string }>;
  columns: Column<Row>[];
  /** A hook that gives the rows of one status, or all of them. */
  useRows: (status: Status | null) => UseInfiniteQueryResult<InfiniteData<Page<Row>>>;
  icon: Icon;
  /** What it says when there are none of a status, and none at all. */
  none: [ofStatus: string, atAll: string];
  /** What will be there, while nothing is. */
  children: ReactNode;
}

/** What happened, newest first, as a card that can be narrowed to one status. */
export function LogCard<Row extends { id: string }, Status extends string>(
  props: Props<Row, Status>,
) {
  const { title, statuses, useRows } = props;
  const [status, setStatus] = useState<Status | null>(null);
  const query = useRows(status);
  return (
    <SectionCard
      title={title}
      description={props.description}
      flush
      actions={
        <StatusSelect
          label={props.narrowing}
          statuses={statuses}
          value={status}
          onChange={setStatus}
        />
      }
    >
      <DataTable
        label={title}
        columns={props.columns}
        query={query}
        pacing="asked"
        skeletonRows={3}
        flush
        empty={
          <EmptyState icon={props.icon} title={props.none[status === null ? 1 : 0]}>
            {props.children}
          </EmptyState>
        }
      />
    </SectionCard>
  );
}
