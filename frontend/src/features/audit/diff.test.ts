import { expect, it } from "vitest";
import { type Change, diffLines } from "@/features/audit/diff";

const lines = (action: string, ...changes: Change[]) =>
  diffLines(action, changes).map(({ label, before, after }) =>
    [label, before?.join("; "), after?.join("; ")].filter((part) => part !== undefined),
  );

it("tells limits and caps as the console shows them, with none and a block", () => {
  expect(lines("budget.set", { field: "daily", before: null, after: "2.5" })).toEqual([
    ["Daily cap", "No limit", "$2.50"],
  ]);
  expect(
    lines(
      "rate_limit.set",
      { field: "requests", before: 1200, after: 0 },
      { field: "input_tokens", before: 5, after: null },
    ),
  ).toEqual([
    ["Requests per minute", "1,200", "Blocked"],
    ["Input tokens per minute", "5", "No limit"],
  ]);
  expect(lines("budget.set", { field: "alert_thresholds", before: [80, 100], after: [] })).toEqual([
    ["Alerts at", "80%, 100%", "none"],
  ]);
});

it("tells what something new or gone was, without what it never had", () => {
  expect(
    lines(
      "api_key.create",
      { field: "name", before: null, after: "CI" },
      { field: "daily", before: null, after: null },
      { field: "models", before: null, after: ["a", "b"] },
    ),
  ).toEqual([
    ["Name", "CI"],
    ["Models", "a; b"],
  ]);
  expect(lines("group.delete", { field: "members", before: 2, after: null })).toEqual([
    ["Members", "2"],
  ]);
});

it("reads what a temporary value is worth by what it stands in for", () => {
  const override = (of: string, value: unknown) =>
    lines(
      "override.create",
      { field: "of", before: null, after: of },
      { field: "value", before: null, after: value },
    )[1];
  expect(override("week", "12.5")).toEqual(["Value", "$12.50"]);
  expect(override("requests", 1200)).toEqual(["Value", "1,200"]);
  expect(override("day", "unlimited")).toEqual(["Value", "No limit"]);
});

it("has a line for each price that differs, and none for the others", () => {
  expect(
    lines("provider_model.update", {
      field: "prices",
      before: { input: "3", output: "15", cache_write_5m: null },
      after: { input: "3", output: "12", cache_write_5m: "3.75" },
    }),
  ).toEqual([
    ["Output price", "$15.00 per million", "$12.00 per million"],
    ["Cache write price (5 min)", "none", "$3.75 per million"],
  ]);
});

it("puts backends, roles and a key's models into words", () => {
  expect(
    lines("model.update", {
      field: "backends",
      before: [],
      after: [{ model: "gpt-5", priority: 0, weight: 2 }],
    }),
  ).toEqual([["Backends", "none", "gpt-5 (priority 0, weight 2)"]]);
  expect(lines("user.update", { field: "role", before: "member", after: "admin" })).toEqual([
    ["Role", "Member", "Admin"],
  ]);
  expect(lines("api_key.update", { field: "models", before: ["a"], after: null })).toEqual([
    ["Models", "a", "all models"],
  ]);
});
