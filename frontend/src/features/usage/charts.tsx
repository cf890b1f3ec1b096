import "@mantine/core/styles/ColorSwatch.css";
import "@mantine/charts/styles.css";
import { AreaChart, BarChart } from "@mantine/charts";
import type { UsageReport } from "@/features/usage/queries";
import type { Range } from "@/features/usage/range";
import { plotUsd } from "@/lib/currency";
import { formatPoint } from "@/lib/dates";
import { formatCompact, formatCount } from "@/lib/numbers";
import { chartHeight } from "./chart-height";

interface Props {
  series: UsageReport["series"];
  interval: Range["interval"];
  timeZone: string;
}

const shared = {
  h: chartHeight,
  dataKey: "point",
  withLegend: true,
  legendProps: { verticalAlign: "bottom", height: 32 },
  strokeDasharray: "3 4",
  gridAxis: "x",
  tickLine: "none",
  xAxisProps: { minTickGap: 28 },
} as const;

const still = { isAnimationActive: false } as const;
// The figure's caption says it in words; a focusable drawing beside it would only be in the way.
const drawing = { accessibilityLayer: false } as const;
const dollars = new Intl.NumberFormat("en-US", { style: "currency", currency: "USD" });

export type Activity = "requests" | "spend";

export function ActivityChart({ activity, ...props }: Props & { activity: Activity }) {
  if (activity === "spend") {
    return (
      <AreaChart
        {...shared}
        data={pointsOf(props, ({ cost }) => ({ Spend: plotUsd(cost) }))}
        series={[{ name: "Spend", color: "tide.6" }]}
        curveType="monotone"
        withDots={false}
        valueFormatter={(value) => dollars.format(value)}
        areaProps={still}
        areaChartProps={drawing}
      />
    );
  }
  return (
    <BarChart
      {...shared}
      type="stacked"
      data={pointsOf(props, ({ requests, errors }) => ({
        Answered: requests - errors,
        Failed: errors,
      }))}
      series={[
        { name: "Answered", color: "tide.6" },
        { name: "Failed", color: "red.6" },
      ]}
      valueFormatter={formatCount}
      barProps={{ ...still, maxBarSize: 28 }}
      barChartProps={drawing}
    />
  );
}

export function TokenChart(props: Props) {
  return (
    <BarChart
      {...shared}
      type="stacked"
      data={pointsOf(props, ({ inputTokens, cacheReadTokens, outputTokens }) => ({
        "Input, fresh": inputTokens - cacheReadTokens,
        "Input, cached": cacheReadTokens,
        Output: outputTokens,
      }))}
      series={[
        { name: "Input, fresh", color: "tide.7" },
        { name: "Input, cached", color: "tide.3" },
        { name: "Output", color: "indigo.5" },
      ]}
      valueFormatter={formatCompact}
      barProps={{ ...still, maxBarSize: 28 }}
      barChartProps={drawing}
    />
  );
}

function pointsOf(
  { series, interval, timeZone }: Props,
  values: (totals: Props["series"][number]["totals"]) => Record<string, number>,
) {
  return series.map(({ start, totals }) => ({
    point: formatPoint(start, interval, timeZone),
    ...values(totals),
  }));
}
