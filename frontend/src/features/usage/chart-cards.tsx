import { SegmentedControl, Skeleton, VisuallyHidden } from "@mantine/core";
import { lazy, type ReactNode, Suspense, useState } from "react";
import { FileButton } from "@/components/file-button";
import { SectionCard } from "@/components/section-card";
import { seriesAddress } from "@/features/usage/exports";
import type { UsageReport, UsageScope } from "@/features/usage/queries";
import type { Range } from "@/features/usage/range";
import { formatUsd } from "@/lib/currency";
import { pointFormat } from "@/lib/dates";
import { formatCount } from "@/lib/numbers";
import { chartHeight } from "./chart-height";
import type { Activity } from "./charts";
import classes from "./usage.module.css";

const ActivityChart = lazy(async () => ({ default: (await import("./charts")).ActivityChart }));
const TokenChart = lazy(async () => ({ default: (await import("./charts")).TokenChart }));

interface Props {
  scope: UsageScope;
  report: UsageReport | undefined;
  range: Range;
  timeZone: string;
}

const activities = [
  { value: "requests", label: "Requests" },
  { value: "spend", label: "Spend" },
] satisfies { value: Activity; label: string }[];

export function ChartCards({ scope, report, range, timeZone }: Props) {
  const [activity, setActivity] = useState<Activity>("requests");
  const summary = report && summarize(report, range, timeZone);
  const shape = report && {
    series: report.series,
    before: report.previousSeries,
    interval: range.interval,
    timeZone,
  };
  return (
    <div className={classes.halves}>
      <SectionCard
        title="Activity trend"
        actions={
          <SegmentedControl
            size="xs"
            aria-label="What the activity trend shows"
            data={activities}
            value={activity}
            onChange={(value) => setActivity(value as Activity)}
          />
        }
      >
        <Figure summary={summary}>
          {shape && <ActivityChart {...shape} activity={activity} />}
        </Figure>
      </SectionCard>
      <SectionCard
        title="Token consumption"
        actions={<FileButton href={seriesAddress(scope, range)} small />}
      >
        <Figure summary={summary}>{shape && <TokenChart {...shape} />}</Figure>
      </SectionCard>
    </div>
  );
}

/** A chart for the eye, and its gist for everybody else. */
function Figure({ summary, children }: { summary: string | undefined; children: ReactNode }) {
  const blank = <Skeleton height={chartHeight} radius="md" />;
  if (!children) return blank;
  return (
    <figure style={{ margin: 0 }}>
      <VisuallyHidden component="figcaption">{summary}</VisuallyHidden>
      <Suspense fallback={blank}>{children}</Suspense>
    </figure>
  );
}

function summarize({ totals, series }: UsageReport, range: Range, timeZone: string): string {
  const used = `${formatCount(totals.requests)} requests, ${formatCount(totals.inputTokens)} input and ${formatCount(totals.outputTokens)} output tokens, ${formatUsd(totals.cost)}`;
  const busiest = series.reduce<UsageReport["series"][number] | undefined>(
    (most, point) => (most && most.totals.requests >= point.totals.requests ? most : point),
    undefined,
  );
  if (!busiest || busiest.totals.requests === 0) return `${used}.`;
  const peak = pointFormat(range.interval, timeZone)(busiest.start);
  return `${used}. Busiest: ${peak} with ${formatCount(busiest.totals.requests)} requests.`;
}
