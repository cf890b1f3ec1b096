import { Group, NativeSelect, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { Column } from "@/components/data-table";
import { FileButton } from "@/components/file-button";
import { LoadFailure } from "@/components/loaded";
import { RowsTable } from "@/components/rows-table";
import { SectionCard } from "@/components/section-card";
import { breakdownAddress } from "@/features/usage/exports";
import { Person } from "@/features/usage/person";
import {
  mostSlices,
  type UsageScope,
  type UsageSlice,
  usageBreakdownQuery,
} from "@/features/usage/queries";
import { daysOf, type Range } from "@/features/usage/range";
import type { UsageDimension } from "@/gql/graphql";
import { formatCents, plotUsd } from "@/lib/currency";
import { formatCompact, formatCount, formatShare } from "@/lib/numbers";
import classes from "./usage.module.css";

const labels: Record<UsageDimension, string> = {
  USER: "User",
  GROUP: "Group",
  MODEL: "Model",
  PROVIDER: "Provider",
  KEY: "API key",
  CLIENT_APP: "Client app",
  PROJECT: "Project",
  SESSION: "Session",
};
// Of everybody there are too many sessions for the server to tell apart over a longer time.
const longestForSessions = 3;

interface Props {
  scope: UsageScope;
  range: Range;
  by: UsageDimension;
  onBy: (by: UsageDimension) => void;
}

export function BreakdownCard({ scope, range, by: wanted, onBy }: Props) {
  const ofMany = scope.everyone || scope.groupId !== undefined;
  const choices = Object.entries(labels)
    .filter(([value]) => (value !== "USER" && value !== "GROUP") || ofMany)
    .filter(([value]) => value !== "SESSION" || !ofMany || daysOf(range) <= longestForSessions)
    .map(([value, label]) => ({ value, label }));
  const by = choices.some(({ value }) => value === wanted) ? wanted : "MODEL";
  const query = useQuery(usageBreakdownQuery(scope, range, by));

  return (
    <SectionCard
      title="Breakdown"
      flush
      actions={
        <Group gap="xs">
          <NativeSelect
            size="xs"
            aria-label="Break usage down by"
            data={choices}
            value={by}
            onChange={(event) => onBy(event.currentTarget.value as UsageDimension)}
          />
          <FileButton href={breakdownAddress(scope, range, by)} small />
        </Group>
      }
    >
      {query.data === undefined && query.isError ? (
        <LoadFailure error={query.error} onRetry={() => void query.refetch()} />
      ) : (
        <Slices by={by} slices={query.data} stale={query.isPlaceholderData} />
      )}
    </SectionCard>
  );
}

interface SlicesProps {
  by: UsageDimension;
  slices: UsageSlice[] | undefined;
  stale: boolean;
}

function Slices({ by, slices, stale }: SlicesProps) {
  if (slices?.length === 0) {
    return (
      <Text size="sm" c="dimmed" ta="center" py="xl" px="lg">
        Nothing was used in these days.
      </Text>
    );
  }
  const whole = slices?.reduce((sum, { totals }) => sum + plotUsd(totals.cost), 0) ?? 0;
  return (
    <>
      <RowsTable
        label={`Usage by ${labels[by]}`}
        columns={columnsFor(by, whole)}
        rows={slices?.map((slice) => ({ id: slice.key || slice.label, ...slice }))}
        stale={stale}
      />
      {slices?.length === mostSlices ? (
        <Text size="xs" c="dimmed" px="lg" py="xs">
          The {mostSlices} with the highest spend.
        </Text>
      ) : null}
      {by === "GROUP" ? (
        <Text size="xs" c="dimmed" px="lg" py="xs">
          A call counts in each group that its user was in at the time, so groups can add up to more
          than the total.
        </Text>
      ) : null}
    </>
  );
}

const columnsFor = (by: UsageDimension, whole: number): Column<UsageSlice & { id: string }>[] => [
  {
    id: "name",
    header: labels[by],
    cell: ({ key, label }) => <SliceName by={by} id={key} label={label} />,
  },
  {
    id: "requests",
    header: "Requests",
    numeric: true,
    from: "sm",
    cell: ({ totals }) => formatCount(totals.requests),
  },
  {
    id: "input",
    header: "Input tokens",
    numeric: true,
    from: "md",
    cell: ({ totals: { inputTokens, cacheReadTokens } }) => (
      <span
        title={`${formatCount(inputTokens)}, of which ${formatCount(cacheReadTokens)} were cached`}
      >
        {formatCompact(inputTokens)}
      </span>
    ),
  },
  {
    id: "cached",
    header: "Cached",
    numeric: true,
    from: "md",
    cell: ({ totals }) => formatShare(totals.cacheReadTokens, totals.inputTokens),
  },
  {
    id: "output",
    header: "Output tokens",
    numeric: true,
    from: "md",
    cell: ({ totals }) => (
      <span title={formatCount(totals.outputTokens)}>{formatCompact(totals.outputTokens)}</span>
    ),
  },
  {
    id: "cost",
    header: "Spend",
    numeric: true,
    cell: ({ totals }) => (
      <span title={`$${totals.cost}`}>
        <Share part={plotUsd(totals.cost)} whole={whole} />
        {formatCents(totals.cost)}
      </span>
    ),
  },
];

interface SliceNameProps {
  by: UsageDimension;
  id: string;
  label: string;
}

const unnamed: Partial<Record<UsageDimension, string>> = {
  PROJECT: "No project named",
  GROUP: "In no group",
  SESSION: "No session named",
};

function SliceName({ by, id, label }: SliceNameProps) {
  if (id === "") {
    return (
      <Text span inherit c="dimmed">
        {unnamed[by] ?? "Not told"}
      </Text>
    );
  }
  if (by === "USER") return <Person id={id} label={label} />;
  return <span className={by === "MODEL" ? "mono" : undefined}>{label}</span>;
}

function Share({ part, whole }: { part: number; whole: number }) {
  const percent = whole === 0 ? 0 : (part / whole) * 100;
  return (
    <span className={classes.share} aria-hidden>
      <span style={{ width: `${percent}%` }} />
    </span>
  );
}
