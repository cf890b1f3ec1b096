import { screen, waitFor, within } from "@testing-library/react";
import { expect, it } from "vitest";
import type { Call } from "@/features/usage/queries";
import { renderApp } from "@/test/render";
import { refuse, type StubServer, stubServer } from "@/test/server";
import { mockReport, mockTotals } from "@/test/usage";

const noCalls = { calls: { edges: [], pageInfo: { hasNextPage: false, endCursor: null } } };
const nothingSet = { effectivePolicy: { limits: [], budgets: [], pools: [] } };
const busy = mockReport(
  {
    requests: 1200,
    errors: 3,
    cost: "12.5",
    inputTokens: 4_000_000,
    cacheReadTokens: 3_000_000,
    outputTokens: 90_000,
  },
  { requests: 1000, cost: "10", inputTokens: 8_000_000, outputTokens: 90_000 },
);

function dashboardServer(more: Parameters<typeof stubServer>[0] = {}): StubServer {
  return stubServer({
    UsageReport: busy,
    UsageBreakdown: {
      usage: {
        breakdown: [
          {
            key: "demo-smart",
            label: "demo-smart",
            totals: mockTotals({ requests: 7, cost: "9.1" }),
          },
        ],
      },
    },
    Calls: noCalls,
    Allowance: nothingSet,
    ...more,
  });
}

const figure = (name: string) => screen.findByRole("region", { name });

it("shows each figure with its share and its change on the time before", async () => {
  renderApp("/", { server: dashboardServer() });
  await screen.findByText("$12.50");
  expect(await figure("Spend")).toHaveTextContent("+25 % on the 30 days before");
  expect(await figure("Requests")).toHaveTextContent("1,200");
  expect(await figure("Requests")).toHaveTextContent("3 failed (0.3%)");
  expect(await figure("Input tokens")).toHaveTextContent("4M");
  expect(await figure("Input tokens")).toHaveTextContent("3M cached (75%)");
  expect(await figure("Input tokens")).toHaveTextContent("−50 %");
  expect(await figure("Output tokens")).toHaveTextContent("±0 %");
});

it("keeps the span in the address and asks for just those days", async () => {
  const { user, path, server } = renderApp("/", { server: dashboardServer() });
  await user.click(await screen.findByRole("radio", { name: "7 days" }));
  await waitFor(() => expect(path()).toBe("/?days=7"));
  await waitFor(() => {
    const { from, to } = server.lastOf("UsageReport");
    expect((Date.parse(to) - Date.parse(from)) / 86_400_000).toBe(6);
  });
});

it("asks for one's own usage only, and offers no breakdown by user", async () => {
  const { server } = renderApp("/", { server: dashboardServer() });
  await screen.findByText("demo-smart");
  expect(server.lastOf("UsageReport")).toMatchObject({
    everyone: false,
    userId: null,
    groupId: null,
  });
  expect(screen.queryByRole("option", { name: "User" })).not.toBeInTheDocument();
});

it("breaks down by what is chosen, also after a reload", async () => {
  const server = dashboardServer();
  const { user, path } = renderApp("/", { server });
  await user.selectOptions(await screen.findByLabelText("Break usage down by"), "Client app");
  await waitFor(() => expect(server.lastOf("UsageBreakdown").by).toBe("CLIENT_APP"));
  expect(path()).toBe("/?by=CLIENT_APP");
});

it("leads people who never sent anything to a key and to the set-up", async () => {
  renderApp("/", { server: dashboardServer({ UsageReport: mockReport({}) }) });
  expect(await screen.findByText("Nothing was sent yet")).toBeVisible();
  expect(screen.getByRole("link", { name: "Create an API key" })).toHaveAttribute(
    "href",
    "/api-keys",
  );
  expect(screen.getByRole("link", { name: "Connect an assistant" })).toHaveAttribute(
    "href",
    "/connect",
  );
  expect(screen.queryByRole("region", { name: "Breakdown" })).not.toBeInTheDocument();
});

it("says what went wrong and recovers when tried again", async () => {
  const server = dashboardServer({ UsageReport: refuse("The ledger is away.", "internal") });
  const { user } = renderApp("/", { server });
  expect(await screen.findByText("The ledger is away.")).toBeVisible();
  server.on({ UsageReport: busy });
  await user.click(screen.getByRole("button", { name: "Try again" }));
  expect(await screen.findByText("$12.50")).toBeVisible();
});

it("says of each cap what is left, what is held, when it starts anew and who set it", async () => {
  const budget = {
    window: "MONTH",
    cap: "200",
    spent: "150.5",
    reserved: "1.5",
    resetsAt: "2099-12-01T00:00:00Z",
    reachedAt: "2026-11-24T15:30:00Z",
    alertThresholds: [80],
    source: { kind: "GROUP", name: "Contractors" },
    override: null,
  };
  const limit = {
    dimension: "REQUESTS",
    limit: 30,
    used: 30,
    source: { kind: "USER", name: "Ada Lovelace" },
    override: null,
  };
  const allowance = {
    effectivePolicy: {
      budgets: [budget, { ...budget, window: "DAY", cap: "0", spent: "0", reserved: "0" }],
      limits: [limit, { ...limit, dimension: "OUTPUT_TOKENS", limit: null, source: null }],
      pools: [
        {
          source: { kind: "POOL", id: "group-1", name: "Engineering" },
          budgets: [{ ...budget, source: undefined, cap: "500", spent: "100", reserved: "0" }],
          limits: [{ dimension: "REQUESTS", limit: null, used: 3 }],
        },
      ],
    },
  };
  renderApp("/", { server: dashboardServer({ Allowance: allowance }) });
  const card = await screen.findByRole("region", { name: "What is left" });
  expect(await within(card).findByText("$48.00 left")).toBeVisible();
  expect(card).toHaveTextContent("$150.50 of $200.00 this month, $1.50 reserved · resets in");
  expect(card).toHaveTextContent("Set by group Contractors");
  expect(card).toHaveTextContent("At this pace reached on Nov 24, 15:30");
  expect(card).toHaveTextContent("0 left30 of 30 in the last minuteSet for you");
  expect(within(card).getByText("Blocked")).toBeVisible();
  expect(card).toHaveTextContent("No limit of your own: output tokens per minute.");
  expect(card).toHaveTextContent("$400.00 left$100.00 of $500.00 this month");
  expect(card).toHaveTextContent("Shared by all members of Engineering");
});

const call: Call = {
  id: "call-1",
  at: "2026-11-24T12:00:00Z",
  userLabel: "Mia",
  keyName: "laptop",
  model: "demo-smart",
  providerName: "Demo",
  status: 200,
  outcome: "ok",
  stream: false,
  inputTokens: 1234,
  cacheReadTokens: 1000,
  outputTokens: 56,
  cost: "0.001842",
  estimated: false,
  latencyMs: 900,
  firstByteMs: 300,
  clientApp: "aider",
  project: null,
  charges: null,
};

it("tells by which prices a call was charged, where that is known", async () => {
  const charges: Call["charges"] = {
    since: "2026-11-01T00:00:00Z",
    free: false,
    longContextAbove: 200_000,
    charges: [
      { priceClass: "INPUT", tokens: 234, price: "3" },
      { priceClass: "CACHE_READ", tokens: 1000, price: "0.3" },
      { priceClass: "OUTPUT", tokens: 56, price: "15" },
    ],
  };
  const nodes = [call, { ...call, id: "call-2", cost: "0.0042", charges }];
  const Calls = {
    calls: { ...noCalls.calls, edges: nodes.map((node) => ({ node })) },
  };
  const { user } = renderApp("/", { server: dashboardServer({ Calls }) });
  await screen.findByText("$0.0018");
  const asked = screen.getAllByRole("button", { name: /comes about/ });
  expect(asked.map((button) => button.textContent)).toEqual(["$0.0042"]);
  await user.click(asked[0] as HTMLElement);
  const shown = await screen.findByRole("dialog");
  expect(shown).toHaveTextContent("for prompts above 200,000 tokens");
  const lines = within(shown).getAllByRole("row").slice(1);
  expect(lines.map((line) => line.textContent)).toEqual([
    "Input234$3.00",
    "Cache read1,000$0.30",
    "Output56$15.00",
  ]);
});

it("tells what holds for a while from what is set for good", async () => {
  const override = { id: "o", reason: "Launch", createdBy: "Ada", endsAt: "2099-01-01T00:00:00Z" };
  const source = { kind: "USER", name: "Ada Lovelace" };
  const allowance = {
    effectivePolicy: {
      budgets: [],
      limits: [
        { dimension: "REQUESTS", limit: 90, used: 3, source, override },
        { dimension: "CONCURRENT_REQUESTS", limit: null, used: 1, source, override },
        { dimension: "INPUT_TOKENS", limit: null, used: 1, source: null, override: null },
      ],
      pools: [],
    },
  };
  renderApp("/", { server: dashboardServer({ Allowance: allowance }) });
  const card = await screen.findByRole("region", { name: "What is left" });
  expect(await within(card).findByText("87 left")).toBeVisible();
  expect(card).toHaveTextContent(/3 of 90 in the last minuteTemporary, ends/);
  expect(within(card).getByTitle("Launch")).toBeVisible();
  expect(card).not.toHaveTextContent("Set for you");
  expect(card).toHaveTextContent(
    /concurrent requests \(temporarily, ends .+\), input tokens per minute\./,
  );
});
