import { screen } from "@testing-library/react";
import { useState } from "react";
import { expect, it } from "vitest";
import { BudgetCard } from "@/features/policy/components/budget-card";
import type { Subject } from "@/features/policy/subject";
import { mockCap, noBudget, source } from "@/test/people";
import { renderComponent } from "@/test/render";
import { refuse, stubServer } from "@/test/server";

const contractors: Subject = { kind: "group", id: "group-1", name: "Contractors" };
const grace: Subject = { kind: "user", id: "user-2", name: "Grace Hopper" };

const field = (name: string) => screen.findByRole("textbox", { name });
const save = () => screen.getByRole("button", { name: "Save budget" });

it("shows what is spent, reserved and left of the strictest cap, who set it and when it resets", async () => {
  const month = mockCap(
    "MONTH",
    [
      [source.contractors, "20"],
      [source.personal, "50"],
    ],
    "15",
    "2.5",
  );
  renderComponent(<BudgetCard subject={grace} budget={noBudget} inForce={[month]} />);
  expect(await screen.findByText("$15.00")).toBeVisible();
  expect(screen.getByText(/of \$20\.00/)).toBeVisible();
  expect(screen.getByText(/\$2\.50 reserved/)).toBeVisible();
  expect(screen.getByText(/Set by group/)).toHaveTextContent("Set by group Contractors");
  expect(screen.getByText(/Resets/)).toBeVisible();
  const meter = screen.getByRole("meter");
  expect(meter).toHaveAttribute("aria-valuenow", "88");
  expect(meter).toHaveAttribute(
    "aria-valuetext",
    "$15.00 spent and $2.50 reserved, of $20.00 this month. Alerts at 80 % and 100 %",
  );
  expect(screen.getByRole("list", { name: "Monthly cap by group" })).toHaveTextContent(
    "Contractors$20.00",
  );
});

it("marks each alert threshold on the bar, those that are passed apart", async () => {
  const day = { ...mockCap("DAY", [[source.personal, "10"]], "6"), alertThresholds: [50, 80, 100] };
  renderComponent(<BudgetCard subject={grace} budget={noBudget} inForce={[day]} />);
  const meter = await screen.findByRole("meter");
  expect(meter).toHaveAttribute("title", "Alerts at 50 %, 80 %, and 100 %");
  const marks = [...meter.querySelectorAll("span")];
  expect(marks.map(({ style }) => style.left)).toEqual(["50%", "80%", "100%"]);
  expect(marks.map(({ dataset }) => dataset.passed)).toEqual(["true", undefined, undefined]);
});

it("says blocked beside a cap of zero", async () => {
  const day = mockCap("DAY", [[source.contractors, "0"]], "1.25");
  renderComponent(<BudgetCard subject={grace} budget={noBudget} inForce={[day]} />);
  expect(await screen.findAllByText("Blocked")).toHaveLength(2);
  expect(screen.getByText(/spent today/)).toHaveTextContent("$1.25 spent today");
  expect(screen.queryByRole("meter")).not.toBeInTheDocument();
});

it("sends amounts exactly, empty caps as none, and thresholds sorted", async () => {
  const server = stubServer({ SetBudget: { setBudget: { budget: { daily: "0" } } } });
  const { user } = renderComponent(
    <BudgetCard subject={contractors} budget={{ ...noBudget, weekly: "9" }} />,
    { server },
  );
  await user.type(await field("Daily cap"), "0");
  await user.clear(await field("Weekly cap"));
  await user.type(await field("Monthly cap"), "1234.000000001");
  await user.clear(await field("Alert thresholds"));
  await user.type(await field("Alert thresholds"), "100, 50 %, 50");
  await user.click(save());
  await screen.findByText(/Budget saved/);
  expect(server.lastOf("SetBudget")).toEqual({
    expectedVersion: null,
    subject: { groupId: "group-1" },
    input: { daily: "0", weekly: null, monthly: "1234.000000001", alertThresholds: [50, 100] },
  });
});

it("names what is wrong at each field before the server is asked", async () => {
  const server = stubServer();
  const { user } = renderComponent(<BudgetCard subject={contractors} budget={noBudget} />, {
    server,
  });
  await user.type(await field("Daily cap"), "ten");
  await user.clear(await field("Alert thresholds"));
  await user.type(await field("Alert thresholds"), "80, 120");
  await user.click(save());
  expect(await field("Daily cap")).toHaveAccessibleDescription(/Enter an amount in dollars/);
  expect(await field("Alert thresholds")).toHaveAccessibleDescription(/“120” is not a per cent/);
  expect(server.calls).toEqual([]);
});

it("shows a refusal that names no field above the buttons and stays as it was", async () => {
  const server = stubServer({
    SetBudget: refuse("There is no such group.", "not_found", "groupId"),
  });
  const { user } = renderComponent(<BudgetCard subject={contractors} budget={noBudget} />, {
    server,
  });
  await user.type(await field("Daily cap"), "5");
  await user.click(save());
  expect(await screen.findByRole("alert")).toHaveTextContent("There is no such group.");
  expect(await field("Daily cap")).toHaveValue("5");
});

it("keeps what was typed when somebody else was quicker, tells who, and saves only after a choice", async () => {
  const stale = refuse(
    "This was changed since you loaded it: it is at version 6 now, and your edit began at 5. Bob <bob@example.com> changed daily at 2026-11-24 12:00 UTC. Load it again, and repeat what you still want.",
    "stale_version",
    "expectedVersion",
  );
  const server = stubServer({ SetBudget: stale });
  const card = (daily: string | null, version: number) => (
    <BudgetCard subject={grace} budget={{ ...noBudget, daily }} version={version} />
  );
  function Moving() {
    const [moved, setMoved] = useState(false);
    return (
      <>
        {moved ? card("7", 6) : card(null, 5)}
        <button type="button" onClick={() => setMoved(true)}>
          Somebody saves
        </button>
      </>
    );
  }
  const { user } = renderComponent(<Moving />, { server });
  const daily = await screen.findByRole("textbox", { name: "Daily cap" });
  await user.type(daily, "2");
  await user.click(screen.getByRole("button", { name: "Save budget" }));
  await expect.poll(() => server.lastOf("SetBudget")?.expectedVersion).toBe(5);
  await user.click(screen.getByRole("button", { name: "Somebody saves" }));
  const notice = await screen.findByRole("alert");
  expect(notice).toHaveTextContent("Bob <bob@example.com> changed daily at 2026-11-24 12:00 UTC.");
  expect(notice).toHaveTextContent("Daily cap: now 7, you entered 2");
  expect(daily).toHaveValue("2");
  expect(screen.getByRole("button", { name: "Save budget" })).toBeDisabled();

  server.on({ SetBudget: { setBudget: { budget: { daily: "2" } } } });
  await user.click(screen.getByRole("button", { name: "Keep mine" }));
  await user.click(screen.getByRole("button", { name: "Save budget" }));
  await expect.poll(() => server.lastOf("SetBudget").expectedVersion).toBe(6);
  expect(server.lastOf("SetBudget").input).toEqual({ ...noBudget, daily: "2" });
});
