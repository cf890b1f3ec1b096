import { expect, it } from "vitest";
import {
  addDays,
  daysBetween,
  formatRelative,
  isDate,
  pointFormat,
  startOfDay,
  todayIn,
} from "@/lib/dates";

const now = Date.parse("2026-11-24T12:00:00Z");
const after = (seconds: number): string =>
  formatRelative(new Date(now + seconds * 1000).toISOString(), now);
const day = 86_400;

it("names moments as people do", () => {
  expect(after(-20)).toBe("just now");
  expect(after(20)).toBe("in under a minute");
  expect(after(-60)).toBe("1 minute ago");
  expect(after(-23.9 * 3600)).toBe("23 hours ago");
  expect(after(-day)).toBe("yesterday");
  expect(after(-2.9 * day)).toBe("2 days ago");
});

it("calls what was set to 7, 30, 90 and 365 days a moment ago by its round name", () => {
  expect(after(7 * day - 5)).toBe("in 1 week");
  expect(after(30 * day - 5)).toBe("in 1 month");
  expect(after(90 * day - 5)).toBe("in 3 months");
  expect(after(365 * day - 5)).toBe("in 1 year");
  expect(after(80 * day)).toBe("in 2 months");
});

it("knows today in the deployment's zone and not in the reader's", () => {
  const late = new Date("2026-11-24T23:30:00Z");
  expect(todayIn("UTC", late)).toBe("2026-11-24");
  expect(todayIn("Asia/Tokyo", late)).toBe("2026-11-25");
  expect(todayIn("America/Los_Angeles", late)).toBe("2026-11-24");
});

it("counts days over months and leap years", () => {
  expect(addDays("2028-02-28", 1)).toBe("2028-02-29");
  expect(addDays("2026-01-01", -1)).toBe("2025-12-31");
  expect(daysBetween("2026-02-28", "2026-03-01")).toBe(1);
});

it("takes only whole calendar dates for dates", () => {
  expect(isDate("2026-11-24")).toBe(true);
  for (const text of ["2026-13-01", "2026-02-31", "2026-11-24T00:00", "24.11.2026", ""])
    expect(isDate(text)).toBe(false);
});

it("finds when a day begins in a time zone, on days of change too", () => {
  expect(startOfDay("2026-11-24", "UTC")).toBe("2026-11-24T00:00:00.000Z");
  expect(startOfDay("2026-03-29", "Europe/Berlin")).toBe("2026-03-28T23:00:00.000Z");
  expect(startOfDay("2026-03-30", "Europe/Berlin")).toBe("2026-03-29T22:00:00.000Z");
  expect(startOfDay("2026-11-24", "Asia/Kolkata")).toBe("2026-11-23T18:30:00.000Z");
  expect(startOfDay("2026-11-01", "America/New_York")).toBe("2026-11-01T04:00:00.000Z");
});

it("tells the two hours of the same name apart when clocks go back, and leaves all others as they are", () => {
  const berlin = pointFormat("HOUR", "Europe/Berlin");
  const from = (start: string, count: number) =>
    Array.from({ length: count }, (_, n) =>
      new Date(Date.parse(start) + n * 3_600_000).toISOString(),
    );
  expect(from("2026-10-24T23:00:00Z", 4).map(berlin)).toEqual([
    "Oct 25, 01:00",
    "Oct 25, 02:00 GMT+2",
    "Oct 25, 02:00 GMT+1",
    "Oct 25, 03:00",
  ]);
  expect(berlin("2026-10-25T01:40:00Z")).toBe("Oct 25, 02:40 GMT+1");
  expect(new Set(from("2026-10-24T22:00:00Z", 25).map(berlin)).size).toBe(25);
  expect(from("2026-03-29T00:00:00Z", 2).map(berlin)).toEqual(["Mar 29, 01:00", "Mar 29, 03:00"]);
  expect(
    from("2026-11-01T04:00:00Z", 3).map(
      pointFormat("HOUR", "America/New_York", { weekday: "short" }),
    ),
  ).toEqual(["Sun, Nov 1, 00:00", "Sun, Nov 1, 01:00 GMT-4", "Sun, Nov 1, 01:00 GMT-5"]);
  expect(pointFormat("DAY", "Europe/Berlin")("2026-10-25T01:00:00Z")).toBe("Oct 25");
});
