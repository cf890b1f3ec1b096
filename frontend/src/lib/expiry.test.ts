import { expect, it } from "vitest";
import { expiryInstant, expiryProblem } from "@/lib/expiry";

const now = new Date("2026-11-24T12:00:00");

it("counts days from now, and a chosen day to its end where the reader is", () => {
  expect(expiryInstant({ choice: "never", date: "" }, now)).toBeNull();
  expect(expiryInstant({ choice: "7", date: "" }, now)).toBe(
    new Date("2026-12-01T12:00:00").toISOString(),
  );
  expect(expiryInstant({ choice: "date", date: "2026-11-30" }, now)).toBe(
    new Date("2026-12-01T00:00:00").toISOString(),
  );
});

it("wants a day after today where an own one was chosen", () => {
  expect(expiryProblem({ choice: "date", date: "" }, now)).toBe("Choose a day");
  expect(expiryProblem({ choice: "date", date: "2026-11-24" }, now)).toBe(
    "Choose a day after today",
  );
  expect(expiryProblem({ choice: "date", date: "2026-11-25" }, now)).toBeNull();
  expect(expiryProblem({ choice: "30", date: "" }, now)).toBeNull();
});
