import { screen, waitFor, within } from "@testing-library/react";
import { expect, it } from "vitest";
import { mockPage } from "@/test/people";
import { renderApp } from "@/test/render";
import { stubServer } from "@/test/server";
import { mockSession } from "@/test/session";

const budget = { daily: "10", weekly: null, monthly: "0", alertThresholds: [80, 100], version: 3 };
const owner = {
  id: "user:u1",
  kind: "USER",
  subjectId: "u1",
  name: "Grace Hopper",
  email: "grace@example.com",
  budget,
  overrides: [] as object[],
  uses: [
    {
      window: "DAY",
      cap: "10",
      spent: "8",
      resetsAt: "2099-11-25T00:00:00.000Z",
      reachedAt: "2026-11-24T15:30:00.000Z",
    },
    {
      window: "MONTH",
      cap: "0",
      spent: "0",
      resetsAt: "2099-12-01T00:00:00.000Z",
      reachedAt: "2026-11-24T12:00:00.000Z",
    },
  ],
};
const team = {
  ...owner,
  id: "group:g1",
  kind: "GROUP",
  subjectId: "g1",
  name: "Compilers",
  email: null,
  uses: [{ ...owner.uses[0], spent: "1", reachedAt: null }],
};
const asAdmin = { session: mockSession({ role: "ADMIN" }) };

it("shows each cap with its bar, its reset, and when it is reached at this pace", async () => {
  const server = stubServer({
    BudgetOwners: { budgetOwners: { ...mockPage([owner, team]), totalCount: 2 } },
  });
  renderApp("/admin/budgets", { ...asAdmin, server });
  const table = await screen.findByRole("table", { name: "Budgets" });
  expect(await within(table).findByRole("link", { name: "Grace Hopper" })).toHaveAttribute(
    "href",
    "/admin/users/u1",
  );
  const [, row, group] = within(table).getAllByRole("row");
  expect(row).toHaveTextContent("$8.00 of $10.00");
  expect(row).toHaveTextContent("At this pace reached on Nov 24, 15:30");
  expect(row).toHaveTextContent("No cap");
  expect(row).toHaveTextContent("Blocked");
  expect(within(table).getByRole("meter", { name: "Daily cap of Grace Hopper" })).toHaveAttribute(
    "aria-valuenow",
    "80",
  );
  expect(group).toHaveTextContent("Each member");
  expect(group).not.toHaveTextContent("At this pace");
  expect(screen.getByRole("link", { name: "CSV" })).toHaveAttribute("href", "/export/budgets.csv?");
});

it("shows what stands in for a cap for a while, and what of it is used", async () => {
  const raises = [
    { id: "o1", window: "DAY", reason: "Launch", createdBy: "Ada", endsAt: "2099-01-01T00:00:00Z" },
    { id: "o2", window: "WEEK", reason: "Move", createdBy: "Ada", endsAt: "2099-01-01T00:00:00Z" },
  ];
  const [day, month] = owner.uses;
  const raised = {
    ...owner,
    overrides: raises,
    uses: [{ ...day, cap: "40" }, { ...day, window: "WEEK", cap: null }, month],
  };
  const server = stubServer({
    BudgetOwners: { budgetOwners: { ...mockPage([raised]), totalCount: 1 } },
  });
  renderApp("/admin/budgets", { ...asAdmin, server });
  const table = await screen.findByRole("table", { name: "Budgets" });
  const meter = await within(table).findByRole("meter", { name: "Daily cap of Grace Hopper" });
  expect(meter).toHaveAttribute("aria-valuetext", expect.stringContaining("$8.00 of $40.00"));
  const [, row] = within(table).getAllByRole("row");
  const [, daily, weekly] = within(row as HTMLElement).getAllByRole("cell");
  expect(daily).toHaveTextContent(/Temporary, ends/);
  expect(daily?.querySelector("[title=Launch]")).toBeInTheDocument();
  expect(weekly).toHaveTextContent("$8.00 No limitTemporary, ends");
});

it("narrows by what is used up, and keeps that in the address", async () => {
  const server = stubServer({ BudgetOwners: { budgetOwners: { ...mockPage([]), totalCount: 0 } } });
  const { user, path } = renderApp("/admin/budgets", { ...asAdmin, server });
  expect(await screen.findByText("No budgets yet")).toBeVisible();
  await user.selectOptions(screen.getByLabelText("How far used"), "Used up");
  await user.selectOptions(screen.getByLabelText("Whose"), "Pools");
  await waitFor(() => expect(path()).toBe("/admin/budgets?use=REACHED&kind=POOL"));
  await waitFor(() =>
    expect(server.lastOf("BudgetOwners")).toMatchObject({ use: "REACHED", kind: "POOL" }),
  );
  expect(await screen.findByText("No budget matches")).toBeVisible();
});

it("edits a cap in place, as an edit of the version on screen", async () => {
  const server = stubServer({
    BudgetOwners: { budgetOwners: { ...mockPage([owner]), totalCount: 1 } },
    SetBudget: { setBudget: { budget: { daily: "25" } } },
  });
  const { user } = renderApp("/admin/budgets", { ...asAdmin, server });
  await user.click(await screen.findByRole("button", { name: "Edit budget of Grace Hopper" }));
  const dialog = await screen.findByRole("dialog");
  const daily = within(dialog).getByLabelText("Daily cap");
  await user.clear(daily);
  await user.type(daily, "25");
  await user.click(within(dialog).getByRole("button", { name: "Save budget" }));
  await waitFor(() =>
    expect(server.lastOf("SetBudget")).toEqual({
      subject: { userId: "u1" },
      input: { daily: "25", weekly: null, monthly: "0", alertThresholds: [80, 100] },
      expectedVersion: 3,
    }),
  );
});

it("shows what is in use of each rate limit, and edits it", async () => {
  const limits = {
    id: "pool:g1",
    kind: "POOL",
    subjectId: "g1",
    name: "Compilers",
    email: null,
    rateLimit: {
      requestsPerMinute: 60,
      inputTokensPerMinute: null,
      outputTokensPerMinute: 0,
      concurrentRequests: null,
      version: 1,
    },
    overrides: [],
    uses: [
      { dimension: "REQUESTS", limit: 60, used: 45 },
      { dimension: "INPUT_TOKENS", limit: null, used: 9 },
      { dimension: "OUTPUT_TOKENS", limit: 0, used: 0 },
    ],
  };
  const raised = {
    ...limits,
    id: "user:u1",
    kind: "USER",
    name: "Grace Hopper",
    uses: [{ dimension: "REQUESTS", limit: 500, used: 45 }],
    overrides: [
      {
        id: "o1",
        dimension: "REQUESTS",
        reason: "Load test",
        createdBy: "Ada",
        endsAt: "2099-01-01T00:00:00Z",
      },
    ],
  };
  const server = stubServer({
    RateLimitOwners: {
      rateLimitOwners: {
        ...mockPage([limits, { ...limits, id: "group:g1", kind: "GROUP", uses: null }, raised]),
        totalCount: 3,
      },
    },
    SetPoolRateLimit: {
      setGroupPoolRateLimit: { pool: { rateLimit: { requestsPerMinute: 90 } } },
    },
  });
  const { user } = renderApp("/admin/rate-limits", { ...asAdmin, server });
  const table = await screen.findByRole("table", { name: "Rate limits" });
  await within(table).findAllByText("of 60");
  const [, pool, group, person] = within(table).getAllByRole("row");
  expect(pool).toHaveTextContent("45 of 60");
  expect(pool).toHaveTextContent("0 Blocked");
  expect(person).toHaveTextContent(/45 of 500Ends/);
  expect(group).toHaveTextContent("60 each");
  await user.click(within(pool as HTMLElement).getByRole("button", { name: /Edit rate limits/ }));
  const dialog = await screen.findByRole("dialog");
  const requests = within(dialog).getByLabelText("Requests per minute");
  await user.clear(requests);
  await user.type(requests, "90");
  await user.click(within(dialog).getByRole("button", { name: "Save rate limit" }));
  await waitFor(() =>
    expect(server.lastOf("SetPoolRateLimit")).toMatchObject({
      groupId: "g1",
      input: { requestsPerMinute: 90 },
      expectedVersion: 1,
    }),
  );
});
