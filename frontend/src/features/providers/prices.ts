import type { ProviderModel } from "@/features/providers/queries";
import { parseUsd, usdInput, usdProblem } from "@/lib/currency";

export type Prices = ProviderModel["prices"];
export type PriceClass = "input" | "cacheRead" | "cacheWrite5m" | "cacheWrite1h" | "output";

export const priceClasses: { id: PriceClass; label: string; short: string }[] = [
  { id: "input", label: "Input", short: "Input" },
  { id: "cacheRead", label: "Cache read", short: "Cache read" },
  { id: "cacheWrite5m", label: "Cache write, 5 minutes", short: "Write 5 min" },
  { id: "cacheWrite1h", label: "Cache write, 1 hour", short: "Write 1 h" },
  { id: "output", label: "Output", short: "Output" },
];

const cacheClasses = new Set<PriceClass>(["cacheRead", "cacheWrite5m", "cacheWrite1h"]);

/** The price that is charged for a class, and whether it is the input's for want of one of its own. */
export function chargedFor(
  prices: Prices,
  id: PriceClass,
): { price: string | null; asInput: boolean } {
  const own = prices[id] ?? null;
  if (own !== null || !cacheClasses.has(id)) return { price: own, asInput: false };
  const input = prices.input ?? null;
  return { price: input, asInput: input !== null };
}

export type PriceTexts = Record<PriceClass, string>;

export const priceInputs = (texts: PriceTexts) => ({
  input: usdInput(texts.input),
  cacheRead: usdInput(texts.cacheRead),
  cacheWrite5m: usdInput(texts.cacheWrite5m),
  cacheWrite1h: usdInput(texts.cacheWrite1h),
  output: usdInput(texts.output),
});

export const priceTexts = (prices?: Prices): PriceTexts => ({
  input: prices?.input ?? "",
  cacheRead: prices?.cacheRead ?? "",
  cacheWrite5m: prices?.cacheWrite5m ?? "",
  cacheWrite1h: prices?.cacheWrite1h ?? "",
  output: prices?.output ?? "",
});

/** What a form says to a typed price, by field. */
export const priceProblems = Object.fromEntries(
  priceClasses.map(({ id }) => [
    id,
    (text: string, { free }: { free: boolean }) => (free ? null : usdProblem(text)),
  ]),
);

/** Whether calls would be served at these prices; embeddings have no output to pay for. */
export function isPriced(texts: PriceTexts, kind: ProviderModel["kind"]): boolean {
  const known = (text: string) => parseUsd(text) !== null;
  return known(texts.input) && (kind === "EMBEDDING" || known(texts.output));
}
