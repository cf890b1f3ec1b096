import { Skeleton, Stack, Text, VisuallyHidden } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense } from "react";
import { LoadFailure } from "@/components/loaded";
import { PageHeader } from "@/components/page-header";
import { RowsTable } from "@/components/rows-table";
import { SectionCard } from "@/components/section-card";
import type { Column } from "@/components/table-parts";
import { ActivityCard } from "@/features/overview/components/activity-card";
import { BlockedCard } from "@/features/overview/components/blocked-card";
import { HealthCard } from "@/features/overview/components/health-card";
import { More } from "@/features/overview/components/more";
import { useSession } from "@/features/session/queries";
import { chartHeight } from "@/features/usage/chart-height";
import { KpiCards } from "@/features/usage/kpi-cards";
import { Person } from "@/features/usage/person";
import { type UsageSlice, usageBreakdownQuery, usageReportQuery } from "@/features/usage/queries";
import { type Range, rangeOf } from "@/features/usage/range";
import { RefusalsCard } from "@/features/usage/refusals-card";
import type { UsageSearch } from "@/features/usage/search";
import classes from "@/features/usage/usage.module.css";
import { UsageRange } from "@/features/usage/usage-range";
import { formatCents, formatUsd } from "@/lib/currency";
import { formatCount } from "@/lib/numbers";
import { useTableState } from "@/lib/use-table-state";

const ActivityChart = lazy(async () => ({
  default: (await import("@/features/usage/charts")).ActivityChart,
}));

const everyone = { everyone: true } as const;
const shown = 5;

/** What an administrator wants to know first. */
export function OverviewPage() {
  const { timeZone } = useSession().deployment;
  const { state } = useTableState<UsageSearch>();
  const range = rangeOf(state, timeZone);
  const query = useQuery(usageReportQuery(everyone, range));
  const report = query.data;
  return (
    <Stack gap="lg">
      <PageHeader
        title="Overview"
        description="The whole installation at a glance."
        actions={<UsageRange />}
      />
      {report === undefined && query.isError ? (
        <LoadFailure error={query.error} onRetry={() => void query.refetch()} />
      ) : (
        <>
          <KpiCards report={report} range={range} />
          <SectionCard title="Spend over time" actions={<More to="/admin/usage">All usage</More>}>
            {report === undefined ? (
              <Skeleton height={chartHeight} radius="md" />
            ) : (
              <figure style={{ margin: 0 }}>
                <VisuallyHidden component="figcaption">
                  {formatUsd(report.totals.cost)} in these days, {formatUsd(report.previous.cost)}{" "}
                  in as many days before.
                </VisuallyHidden>
                <Suspense fallback={<Skeleton height={chartHeight} radius="md" />}>
                  <ActivityChart
                    activity="spend"
                    series={report.series}
                    before={report.previousSeries}
                    interval={range.interval}
                    timeZone={timeZone}
                  />
                </Suspense>
              </figure>
            )}
          </SectionCard>
        </>
      )}
      <div className={classes.halves}>
        <Top title="Top users" by="USER" range={range} />
        <Top title="Top models" by="MODEL" range={range} />
        <BlockedCard />
        <RefusalsCard scope={everyone} range={range} report={report} />
        <ActivityCard />
        <HealthCard />
      </div>
    </Stack>
  );
}

interface TopProps {
  title: string;
  by: "USER" | "MODEL";
  range: Range;
}

function Top({ title, by, range }: TopProps) {
  const query = useQuery(usageBreakdownQuery(everyone, range, by));
  const rows = query.data?.slice(0, shown).map((slice) => ({ ...slice, id: slice.key }));
  return (
    <SectionCard
      title={title}
      flush
      actions={
        <More to="/admin/usage" search={{ by }}>
          All
        </More>
      }
    >
      {query.data === undefined && query.isError ? (
        <LoadFailure error={query.error} onRetry={() => void query.refetch()} />
      ) : rows?.length === 0 ? (
        <Text size="sm" c="dimmed" ta="center" py="xl">
          Nothing was used in these days.
        </Text>
      ) : (
        <RowsTable
          label={title}
          columns={by === "USER" ? users : models}
          rows={rows}
          stale={query.isPlaceholderData}
        />
      )}
    </SectionCard>
  );
}

type Row = UsageSlice & { id: string };

const figures: Column<Row>[] = [
  {
    id: "requests",
    header: "Requests",
    numeric: true,
    from: "sm",
    cell: ({ totals }) => formatCount(totals.requests),
  },
  {
    id: "cost",
    header: "Spend",
    numeric: true,
    cell: ({ totals }) => <span title={`$${totals.cost}`}>{formatCents(totals.cost)}</span>,
  },
];
const users: Column<Row>[] = [
  { id: "who", header: "User", cell: ({ key, label }) => <Person id={key} label={label} /> },
  ...figures,
];
const models: Column<Row>[] = [
  {
    id: "model",
    header: "Model",
    cell: ({ label }) => <span className="mono">{label}</span>,
  },
  ...figures,
];
