import { Stack } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { later } from "@/components/later";
import { LoadFailure } from "@/components/loaded";
import { useSession } from "@/features/session/queries";
import { BreakdownCard } from "@/features/usage/breakdown-card";
import { ChartCards } from "@/features/usage/chart-cards";
import { KpiCards } from "@/features/usage/kpi-cards";
import { type UsageScope, usageReportQuery } from "@/features/usage/queries";
import { rangeOf } from "@/features/usage/range";
import type { UsageSearch } from "@/features/usage/search";
import { useTableState } from "@/lib/use-table-state";

// Below the fold: its code comes after the page's own.
const CallsCard = later(async () => (await import("@/features/usage/calls-card")).CallsCard);

const RefusalsCard = later(
  async () => (await import("@/features/usage/refusals-card")).RefusalsCard,
);

interface Props {
  scope: UsageScope;
  /** Stands between the figures and the charts. */
  between?: ReactNode;
  /** Takes the place of charts and tables when there never was a call in this span or the one before. */
  unused?: ReactNode;
}

/** Everything about what was used: figures, charts, breakdown, calls. The address holds the span. */
export function UsageView({ scope, between, unused }: Props) {
  const { timeZone } = useSession().deployment;
  const { state, set } = useTableState<UsageSearch>();
  const range = rangeOf(state, timeZone);
  const query = useQuery(usageReportQuery(scope, range));
  const report = query.data;
  const never = report !== undefined && report.totals.requests + report.previous.requests === 0;

  if (report === undefined && query.isError) {
    return <LoadFailure error={query.error} onRetry={() => void query.refetch()} />;
  }
  return (
    <Stack gap="lg">
      <KpiCards report={report} range={range} />
      {between}
      {never && unused ? (
        unused
      ) : (
        <>
          <ChartCards scope={scope} report={report} range={range} timeZone={timeZone} />
          <BreakdownCard
            scope={scope}
            range={range}
            by={state.by ?? (scope.everyone || scope.groupId !== undefined ? "USER" : "MODEL")}
            onBy={(by) => set({ by })}
          />
          {report?.refusals.length ? (
            <RefusalsCard scope={scope} range={range} report={report} />
          ) : null}
          {scope.groupId === undefined ? (
            <CallsCard scope={scope} range={range} timeZone={timeZone} />
          ) : null}
        </>
      )}
    </Stack>
  );
}
