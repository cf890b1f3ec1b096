import { useForm } from "@mantine/form";
import { type CapField, eachCap, eachLimit, type LimitField } from "@/features/policy/words";
import type { BudgetInput, RateLimitInput } from "@/gql/graphql";
import { usdInput, usdProblem } from "@/lib/currency";
import { type Expiry, expiryProblem, noExpiry } from "@/lib/expiry";
import { countInput, countProblem } from "@/lib/numbers";

/** What of a key can be edited, as the server has it. */
export interface EditableKey {
  id: string;
  name: string;
  prefix: string;
  version: number;
  expiresAt?: string | null;
  models?: { id: string; slug: string }[] | null;
  rateLimit: Partial<Record<LimitField, number | null>>;
  budget: Partial<Record<CapField, string | null>> & { alertThresholds: number[] };
}

export interface KeyValues extends Record<LimitField | CapField, string>, Record<string, unknown> {
  name: string;
  expiresAt: Expiry;
  /** Whether the key may call whatever its owner may, also what is granted later. */
  allModels: boolean;
  modelIds: string[];
}

const longestName = 120;

export const newKey: KeyValues = {
  name: "",
  expiresAt: noExpiry,
  allModels: true,
  modelIds: [],
  ...eachLimit(() => ""),
  ...eachCap(() => ""),
};

export const valuesOf = (key: EditableKey): KeyValues => ({
  name: key.name,
  expiresAt: { choice: "keep", date: "" },
  allModels: key.models === null || key.models === undefined,
  modelIds: key.models?.map(({ id }) => id) ?? [],
  ...eachLimit((field) => key.rateLimit[field]?.toString() ?? ""),
  ...eachCap((field) => key.budget[field] ?? ""),
});

export const useKeyForm = (initialValues: KeyValues) =>
  useForm<KeyValues>({
    initialValues,
    validate: {
      name: (name) => (name.length > longestName ? `Use at most ${longestName} characters` : null),
      expiresAt: (expiry) => expiryProblem(expiry),
      modelIds: (ids, { allModels }) =>
        !allModels && ids.length === 0 ? "Choose at least one model" : null,
      ...eachLimit(() => countProblem),
      ...eachCap(() => usdProblem),
    },
  });

/** Nulls stand for whatever the owner may. */
export function narrowingInput(values: KeyValues, alertThresholds?: number[]) {
  const rateLimit: RateLimitInput = eachLimit((field) => countInput(values[field]));
  const caps = eachCap((field) => usdInput(values[field]));
  const budget: BudgetInput = { ...caps, ...(alertThresholds ? { alertThresholds } : {}) };
  const given = (it: object) => Object.values(it).some((value) => value !== null);
  return {
    modelIds: values.allModels ? null : values.modelIds,
    rateLimit: given(rateLimit) ? rateLimit : null,
    budget: given(caps) ? budget : null,
  };
}

export const isNarrowed = (values: KeyValues): boolean => {
  const { modelIds, rateLimit, budget } = narrowingInput(values);
  return modelIds !== null || rateLimit !== null || budget !== null;
};
