import { screen, within } from "@testing-library/react";
import { expect, it } from "vitest";
import { renderApp } from "@/test/render";
import { stubServer } from "@/test/server";
import { mockSession } from "@/test/session";
import { mockReport, mockTotals } from "@/test/usage";

const slices = (label: string) => ({
  usage: { breakdown: [{ key: "k", label, totals: mockTotals({ requests: 7, cost: "9.1" }) }] },
});
const exhausted = {
  id: "user:u1",
  kind: "USER",
  subjectId: "u1",
  name: "Grace Hopper",
  uses: [
    { window: "DAY", cap: "10", spent: "10.5", resetsAt: "2099-11-25T00:00:00.000Z" },
    { window: "MONTH", cap: "99", spent: "10.5", resetsAt: "2099-12-01T00:00:00.000Z" },
  ],
};

const refusing = mockReport({ requests: 8, cost: "20" }, { requests: 4, cost: "10" });
refusing.usage.refusals = [
  { reason: "budget_exceeded", calls: 1500 },
  { reason: "invalid_api_key", calls: 500 },
];

function show(more: Parameters<typeof stubServer>[0] = {}) {
  const server = stubServer({
    UsageReport: refusing,
    UsageBreakdown: ({ by }: { by: string }) =>
      slices(by === "USER" ? "Grace <grace@example.com>" : "demo-smart"),
    OverviewAlerts: { budgetOwners: { totalCount: 7, edges: [{ node: exhausted }] } },
    OverviewRefusals: {
      auditEvents: {
        edges: [
          {
            node: {
              id: "e1",
              at: "2026-11-24T09:00:00.000Z",
              actorLabel: "Ada",
              action: "budget.set",
              targetLabel: "Compilers",
            },
          },
        ],
      },
      refusals: { totalCount: 3, edges: [{ node: { id: "e0", at: "2026-11-24T08:00:00.000Z" } }] },
    },
    OverviewHealth: {
      deployment: { version: "1", mailConfigured: true },
      jobs: [{ name: "usage.roll_up", failures: 2, error: "away" }],
      failedMail: { totalCount: 0 },
      failedPosts: { totalCount: 1 },
      providers: {
        edges: [{ node: { id: "p", enabled: true } }, { node: { id: "q", enabled: false } }],
      },
    },
    ...more,
  });
  return renderApp("/admin", { server, session: mockSession({ role: "ADMIN" }) });
}

it("shows figures against the time before, who used most, and what needs a look", async () => {
  show();
  expect(await screen.findByRole("region", { name: "Spend over time" })).toBeVisible();
  expect(await screen.findByRole("region", { name: "Spend" })).toHaveTextContent("+100 %");
  const users = await screen.findByRole("table", { name: "Top users" });
  expect(await within(users).findByRole("link", { name: "Grace" })).toHaveAttribute(
    "href",
    "/admin/users/k",
  );
  expect(
    await within(screen.getByRole("table", { name: "Top models" })).findByText("demo-smart"),
  ).toBeVisible();
  const blocked = await screen.findByRole("table", { name: "Budgets used up now" });
  expect(blocked).toHaveTextContent("$10.00");
  expect(blocked).not.toHaveTextContent("$99.00");
  expect(screen.getByText("And 6 others.")).toBeVisible();
  const refused = await screen.findByRole("table", { name: "Refused calls by reason" });
  expect(within(refused).getByRole("row", { name: "Budget used up 75% 1,500" })).toBeVisible();
  const file = within(screen.getByRole("region", { name: "Refused calls" })).getByRole("link");
  expect(file).toHaveAttribute("href", expect.stringContaining("/export/refusals.csv?from="));
  expect(file).toHaveAttribute("href", expect.stringContaining("everyone=true"));
  const changes = screen.getByRole("region", { name: "Recent changes" });
  expect(await within(changes).findByText("Compilers")).toBeVisible();
  expect(changes).toHaveTextContent("Set budget Compilers");
  expect(changes).toHaveTextContent("3 entries about refused keys");
  expect(changes).toHaveTextContent("each at most once an hour");
  expect(within(changes).getByRole("link", { name: "Live" })).toHaveAttribute(
    "href",
    "/admin/live",
  );
  const health = await screen.findByRole("region", { name: "Health" });
  expect(await within(health).findByText("1 on")).toBeVisible();
  expect(health).toHaveTextContent("1 job fail");
  expect(health).toHaveTextContent("1 delivery failed");
});

it("says so when no call was refused", async () => {
  show({ UsageReport: mockReport({}) });
  expect(await screen.findByText("No call was refused in these days.")).toBeVisible();
});

it("says so when nobody is out of budget", async () => {
  show({ OverviewAlerts: { budgetOwners: { totalCount: 0, edges: [] } } });
  expect(await screen.findByText("Nobody is out of budget.")).toBeVisible();
});
