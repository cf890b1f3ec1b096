const locale = "en-US";
const hour = 3_600_000;

/** Seconds of each unit, and from which part of one it is named: 30 days less a moment are a month. */
const units: { unit: Intl.RelativeTimeFormatUnit; size: number; from: number }[] = [
  { unit: "year", size: 31_536_000, from: 0.97 },
  { unit: "month", size: 2_592_000, from: 0.97 },
  { unit: "week", size: 604_800, from: 0.97 },
  { unit: "day", size: 86_400, from: 1 },
  { unit: "hour", size: 3_600, from: 1 },
  { unit: "minute", size: 60, from: 1 },
];

const counted = new Intl.RelativeTimeFormat(locale, { numeric: "always" });
const named = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
const exact = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "long" });
const day = new Intl.DateTimeFormat(locale, { dateStyle: "medium" });

export function formatRelative(instant: string, now: number = Date.now()): string {
  const seconds = (new Date(instant).getTime() - now) / 1000;
  const fit = units.find(({ size, from }) => Math.abs(seconds) >= size * from);
  if (!fit) return seconds > 0 ? "in under a minute" : "just now";
  const { unit, size, from } = fit;
  // "Yesterday" reads well; "next month" for what is 30 days away would be wrong.
  if (unit === "day") return named.format(Math.trunc(seconds / size), unit);
  const count =
    from === 1
      ? Math.trunc(seconds / size)
      : Math.sign(seconds) * Math.floor(Math.abs(seconds) / size + 1 - from);
  return counted.format(count, unit);
}

export const formatExact = (instant: string): string => exact.format(new Date(instant));

export const formatDay = (instant: string): string => day.format(new Date(instant));

/** Today as YYYY-MM-DD in the deployment's time zone, which is the one that budgets and charts go by. */
export function todayIn(timeZone: string, now: Date = new Date()): string {
  return new Intl.DateTimeFormat("en-CA", {
    timeZone,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
  }).format(now);
}

export function addDays(date: string, days: number): string {
  const at = new Date(`${date}T00:00:00Z`);
  at.setUTCDate(at.getUTCDate() + days);
  return at.toISOString().slice(0, 10);
}

/** The instant at which a day begins in a time zone. */
export function startOfDay(date: string, timeZone: string): string {
  const wanted = Date.parse(`${date}T00:00:00Z`);
  const offset = (at: number): number => clockIn(timeZone, at) - at;
  // The offset of midnight itself, which on a day of change is another than that of midnight in UTC.
  return new Date(wanted - offset(wanted - offset(wanted))).toISOString();
}

/** What a clock in a time zone shows, read as if it were UTC. */
function clockIn(timeZone: string, at: number): number {
  const shown = new Intl.DateTimeFormat("sv-SE", {
    timeZone,
    dateStyle: "short",
    timeStyle: "medium",
  }).format(at);
  return Date.parse(`${shown.replace(" ", "T")}Z`);
}

export function daysBetween(from: string, to: string): number {
  return (Date.parse(`${to}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / 86_400_000;
}

export const isDate = (text: string): boolean =>
  /^\d{4}-\d{2}-\d{2}$/.test(text) &&
  !Number.isNaN(Date.parse(`${text}T00:00:00Z`)) &&
  addDays(text, 0) === text;

/**
 * Labels the points of a chart in the deployment's time zone. Where clocks go back, the same hour comes twice: both
 * times it has its offset with it.
 */
export function pointFormat(
  interval: "DAY" | "HOUR",
  timeZone: string,
  more: Intl.DateTimeFormatOptions = {},
): (instant: string) => string {
  const hourly = interval === "HOUR";
  const options: Intl.DateTimeFormatOptions = {
    timeZone,
    month: "short",
    day: "numeric",
    ...(hourly && { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }),
    ...more,
  };
  const plain = new Intl.DateTimeFormat(locale, options);
  return (instant) => {
    const at = Date.parse(instant);
    const label = plain.format(at);
    const twice = hourly && [-hour, hour].some((away) => plain.format(at + away) === label);
    return twice
      ? new Intl.DateTimeFormat(locale, { ...options, timeZoneName: "shortOffset" }).format(at)
      : label;
  };
}
