import { Text } from "@mantine/core";
import { FileButton } from "@/components/file-button";
import { RowsTable } from "@/components/rows-table";
import { SectionCard } from "@/components/section-card";
import type { Column } from "@/components/table-parts";
import { refusalsAddress } from "@/features/usage/exports";
import type { Refusal, UsageReport, UsageScope } from "@/features/usage/queries";
import type { Range } from "@/features/usage/range";
import { formatCount, formatShare } from "@/lib/numbers";
import { codeLabel } from "@/lib/refusals";

interface Props {
  scope: UsageScope;
  range: Range;
  /** Undefined while it loads. */
  report: UsageReport | undefined;
}

/** How many calls were refused, and why. */
export function RefusalsCard({ scope, range, report }: Props) {
  const all = report?.refusals.reduce((sum, { calls }) => sum + calls, 0) ?? 0;
  return (
    <SectionCard
      title="Refused calls"
      description="Calls that the gateway did not let through, by reason. They are not among the requests."
      flush
      actions={<FileButton href={refusalsAddress(scope, range)} small />}
    >
      {report?.refusals.length === 0 ? (
        <Text size="sm" c="dimmed" ta="center" py="xl" px="lg">
          No call was refused in these days.
        </Text>
      ) : (
        <>
          <RowsTable
            label="Refused calls by reason"
            columns={columnsFor(all)}
            rows={report?.refusals.map((refusal) => ({ id: refusal.reason, ...refusal }))}
          />
          {scope.everyone ? (
            <Text size="xs" c="dimmed" px="lg" py="xs">
              {formatCount(all)} in all, those with a key that nobody has among them.
            </Text>
          ) : null}
        </>
      )}
    </SectionCard>
  );
}

const columnsFor = (all: number): Column<Refusal & { id: string }>[] => [
  {
    id: "reason",
    header: "Reason",
    cell: ({ reason }) => <span title={reason}>{codeLabel(reason)}</span>,
  },
  {
    id: "share",
    header: "Share",
    numeric: true,
    from: "sm",
    cell: ({ calls }) => formatShare(calls, all),
  },
  { id: "calls", header: "Calls", numeric: true, cell: ({ calls }) => formatCount(calls) },
];
