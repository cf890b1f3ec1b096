import { Card, Group, SimpleGrid, Skeleton, Text } from "@mantine/core";
import type { ReactNode } from "react";
import type { UsageReport, UsageTotals } from "@/features/usage/queries";
import { daysOf, type Range } from "@/features/usage/range";
import { Sparkline } from "@/features/usage/sparkline";
import { formatUsd, plotUsd } from "@/lib/currency";
import { changePercent, formatCompact, formatCount, formatShare, plural } from "@/lib/numbers";
import classes from "./usage.module.css";

interface Kpi {
  label: string;
  of: (totals: UsageTotals) => number;
  show: (totals: UsageTotals) => string;
  /** The exact figure where the shown one is rounded. */
  exact?: (totals: UsageTotals) => string;
  aside: (totals: UsageTotals) => string;
}

const kpis: Kpi[] = [
  {
    label: "Spend",
    of: ({ cost }) => plotUsd(cost),
    show: ({ cost }) => formatUsd(cost),
    exact: ({ cost }) => `$${cost}`,
    aside: ({ cost, requests }) =>
      requests === 0 ? "No calls" : `${formatUsd(perCall(cost, requests))} a call`,
  },
  {
    label: "Requests",
    of: ({ requests }) => requests,
    show: ({ requests }) => formatCount(requests),
    aside: ({ errors, requests }) =>
      errors === 0
        ? "None failed"
        : `${formatCount(errors)} failed (${formatShare(errors, requests)})`,
  },
  {
    label: "Input tokens",
    of: ({ inputTokens }) => inputTokens,
    show: ({ inputTokens }) => formatCompact(inputTokens),
    exact: ({ inputTokens }) => formatCount(inputTokens),
    aside: ({ cacheReadTokens, inputTokens }) =>
      `${formatCompact(cacheReadTokens)} cached (${formatShare(cacheReadTokens, inputTokens)})`,
  },
  {
    label: "Output tokens",
    of: ({ outputTokens }) => outputTokens,
    show: ({ outputTokens }) => formatCompact(outputTokens),
    exact: ({ outputTokens }) => formatCount(outputTokens),
    aside: ({ outputTokens, requests }) =>
      requests === 0 ? "No calls" : `${formatCompact(outputTokens / requests)} a call`,
  },
];

const perCall = (cost: string, requests: number): string => (plotUsd(cost) / requests).toFixed(6);

interface Props {
  report: UsageReport | undefined;
  range: Range;
}

export function KpiCards({ report, range }: Props) {
  return (
    <SimpleGrid cols={{ base: 2, md: 4 }} spacing="md">
      {kpis.map((kpi) =>
        report === undefined ? (
          <KpiFrame
            key={kpi.label}
            label={kpi.label}
            value={<Skeleton height={22} width="60%" my={5} />}
            aside={<Skeleton height={10} width="75%" my={4} />}
            change={<Skeleton height={10} width="50%" my={4} />}
          />
        ) : (
          <KpiFrame
            key={kpi.label}
            label={kpi.label}
            value={<span title={kpi.exact?.(report.totals)}>{kpi.show(report.totals)}</span>}
            aside={kpi.aside(report.totals)}
            shape={<Sparkline values={report.series.map(({ totals }) => kpi.of(totals))} />}
            change={
              <Change
                now={kpi.of(report.totals)}
                before={kpi.of(report.previous)}
                shownBefore={kpi.show(report.previous)}
                days={daysOf(range)}
              />
            }
          />
        ),
      )}
    </SimpleGrid>
  );
}

interface FrameProps {
  label: string;
  value: ReactNode;
  shape?: ReactNode;
  aside: ReactNode;
  change: ReactNode;
}

function KpiFrame({ label, value, shape, aside, change }: FrameProps) {
  return (
    <Card padding="md" component="section" aria-label={label}>
      <Text size="sm" c="dimmed">
        {label}
      </Text>
      <Group justify="space-between" align="center" wrap="nowrap" gap="xs">
        <div className={classes.figure}>{value}</div>
        <span className={classes.spark}>{shape}</span>
      </Group>
      <Text size="xs" c="dimmed" component="div" truncate>
        {aside}
      </Text>
      <Text size="xs" c="dimmed" component="div" mt={6} truncate>
        {change}
      </Text>
    </Card>
  );
}

interface ChangeProps {
  now: number;
  before: number;
  shownBefore: string;
  days: number;
}

function Change({ now, before, shownBefore, days }: ChangeProps) {
  const percent = changePercent(now, before);
  const span = `the ${plural(days, "day")} before`;
  if (percent === null) {
    return <span title={`Nothing in ${span}`}>{now === 0 ? "–" : "Nothing before"}</span>;
  }
  const rounded = Math.round(percent);
  const sign = rounded > 0 ? "+" : rounded < 0 ? "−" : "±";
  return (
    <span title={`${shownBefore} in ${span}`}>
      <Text span inherit fw={600} c="var(--mantine-color-text)">
        {sign}
        {formatCount(Math.abs(rounded))} %
      </Text>{" "}
      on {span}
    </span>
  );
}
