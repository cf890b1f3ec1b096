import { expect, it } from "vitest";
import { chosenSpan, daysOf, rangeOf } from "@/features/usage/range";
import { usageSearch } from "@/features/usage/search";

const now = new Date("2026-11-24T23:30:00Z");

it("shows thirty days up to today in the deployment's zone unless asked otherwise", () => {
  expect(rangeOf({}, "UTC", now)).toEqual({
    from: "2026-10-26",
    to: "2026-11-24",
    interval: "DAY",
  });
  expect(rangeOf({ days: 7 }, "Asia/Tokyo", now)).toMatchObject({
    from: "2026-11-19",
    to: "2026-11-25",
  });
  expect(daysOf(rangeOf({ days: 90 }, "UTC", now))).toBe(90);
});

it("takes a custom range as it is, and shows one or two days by the hour", () => {
  const custom = { from: "2026-11-01", to: "2026-11-02" };
  expect(rangeOf(custom, "UTC", now)).toEqual({ ...custom, interval: "HOUR" });
  expect(chosenSpan(custom)).toBe("custom");
});

it("shows a day by day that is too long ago for hours to be kept", () => {
  const long = { from: "2026-09-01", to: "2026-09-02" };
  expect(rangeOf(long, "UTC", now)).toEqual({ ...long, interval: "DAY" });
});

it("falls back to the usual span for a range that is half, turned round or too long", () => {
  for (const bad of [
    { from: "2026-11-01" },
    { from: "2026-11-02", to: "2026-11-01" },
    { from: "2020-01-01", to: "2026-11-01" },
  ]) {
    expect(chosenSpan(bad)).toBe("30");
    expect(rangeOf(bad, "UTC", now).from).toBe("2026-10-26");
  }
});

it("ignores nonsense in the address instead of failing", () => {
  expect(usageSearch.parse({ days: 12, from: "2026-02-31", to: "soon", by: "COLOUR" })).toEqual({});
  expect(usageSearch.parse({ days: 7, by: "KEY" })).toEqual({ days: 7, by: "KEY" });
});
