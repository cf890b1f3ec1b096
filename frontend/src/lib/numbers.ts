const locale = "en-US";
const plain = new Intl.NumberFormat(locale);
const compact = new Intl.NumberFormat(locale, { notation: "compact", maximumFractionDigits: 1 });
const percent = new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 1 });

export const formatCount = (value: number): string => plain.format(value);

/** "1.2M", for figures where the size matters more than the last digit. */
export const formatCompact = (value: number): string => compact.format(value);

export const formatShare = (part: number, whole: number): string =>
  percent.format(whole === 0 ? 0 : part / whole);

/** A limit as a person reads it: none, a block, or a figure. */
export function formatLimit(limit: number | null | undefined): string {
  if (limit === null || limit === undefined) return "No limit";
  return limit === 0 ? "Blocked" : formatCount(limit);
}

/** The change against the previous period in per cent, or null where there is nothing to compare with. */
export function changePercent(now: number, before: number): number | null {
  return before === 0 ? null : ((now - before) / before) * 100;
}

export function formatDuration(milliseconds: number): string {
  return milliseconds < 1000
    ? `${Math.round(milliseconds)} ms`
    : `${(milliseconds / 1000).toFixed(milliseconds < 10_000 ? 2 : 1)} s`;
}

const largestLimit = 1_000_000_000;

/** What is wrong with a typed whole number, or null; an empty field is fine and means none. */
export function countProblem(text: string): string | null {
  const trimmed = text.trim();
  if (trimmed === "") return null;
  if (!/^\d+$/.test(trimmed)) return "Enter a whole number, zero or more";
  return Number(trimmed) > largestLimit ? "That is more than 1,000,000,000" : null;
}

export const countInput = (text: string): number | null =>
  text.trim() === "" ? null : Number(text.trim());

export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${formatCount(count)} ${count === 1 ? one : many}`;
