import { expect, it } from "vitest";
import { breakdownAddress, callsAddress, seriesAddress } from "./exports";

const range = { from: "2026-10-20", to: "2026-10-26", interval: "DAY" } as const;

it("asks for the very days and the very people that the charts show", () => {
  expect(seriesAddress({ everyone: true }, range)).toBe(
    "/export/usage.csv?from=2026-10-20&to=2026-10-26&interval=DAY&everyone=true",
  );
  expect(seriesAddress({}, range)).toBe(
    "/export/usage.csv?from=2026-10-20&to=2026-10-26&interval=DAY",
  );
  expect(breakdownAddress({ groupId: "g 1" }, range, "CLIENT_APP")).toBe(
    "/export/usage-breakdown.csv?from=2026-10-20&to=2026-10-26&by=CLIENT_APP&groupId=g+1",
  );
});

it("asks for calls from midnight to midnight of the deployment's days, also when clocks change", () => {
  const asked = new URL(
    callsAddress({ userId: "u1" }, range, "Europe/Berlin", {
      model: "fast",
      key: "my laptop",
      provider: "Demo",
      status: 500,
    }),
    "https://gate.example.com",
  ).searchParams;
  expect(Object.fromEntries(asked)).toEqual({
    userId: "u1",
    from: "2026-10-19T22:00:00.000Z",
    to: "2026-10-26T23:00:00.000Z",
    model: "fast",
    key: "my laptop",
    provider: "Demo",
    status: "500",
  });
});
