import type { EffectiveBudget, EffectiveLimit } from "@/features/policy/queries";
import { dimensions, windows } from "@/features/policy/words";
import type { CreateOverrideInput } from "@/gql/graphql";
import { formatCap, usdInput, usdProblem } from "@/lib/currency";
import { countInput, countProblem, formatLimit } from "@/lib/numbers";

/** The one limit or cap of a user that an override stands in for. */
export type OverrideTarget =
  | { kind: "limit"; dimension: EffectiveLimit["dimension"]; present: number | null }
  | { kind: "cap"; window: EffectiveBudget["window"]; present: string | null };

export interface OverrideValues extends Record<string, unknown> {
  value: string;
  unlimited: boolean;
  reason: string;
  span: string;
  endsAt: string;
}

export const spans = [
  { value: "1", label: "For one hour" },
  { value: "24", label: "For one day" },
  { value: "72", label: "For 3 days" },
  { value: "168", label: "For one week" },
  { value: "720", label: "For 30 days" },
  { value: "until", label: "Until a time of your choice" },
];

export const labelOf = (target: OverrideTarget): string =>
  target.kind === "limit"
    ? (dimensions.find(({ dimension }) => dimension === target.dimension)?.label ?? "")
    : (windows.find(({ window }) => window === target.window)?.label ?? "");

export const presentOf = (target: OverrideTarget): string =>
  target.kind === "limit" ? formatLimit(target.present) : formatCap(target.present);

export function valueProblem(target: OverrideTarget, values: OverrideValues): string | null {
  if (values.unlimited) return null;
  if (values.value.trim() === "") return "Enter a value, or choose no limit";
  return target.kind === "limit" ? countProblem(values.value) : usdProblem(values.value);
}

export function endProblem({ span, endsAt }: OverrideValues, now: number): string | null {
  if (span !== "until") return null;
  const at = new Date(endsAt).getTime();
  if (Number.isNaN(at)) return "Choose when it ends";
  return at <= now ? "Choose a time to come" : null;
}

export function overrideInput(
  userId: string,
  target: OverrideTarget,
  { value, unlimited, reason, span, endsAt }: OverrideValues,
  now: number,
): CreateOverrideInput {
  const end = span === "until" ? new Date(endsAt).getTime() : now + Number(span) * 3_600_000;
  const what =
    target.kind === "limit"
      ? { dimension: target.dimension, limit: unlimited ? null : countInput(value) }
      : { window: target.window, cap: unlimited ? null : usdInput(value) };
  return { userId, ...what, unlimited, reason, endsAt: new Date(end).toISOString() };
}
