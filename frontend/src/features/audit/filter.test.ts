import { expect, it } from "vitest";
import { exportAddress, filterOf } from "@/features/audit/filter";

it("takes days in the deployment's time zone, the last one included", () => {
  const { from, to } = filterOf({ from: "2026-10-24", to: "2026-10-25" }, "Europe/Berlin");
  // Clocks go back in the night to the 25th, so that these two days have 49 hours.
  expect([from, to]).toEqual(["2026-10-23T22:00:00.000Z", "2026-10-25T23:00:00.000Z"]);
});

it("asks for so many days up to now, and exports what is on screen", () => {
  const now = Date.parse("2026-11-24T12:00:31Z");
  const filter = filterOf({ days: 7, q: "a&b", kind: "user", id: "7" }, "UTC", now);
  expect(exportAddress(filter, "csv")).toBe(
    "/export/audit-log.csv?search=a%26b&targetKind=user&targetId=7&from=2026-11-17T12%3A00%3A00.000Z",
  );
  expect(exportAddress(filterOf({}, "UTC"), "json")).toBe("/export/audit-log.json");
});
