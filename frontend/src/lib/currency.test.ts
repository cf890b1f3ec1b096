import { expect, it } from "vitest";
import {
  formatCents,
  formatMills,
  formatUsd,
  parseUsd,
  percentOf,
  toUsd,
  usdProblem,
} from "@/lib/currency";

it("keeps every digit of an amount", () => {
  expect(parseUsd("123456789.123456789")).toBe(123456789123456789n);
  expect(toUsd(123456789123456789n)).toBe("123456789.123456789");
  expect(toUsd(12_500_000_000n)).toBe("12.5");
  expect(toUsd(-1n)).toBe("-0.000000001");
  for (const text of ["", "1.", ".5", "1e3", "NaN", "1,000", "0.1234567891"]) {
    expect(parseUsd(text)).toBeNull();
  }
});

it("shows small amounts as more than zero", () => {
  expect(formatUsd("0")).toBe("$0.00");
  expect(formatUsd("0.000000001")).toBe("<$0.000001");
  expect(formatUsd("0.0034")).toBe("$0.0034");
  expect(formatUsd("1234.5")).toBe("$1,234.50");
  expect(formatCents("0.004")).toBe("<$0.01");
  expect(formatCents("0.006")).toBe("$0.01");
  expect(formatMills("0.00004")).toBe("<$0.0001");
  expect(formatMills("0.0609")).toBe("$0.0609");
  expect(formatMills("0")).toBe("$0.0000");
});

it("takes a cap of zero for used up", () => {
  expect(percentOf(0n, 0n)).toBe(100);
  expect(percentOf(1n, 3n)).toBe(33.33);
});

it("refuses what is no amount, with the way out", () => {
  expect(usdProblem("")).toBeNull();
  expect(usdProblem("12.50")).toBeNull();
  expect(usdProblem("-1")).toMatch(/can't be negative/);
  expect(usdProblem("twelve")).toMatch(/such as 12.50/);
  expect(usdProblem("1000000001")).toMatch(/more than/);
});
