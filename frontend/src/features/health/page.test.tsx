import { screen, within } from "@testing-library/react";
import { expect, it } from "vitest";
import { renderApp } from "@/test/render";
import { stubServer } from "@/test/server";
import { mockSession } from "@/test/session";

const backend = (more: object = {}) => ({
  providerId: "acme",
  providerName: "Acme",
  providerModel: "large-1",
  serves: [{ id: "m1", slug: "team-large", alone: false }],
  state: "HEALTHY",
  restsUntil: null,
  inFlight: 2,
  answered: 1200,
  refused: 0,
  unreached: 0,
  brokeOff: 0,
  headMs: 412.4,
  lastFailure: null,
  lastFailureAt: null,
  ...more,
});

const show = (backendHealth: object[]) =>
  renderApp("/admin/health", {
    session: mockSession({ role: "ADMIN" }),
    server: stubServer({ BackendHealth: { backendHealth } }),
  });

it("says that all backends take calls, and how they answer", async () => {
  show([backend()]);
  const row = await screen.findByRole("row", { name: /Acme/ });
  expect(row).toHaveTextContent("Healthy");
  expect(row).toHaveTextContent("1,200");
  expect(row).toHaveTextContent("412 ms");
  expect(screen.getByText("All take calls")).toBeVisible();
  expect(screen.queryByRole("alert")).not.toBeInTheDocument();
});

it("names the models that no healthy backend is left for, and why", async () => {
  show([
    backend({
      state: "RESTING",
      restsUntil: "2099-01-01T00:00:00.000Z",
      serves: [
        { id: "m1", slug: "team-large", alone: true },
        { id: "m2", slug: "team-small", alone: false },
      ],
      answered: 6,
      refused: 1,
      unreached: 3,
      lastFailure: "connect: connection refused",
      lastFailureAt: "2026-11-24T00:00:00.000Z",
    }),
    backend({ providerId: "zeta", providerName: "Zeta" }),
  ]);
  const alert = await screen.findByRole("alert");
  expect(alert).toHaveTextContent("1 model has no healthy backend");
  expect(within(alert).getByRole("link", { name: "team-large" })).toHaveAttribute(
    "href",
    "/admin/models/m1",
  );
  expect(within(alert).queryByText("team-small")).not.toBeInTheDocument();
  const row = screen.getByRole("row", { name: /Acme/ });
  expect(row).toHaveTextContent("4 (40%)");
  expect(within(row).getByTitle("1 answered with 429 or 5xx, 3 not answered")).toBeVisible();
  expect(row).toHaveTextContent("connect: connection refused");
  expect(screen.getByText("1 of 2 resting")).toBeVisible();
});

it("explains an empty page", async () => {
  show([]);
  expect(await screen.findByText("No backend takes calls")).toBeVisible();
});
