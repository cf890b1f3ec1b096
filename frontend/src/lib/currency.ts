/**
 * US dollars travel as exact decimal strings. Arithmetic and comparison happen on whole nano-dollars; a
 * float appears only where a chart needs a height.
 */
export type Nanos = bigint;

const decimals = 9;
const perDollar = 10n ** BigInt(decimals);
const wireForm = /^(-?)(\d+)(?:\.(\d{1,9}))?$/;

export function parseUsd(text: string): Nanos | null {
  const match = wireForm.exec(text.trim());
  if (!match) return null;
  const [, sign, whole = "0", fraction = ""] = match;
  const nanos = BigInt(whole) * perDollar + BigInt(fraction.padEnd(decimals, "0"));
  return sign === "-" ? -nanos : nanos;
}

/** The shortest decimal string for an amount: "12.5", not "12.500000000". */
export function toUsd(nanos: Nanos): string {
  const sign = nanos < 0n ? "-" : "";
  const size = nanos < 0n ? -nanos : nanos;
  const fraction = (size % perDollar).toString().padStart(decimals, "0").replace(/0+$/, "");
  return `${sign}${size / perDollar}${fraction === "" ? "" : `.${fraction}`}`;
}

/** For the height of a bar or the width of a progress bar, never for a sum. */
export function plotUsd(text: string): number {
  return Number(text);
}

/** How much of a cap is used, in per cent; 100 for a cap of zero. */
export function percentOf(part: Nanos, whole: Nanos): number {
  if (whole <= 0n) return 100;
  return Number((part * 10_000n) / whole) / 100;
}

function fractionDigits(size: Nanos): number {
  if (size === 0n || size >= perDollar) return 2;
  if (size >= perDollar / 100n) return 4;
  return 6;
}

/** "$12.50"; small amounts keep the digits that make them more than zero. */
export function formatUsd(text: string): string {
  const nanos = parseUsd(text);
  if (nanos === null) return text;
  const size = nanos < 0n ? -nanos : nanos;
  if (size > 0n && size < 1000n) return "<$0.000001";
  const formatter = new Intl.NumberFormat("en-US", {
    style: "currency",
    currency: "USD",
    minimumFractionDigits: 2,
    maximumFractionDigits: fractionDigits(size),
  });
  return formatter.format(toUsd(nanos) as Intl.StringNumericLiteral);
}

/** For columns: always so many decimals, and never zero for what is more than that. */
function formatColumn(text: string, digits: 2 | 4): string {
  const nanos = parseUsd(text);
  if (nanos === null) return text;
  if (nanos > 0n && nanos * 2n * 10n ** BigInt(digits) < perDollar)
    return `<$${(10 ** -digits).toFixed(digits)}`;
  const formatter = new Intl.NumberFormat("en-US", {
    style: "currency",
    currency: "USD",
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  return formatter.format(toUsd(nanos) as Intl.StringNumericLiteral);
}

/** "$12.50", for columns of sums. */
export const formatCents = (text: string): string => formatColumn(text, 2);

/** "$0.0125", for columns of single calls. */
export const formatMills = (text: string): string => formatColumn(text, 4);

/** A cap as a person reads it: no cap, a block, or an amount. */
export function formatCap(cap: string | null | undefined): string {
  if (cap === null || cap === undefined) return "No limit";
  return parseUsd(cap) === 0n ? "Blocked" : formatUsd(cap);
}

/** A price per million tokens; unknown is not free. */
export function formatPrice(price: string | null | undefined): string {
  return price === null || price === undefined ? "–" : formatUsd(price);
}

const largestCap = parseUsd("1000000000") ?? 0n;

/** What is wrong with a typed amount, or null; an empty field is fine and means none. */
export function usdProblem(text: string): string | null {
  const trimmed = text.trim();
  if (trimmed === "") return null;
  const nanos = parseUsd(trimmed);
  if (nanos === null)
    return "Enter an amount in dollars, such as 12.50, with at most nine decimals";
  if (nanos < 0n) return "An amount can't be negative";
  if (nanos > largestCap) return "That is more than $1,000,000,000";
  return null;
}

/** The value to send for a typed amount: null for an empty field, else its exact shortest form. */
export function usdInput(text: string): string | null {
  const nanos = parseUsd(text);
  return nanos === null ? null : toUsd(nanos);
}
