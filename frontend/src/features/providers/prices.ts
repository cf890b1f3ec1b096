import type { ProviderModel } from "@/features/providers/queries";
import { parseUsd, usdInput, usdProblem } from "@/lib/currency";
import { countProblem } from "@/lib/numbers";

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
  prices: Omit<Prices, "longContext">,
  id: PriceClass,
): { price: string | null; asInput: boolean } {
  const own = prices[id] ?? null;
  if (own !== null || !cacheClasses.has(id)) return { price: own, asInput: false };
  const input = prices.input ?? null;
  return { price: input, asInput: input !== null };
}

/** Whether two lists charge every call the same. */
export function samePrices(one: Prices, other: Prices): boolean {
  const flat = (prices: Prices) =>
    [prices, ...prices.longContext].map((tier) => [
      "above" in tier ? tier.above : 0,
      ...priceClasses.map(({ id }) => chargedFor(tier, id).price),
    ]);
  return JSON.stringify(flat(one)) === JSON.stringify(flat(other));
}

type ClassTexts = Record<PriceClass, string>;
export type TierTexts = ClassTexts & { above: string };
export type PriceTexts = ClassTexts & { longContext: TierTexts[] };

const classInputs = (texts: ClassTexts) => ({
  input: usdInput(texts.input),
  cacheRead: usdInput(texts.cacheRead),
  cacheWrite5m: usdInput(texts.cacheWrite5m),
  cacheWrite1h: usdInput(texts.cacheWrite1h),
  output: usdInput(texts.output),
});

export const priceInputs = (texts: PriceTexts) => ({
  ...classInputs(texts),
  longContext: texts.longContext.map((tier) => ({
    above: Number(tier.above),
    ...classInputs(tier),
  })),
});

const classTexts = (prices?: Omit<Prices, "longContext">): ClassTexts => ({
  input: prices?.input ?? "",
  cacheRead: prices?.cacheRead ?? "",
  cacheWrite5m: prices?.cacheWrite5m ?? "",
  cacheWrite1h: prices?.cacheWrite1h ?? "",
  output: prices?.output ?? "",
});

export const priceTexts = (prices?: Prices): PriceTexts => ({
  ...classTexts(prices),
  longContext: (prices?.longContext ?? []).map((tier) => ({
    ...classTexts(tier),
    above: String(tier.above),
  })),
});

export const emptyTier: TierTexts = { ...classTexts(), above: "" };

const classProblems = Object.fromEntries(
  priceClasses.map(({ id }) => [
    id,
    (text: string, { free }: { free: boolean }) => (free ? null : usdProblem(text)),
  ]),
);

/** What a form says to a typed price, by field. */
export const priceProblems = {
  ...classProblems,
  longContext: {
    ...classProblems,
    above: (text: string, { free }: { free: boolean }) => {
      if (free) return null;
      return /^0*$/.test(text.trim()) ? "Say above how many tokens" : countProblem(text);
    },
  },
};

/** Tiers as one line, for people who compare two states. */
export const tiersText = (tiers: TierTexts[]): string =>
  tiers
    .map(
      (tier) => `above ${tier.above}: ${priceClasses.map(({ id }) => tier[id] || "–").join(" / ")}`,
    )
    .join("; ") || "none";

/** Whether calls would be served at these prices; embeddings have no output to pay for. */
export function isPriced(texts: ClassTexts, kind: ProviderModel["kind"]): boolean {
  const known = (text: string) => parseUsd(text) !== null;
  return known(texts.input) && (kind === "EMBEDDING" || known(texts.output));
}
