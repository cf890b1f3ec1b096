import "@mantine/charts/styles.css";
import { AreaChart, ChartTooltip, CompositeChart } from "@mantine/charts";
import { UnstyledButton } from "@mantine/core";
import { useState } from "react";
import { formatUsd, plotUsd } from "@/lib/currency";
import { formatCompact, formatCount } from "@/lib/numbers";
import { chartHeight } from "./chart-height";
import { type ChartPoint, type Compared, isDwarfed, pointsOf } from "./chart-points";
import classes from "./charts.module.css";

interface Figure {
  name: string;
  color: string;
}

interface Drawing {
  shape: "area" | "bars";
  /** Everything in the drawing together, which is what the time before is drawn of. */
  whole: string;
  figures: Figure[];
  points: ChartPoint[];
  format: (value: number) => string;
  /** For the axis beside it, which has room for seven characters. */
  onAxis: (value: number) => string;
}

const still = { isAnimationActive: false } as const;
// The figure's caption says it in words; a focusable drawing beside it would only be in the way.
const drawing = { accessibilityLayer: false } as const;
const legendHeight = 32;
const shared = {
  h: chartHeight - legendHeight,
  dataKey: "point",
  strokeDasharray: "3 4",
  gridAxis: "x",
  tickLine: "none",
  xAxisProps: { minTickGap: 28 },
  curveType: "monotone",
  withDots: false,
  "aria-hidden": true,
} as const;
const before = {
  name: "before",
  color: "var(--mantine-color-dimmed)",
  type: "line",
  strokeDasharray: "5 4",
} as const;
const thin = { ...still, strokeWidth: 1.5 } as const;
// Where little is spent, cents would make every tick of the axis zero.
const dollars = (value: number): string => formatUsd(value.toFixed(9));
const short = { notation: "compact", maximumFractionDigits: 2 } as const;
const shortCount = new Intl.NumberFormat("en-US", short);
const shortDollars = new Intl.NumberFormat("en-US", {
  ...short,
  minimumFractionDigits: 0,
  style: "currency",
  currency: "USD",
});
const countsOnAxis = (value: number): string =>
  value < 10_000 ? formatCount(value) : shortCount.format(value);
const dollarsOnAxis = (value: number): string =>
  value < 100 ? dollars(value) : shortDollars.format(value);
const colorOf = (shade: string) => `var(--mantine-color-${shade})`;

const parts = {
  spend: [{ name: "Spend", color: colorOf("tide-6") }],
  requests: [
    { name: "Answered", color: colorOf("tide-6") },
    { name: "Failed", color: colorOf("red-6") },
  ],
  tokens: [
    { name: "Input, fresh", color: colorOf("tide-7") },
    { name: "Input, cached", color: colorOf("tide-3") },
    { name: "Output", color: colorOf("indigo-5") },
  ],
};

export type Activity = "requests" | "spend";

export function ActivityChart({ activity, ...compared }: Compared & { activity: Activity }) {
  return activity === "spend" ? (
    <Chart
      shape="area"
      whole="Spend"
      figures={parts.spend}
      points={pointsOf(compared, ({ cost }) => ({ Spend: plotUsd(cost) }))}
      format={dollars}
      onAxis={dollarsOnAxis}
    />
  ) : (
    <Chart
      shape="bars"
      whole="Requests"
      figures={parts.requests}
      points={pointsOf(compared, ({ requests, errors }) => ({
        Answered: requests - errors,
        Failed: errors,
      }))}
      format={formatCount}
      onAxis={countsOnAxis}
    />
  );
}

export function TokenChart(compared: Compared) {
  return (
    <Chart
      shape="bars"
      whole="Tokens"
      figures={parts.tokens}
      points={pointsOf(compared, ({ inputTokens, cacheReadTokens, outputTokens }) => ({
        "Input, fresh": inputTokens - cacheReadTokens,
        "Input, cached": cacheReadTokens,
        Output: outputTokens,
      }))}
      format={formatCompact}
      onAxis={countsOnAxis}
    />
  );
}

/** On one axis with the time before, which is left out at first where little could be read off then. */
function Chart({ shape, whole, figures, points, format, onAxis }: Drawing) {
  const [chosen, choose] = useState<boolean>();
  const [pointed, point] = useState<string>();
  const comparable = points.some((point) => point.before !== undefined);
  const withBefore = comparable && (chosen ?? !isDwarfed(points));
  const plain = {
    ...shared,
    data: points,
    valueFormatter: format,
    yAxisProps: { tickFormatter: onAxis, width: axisWidth(points) },
    tooltipProps: {
      content: ({ payload }: { payload?: readonly { payload?: ChartPoint }[] }) => (
        <Tip payload={payload} format={format} />
      ),
    },
  };
  return (
    <>
      {shape === "area" ? (
        <AreaChart
          {...plain}
          series={withBefore ? [...figures, before] : figures}
          areaProps={({ name }) => ({
            ...(name === before.name ? { ...thin, fillOpacity: 0 } : still),
            ...standing(name, pointed),
          })}
          areaChartProps={drawing}
        />
      ) : (
        <CompositeChart
          {...plain}
          series={[
            ...figures.map((figure) => ({ ...figure, type: "bar" as const })),
            ...(withBefore ? [before] : []),
          ]}
          barProps={({ name }) => ({
            ...still,
            stackId: "now",
            maxBarSize: 28,
            ...standing(name, pointed),
          })}
          lineProps={({ name }) => ({ ...thin, ...standing(name, pointed) })}
          composedChartProps={drawing}
        />
      )}
      <div className={classes.legend}>
        {figures.map(({ name, color }) => (
          <span
            key={name}
            className={classes.entry}
            aria-hidden
            onPointerEnter={() => point(name)}
            onPointerLeave={() => point(undefined)}
          >
            <span className={classes.swatch} style={{ background: color }} />
            {name}
          </span>
        ))}
        {comparable ? (
          <UnstyledButton
            className={`${classes.entry} ${classes.switch}`}
            aria-pressed={withBefore}
            onPointerEnter={() => point(before.name)}
            onPointerLeave={() => point(undefined)}
            onClick={() => choose(!withBefore)}
          >
            <span className={classes.dashes} aria-hidden />
            {whole} before
          </UnstyledButton>
        ) : null}
      </div>
    </>
  );
}

/** Parts of a dollar have more digits than anything else. */
const axisWidth = (points: ChartPoint[]): number =>
  points.every(({ sum = 0, before = 0 }) => sum < 1 && before < 1) ? 80 : 60;

/** While an entry of the legend is pointed at, all but what it stands for steps back. */
const standing = (name: string, pointed: string | undefined) => ({
  opacity: pointed === undefined || pointed === name ? 1 : 0.25,
});

interface TipProps {
  payload: readonly { payload?: ChartPoint }[] | undefined;
  format: (value: number) => string;
}

/** "Tue, Nov 24: $3.20; before: Tue, Nov 17: $2.90", line by line. */
function Tip({ payload, format }: TipProps) {
  const at = payload?.[0]?.payload;
  if (!at) return null;
  return (
    <ChartTooltip
      label={at.at}
      payload={payload}
      series={[{ name: before.name, label: `before: ${at.beforeAt}` }]}
      valueFormatter={format}
    />
  );
}
