import { screen, within } from "@testing-library/react";
import { expect, it } from "vitest";
import { BudgetCard } from "@/features/policy/components/budget-card";
import { noBudget } from "@/test/people";
import { renderComponent } from "@/test/render";
import { refuse, stubServer } from "@/test/server";

const preview = { people: 40, stricter: 12, looser: 0, blocked: 3, unblocked: 0 };
const person = (id: string, name: string, blocked: boolean) => ({
  userId: id,
  blocked,
  user: { id, name, email: `${id}@example.com` },
});
const nobody = { ...preview, stricter: 0, blocked: 0, affected: [] };

const show = (previewGroupPolicy: object, kind: "group" | "pool" = "group") => {
  const server = stubServer({ PreviewGroupPolicy: previewGroupPolicy });
  const subject = { kind, id: "group-1", name: "Contractors" };
  return renderComponent(<BudgetCard subject={subject} budget={noBudget} />, { server });
};

const monthly = () => screen.findByRole("textbox", { name: "Monthly cap" });

it("tells before saving whom a cap would tighten and whom it would block, by name", async () => {
  const affected = [
    person("u1", "Grace", true),
    person("u2", "", true),
    person("u3", "Ada", false),
  ];
  const { user, server } = show({ previewGroupPolicy: { ...preview, affected } });
  expect(screen.queryByText("If you save this")).not.toBeInTheDocument();
  await user.type(await monthly(), "20");
  const told = await screen.findByText(/tightens 12 members, blocks 3 now, of 40 members/);
  const notice = told.closest<HTMLElement>("[role=status]");
  expect(notice).toHaveTextContent("Blocked: Grace, u2@example.com and 1 other");
  expect(within(notice as HTMLElement).queryByText("Ada")).not.toBeInTheDocument();
  await expect
    .poll(() => server.lastOf("PreviewGroupPolicy"))
    .toEqual({ groupId: "group-1", budget: { ...noBudget, monthly: "20" } });
  expect(server.calls.some(({ name }) => name === "SetBudget")).toBe(false);
});

it("says that nothing changes, and asks nothing about what can't be saved", async () => {
  const { user, server } = show({ previewGroupPolicy: nobody });
  await user.type(await monthly(), "x");
  expect(server.calls).toEqual([]);
  await user.clear(await monthly());
  await user.type(await monthly(), "900");
  await screen.findByText("It changes nothing for any of 40 members.");
});

it("keeps saving possible when the preview fails", async () => {
  const { user } = show(refuse("The database is busy."));
  await user.type(await monthly(), "20");
  await screen.findByText(/can't be told now: The database is busy/);
  expect(screen.getByRole("button", { name: "Save budget" })).toBeEnabled();
});

it("asks nothing for a pool, which is no part of merging", async () => {
  const { user, server } = show({ previewGroupPolicy: nobody }, "pool");
  await user.type(await monthly(), "20");
  expect(screen.queryByText("If you save this")).not.toBeInTheDocument();
  expect(server.calls).toEqual([]);
});

const showUser = (affected: object[]) => {
  const server = stubServer({ PreviewUserPolicy: { previewUserPolicy: { affected } } });
  const subject = { kind: "user" as const, id: "user-2", name: "Grace" };
  return renderComponent(<BudgetCard subject={subject} budget={noBudget} />, { server });
};

it("tells before saving that a user's own cap would block now, and by which figures", async () => {
  const month = { window: "MONTH", before: "200", after: "50", spent: "61.5" };
  const day = { window: "DAY", before: null, after: "90", spent: "4" };
  const change = { blocked: true, unblocked: false, limits: [], budgets: [month, day] };
  const { user, server } = showUser([change]);
  await user.type(await monthly(), "50");
  expect(
    await screen.findByText("Would block now: monthly cap $50.00, spent $61.50."),
  ).toBeVisible();
  expect(screen.getByText("In force then: daily cap $90.00 instead of no limit.")).toBeVisible();
  await expect
    .poll(() => server.lastOf("PreviewUserPolicy"))
    .toEqual({ userId: "user-2", budget: { ...noBudget, monthly: "50" } });
});

it("says that a looser cap of a user's own changes nothing while a group's is stricter", async () => {
  const { user } = showUser([]);
  await user.type(await monthly(), "900");
  expect(await screen.findByText("It changes nothing of what is in force.")).toBeVisible();
});
