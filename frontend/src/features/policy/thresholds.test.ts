import { describe, expect, it } from "vitest";
import { thresholdsInput, thresholdsProblem } from "@/features/policy/thresholds";

describe("alert thresholds as typed", () => {
  it.each([
    ["80, 100", [80, 100]],
    ["100 80;80", [80, 100]],
    ["50%", [50]],
    ["", []],
  ])("reads %j", (text, expected) => {
    expect(thresholdsProblem(text)).toBeNull();
    expect(thresholdsInput(text)).toEqual(expected);
  });

  it.each(["0", "101", "eighty", "80.5", "-5"])("refuses %j", (text) => {
    expect(thresholdsProblem(text)).toContain(text);
  });

  it("refuses more than ten", () => {
    expect(thresholdsProblem("1 2 3 4 5 6 7 8 9 10 11")).toBe("Enter at most ten thresholds");
  });
});
