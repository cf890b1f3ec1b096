import { Anchor, Badge, Text } from "@mantine/core";
import { useState } from "react";
import { RowsTable } from "@/components/rows-table";
import { SectionCard } from "@/components/section-card";
import type { Column } from "@/components/table-parts";
import { When } from "@/components/when";
import { Reason } from "@/features/policy/components/running-override";
import type { Raise } from "@/features/policy/queries";
import { dimensions, windows } from "@/features/policy/words";
import { formatCap } from "@/lib/currency";
import { splitLabel } from "@/lib/labels";
import { formatLimit } from "@/lib/numbers";

interface Props {
  /** Newest first. */
  raises: Raise[];
}

const atFirst = 5;

/** Limits and caps that were others for a while: who gave them, why, and from when to when. */
export function RaisesCard({ raises }: Props) {
  const [all, setAll] = useState(false);
  return (
    <SectionCard
      title="Temporary values"
      description="Limits and caps that were changed for a while; each has taken the place of what is set lastingly."
      flush
    >
      <RowsTable
        label="Temporary values"
        columns={columns}
        rows={all ? raises : raises.slice(0, atFirst)}
      />
      {raises.length <= atFirst ? null : (
        <Text size="xs" px="lg" py="sm">
          <Anchor component="button" type="button" inherit onClick={() => setAll(!all)}>
            {all ? "Show fewer" : `Show all ${raises.length}`}
          </Anchor>
        </Text>
      )}
    </SectionCard>
  );
}

const columns: Column<Raise>[] = [
  {
    id: "what",
    header: "What",
    cell: (raise) => (
      <>
        {labelOf(raise)}
        <Reason override={raise} />
      </>
    ),
  },
  {
    id: "value",
    header: "Value",
    numeric: true,
    cell: ({ dimension, limit, cap }) => (dimension ? formatLimit(limit) : formatCap(cap)),
  },
  { id: "from", header: "From", cell: ({ createdAt }) => <When at={createdAt} />, from: "sm" },
  {
    id: "to",
    header: "To",
    cell: ({ running, endsAt, endedAt, endedBy }) =>
      running ? (
        <Badge color="orange">
          Ends <When at={endsAt} />
        </Badge>
      ) : (
        <>
          <When at={endedAt ?? endsAt} />
          {endedBy ? (
            <Text size="xs" c="dimmed" component="div" title={endedBy}>
              Ended by {splitLabel(endedBy).name}
            </Text>
          ) : null}
        </>
      ),
  },
];

const labelOf = ({ dimension, window }: Raise): string =>
  dimensions.find((one) => one.dimension === dimension)?.label ??
  windows.find((one) => one.window === window)?.label ??
  "";
