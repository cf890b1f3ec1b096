import type { UsageReport } from "@/features/usage/queries";
import type { Range } from "@/features/usage/range";
import { pointFormat } from "@/lib/dates";

type Series = UsageReport["series"];
type Figures = (totals: Series[number]["totals"]) => Record<string, number>;

export interface Compared {
  series: Series;
  /** As many days just before; null where the server does not keep them so finely any more. */
  before: Series | null;
  interval: Range["interval"];
  timeZone: string;
}

/** One place on the horizontal axis: the figures drawn there by their names, and what stood there before. */
export interface ChartPoint {
  /** The axis' label. */
  point: string;
  /** In words, with the day of the week; absent where only the time before has a point. */
  at?: string;
  sum?: number;
  before?: number;
  beforeAt?: string;
  [figure: string]: string | number | undefined;
}

/**
 * The first point before under the first, and so on. A day on which clocks change is an hour longer or shorter, so
 * that either series may end sooner.
 */
export function pointsOf(
  { series, before, interval, timeZone }: Compared,
  figures: Figures,
): ChartPoint[] {
  const label = pointFormat(interval, timeZone);
  const named = pointFormat(interval, timeZone, { weekday: "short" });
  const length = Math.max(series.length, before?.length ?? 0);
  return Array.from({ length }, (_, index): ChartPoint => {
    const now = series[index];
    const then = before?.[index];
    const shown = now && figures(now.totals);
    return {
      point: now ? label(now.start) : "",
      ...(shown && { ...shown, at: named(now.start), sum: total(shown) }),
      ...(then && {
        before: total(figures(then.totals)),
        beforeAt: named(then.start),
      }),
    };
  });
}

const total = (figures: Record<string, number>): number =>
  Object.values(figures).reduce((sum, value) => sum + value, 0);

const flatBelow = 0.1;

/** Whether beside the time before there would be next to nothing left of the series, on one axis with it. */
export function isDwarfed(points: ChartPoint[]): boolean {
  const peak = Math.max(0, ...points.map(({ sum }) => sum ?? 0));
  const peakBefore = Math.max(0, ...points.map(({ before }) => before ?? 0));
  return peak > 0 && peak < flatBelow * peakBefore;
}
