import type { BudgetWindow, LimitDimension } from "@/gql/graphql";

export const dimensions = [
  {
    dimension: "REQUESTS",
    field: "requestsPerMinute",
    label: "Requests per minute",
    unit: "in the last minute",
  },
  {
    dimension: "INPUT_TOKENS",
    field: "inputTokensPerMinute",
    label: "Input tokens per minute",
    unit: "in the last minute",
  },
  {
    dimension: "OUTPUT_TOKENS",
    field: "outputTokensPerMinute",
    label: "Output tokens per minute",
    unit: "in the last minute",
  },
  {
    dimension: "CONCURRENT_REQUESTS",
    field: "concurrentRequests",
    label: "Concurrent requests",
    unit: "in flight",
  },
] as const satisfies readonly {
  dimension: LimitDimension;
  field: string;
  label: string;
  unit: string;
}[];

export const windows = [
  { window: "DAY", field: "daily", label: "Daily cap", span: "today" },
  { window: "WEEK", field: "weekly", label: "Weekly cap", span: "this week" },
  { window: "MONTH", field: "monthly", label: "Monthly cap", span: "this month" },
] as const satisfies readonly {
  window: BudgetWindow;
  field: string;
  label: string;
  span: string;
}[];

export type LimitField = (typeof dimensions)[number]["field"];
export type CapField = (typeof windows)[number]["field"];

/** The steps of admission under the names that the API gives them, in the order in which they are taken. */
export const admissionSteps = [
  ["account", "Account"],
  ["model", "Model"],
  ["grant", "Grant"],
  ["rate_limits", "Rate limits"],
  ["budgets", "Budgets"],
  ["backend", "Backend"],
] as const;

export const eachLimit = <T>(make: (field: LimitField) => T): Record<LimitField, T> =>
  Object.fromEntries(dimensions.map(({ field }) => [field, make(field)])) as Record<LimitField, T>;

export const eachCap = <T>(make: (field: CapField) => T): Record<CapField, T> =>
  Object.fromEntries(windows.map(({ field }) => [field, make(field)])) as Record<CapField, T>;
