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
