import { screen, within } from "@testing-library/react";
import { expect, it } from "vitest";
import { BudgetCard } from "@/features/policy/components/budget-card";
import { RateLimitCard } from "@/features/policy/components/rate-limit-card";
import type { Subject } from "@/features/policy/subject";
import { mockCap, mockLimit, noBudget, noLimits, source } from "@/test/people";
import { renderComponent } from "@/test/render";
import { refuse, stubServer } from "@/test/server";

const grace: Subject = { kind: "user", id: "user-2", name: "Grace Hopper" };
const made = { createOverride: { override: { id: "override-1" } } };

const showLimit = (server = stubServer()) =>
  renderComponent(
    <RateLimitCard
      subject={grace}
      rateLimit={noLimits}
      inForce={[mockLimit("REQUESTS", [[source.contractors, 30]])]}
    />,
    { server },
  );

const openDialog = async (user: ReturnType<typeof showLimit>["user"], what: string) => {
  await user.click(await screen.findByRole("button", { name: `Change for a while: ${what}` }));
  return screen.findByRole("dialog");
};

it("puts another limit in force with a reason and an end", async () => {
  const server = stubServer({ CreateOverride: made });
  const { user } = showLimit(server);
  const dialog = await openDialog(user, "requests per minute");
  expect(dialog).toHaveTextContent("In force for Grace Hopper now: 30");
  await user.type(within(dialog).getByRole("textbox", { name: "Requests per minute" }), "300");
  await user.selectOptions(within(dialog).getByRole("combobox"), "For one week");
  await user.type(within(dialog).getByRole("textbox", { name: "Reason" }), "Release week");
  const before = Date.now();
  await user.click(within(dialog).getByRole("button", { name: "Put in force" }));
  await screen.findByText(/It ends by itself/);
  const { input } = server.lastOf("CreateOverride");
  expect(input).toMatchObject({
    userId: "user-2",
    dimension: "REQUESTS",
    limit: 300,
    unlimited: false,
    reason: "Release week",
  });
  const days = (new Date(input.endsAt).getTime() - before) / 86_400_000;
  expect(days).toBeCloseTo(7, 2);
});

it("lifts a cap, exactly that one", async () => {
  const server = stubServer({ CreateOverride: made });
  const { user } = renderComponent(
    <BudgetCard subject={grace} budget={noBudget} inForce={[mockCap("MONTH")]} />,
    { server },
  );
  const dialog = await openDialog(user, "monthly cap");
  await user.click(within(dialog).getByRole("checkbox", { name: "No limit" }));
  expect(within(dialog).getByRole("textbox", { name: "Monthly cap" })).toBeDisabled();
  await user.type(within(dialog).getByRole("textbox", { name: "Reason" }), "Benchmarks");
  await user.click(within(dialog).getByRole("button", { name: "Put in force" }));
  await screen.findByText(/It ends by itself/);
  expect(server.lastOf("CreateOverride").input).toMatchObject({
    window: "MONTH",
    cap: null,
    unlimited: true,
  });
});

it("asks for a value, a reason and an end to come before the server is asked", async () => {
  const server = stubServer();
  const { user } = showLimit(server);
  const dialog = await openDialog(user, "requests per minute");
  await user.selectOptions(within(dialog).getByRole("combobox"), "Until a time of your choice");
  await user.type(within(dialog).getByLabelText("Ends"), "2020-01-01T10:00");
  await user.click(within(dialog).getByRole("button", { name: "Put in force" }));
  expect(
    within(dialog).getByRole("textbox", { name: "Requests per minute" }),
  ).toHaveAccessibleDescription(/Enter a value/);
  expect(within(dialog).getByRole("textbox", { name: "Reason" })).toHaveAccessibleDescription(
    /Say why/,
  );
  expect(within(dialog).getByLabelText("Ends")).toHaveAccessibleDescription(/time to come/);
  expect(server.calls).toEqual([]);
});

it("shows the server's refusal at its field", async () => {
  const server = stubServer({
    CreateOverride: refuse("must lie within 366 days", "invalid_input", "endsAt"),
  });
  const { user } = showLimit(server);
  const dialog = await openDialog(user, "requests per minute");
  await user.type(within(dialog).getByRole("textbox", { name: "Requests per minute" }), "9");
  await user.selectOptions(within(dialog).getByRole("combobox"), "Until a time of your choice");
  await user.type(within(dialog).getByLabelText("Ends"), "2999-01-01T10:00");
  await user.type(within(dialog).getByRole("textbox", { name: "Reason" }), "For ever");
  await user.click(within(dialog).getByRole("button", { name: "Put in force" }));
  expect(await within(dialog).findByText("Must lie within 366 days")).toBeVisible();
});

it("says what runs, why, until when and what comes back, and ends it on demand", async () => {
  const server = stubServer({ EndOverride: { endOverride: { override: { id: "override-1" } } } });
  const limit = {
    ...mockLimit("REQUESTS", [[source.contractors, 30]]),
    limit: 300,
    source: source.personal,
    override: {
      id: "override-1",
      reason: "Release week",
      createdBy: "Ada Lovelace",
      endsAt: "2099-01-01T00:00:00.000Z",
    },
  };
  const { user } = renderComponent(
    <RateLimitCard subject={grace} rateLimit={noLimits} inForce={[limit]} />,
    { server },
  );
  expect(await screen.findByText("300")).toBeVisible();
  expect(screen.getByText(/Temporary, ends/)).toBeVisible();
  expect(screen.getByText("“Release week” – Ada Lovelace")).toBeVisible();
  expect(screen.queryByText(/Set for this user/)).not.toBeInTheDocument();
  expect(screen.getByRole("list", { name: "Requests per minute by group" })).toHaveTextContent(
    "Contractors30",
  );

  await user.click(screen.getByRole("button", { name: "End now" }));
  const dialog = await screen.findByRole("dialog", { name: "End the temporary value now?" });
  await user.click(within(dialog).getByRole("button", { name: "End now" }));
  await screen.findByText("The lasting value is in force again.");
  expect(server.lastOf("EndOverride")).toEqual({ id: "override-1" });
});

it("offers no temporary value for what a group or a pool sets", async () => {
  renderComponent(
    <RateLimitCard
      subject={{ kind: "pool", id: "group-1", name: "Contractors" }}
      rateLimit={noLimits}
      inForce={[{ dimension: "REQUESTS", limit: 30, used: 3 }]}
    />,
  );
  await screen.findByText("30");
  expect(screen.queryByRole("button", { name: /Change for a while/ })).not.toBeInTheDocument();
});
