import { screen, within } from "@testing-library/react";
import { expect, it } from "vitest";
import { GrantsCard } from "@/features/policy/components/grants-card";
import { mergeGrants } from "@/features/policy/merge-grants";
import type { Subject } from "@/features/policy/subject";
import { mockModel, mockPage } from "@/test/people";
import { renderComponent } from "@/test/render";
import { refuse, stubServer } from "@/test/server";

const grace: Subject = { kind: "user", id: "user-2", name: "Grace Hopper" };
const createdAt = "2026-11-01T09:00:00.000Z";
const group = { id: "group-1", name: "Contractors" };

const held = mergeGrants(
  [{ id: "grant-1", createdAt, model: mockModel("sonnet") }],
  [
    { id: "grant-2", createdAt, model: mockModel("sonnet"), group },
    { id: "grant-3", createdAt, model: mockModel("haiku"), group },
  ],
);

it("lists each model once with every way in, and lets only the own grant be revoked", async () => {
  renderComponent(<GrantsCard subject={grace} held={held} />);
  const table = await screen.findByRole("table");
  const rows = within(table).getAllByRole("row").slice(1);
  expect(rows).toHaveLength(2);
  expect(rows[0]).toHaveTextContent("haiku");
  expect(within(rows[0] as HTMLElement).queryByRole("button")).not.toBeInTheDocument();
  expect(rows[1]).toHaveTextContent(/sonnet.*Personally.*via Contractors/);
  expect(screen.getByRole("button", { name: "Revoke sonnet" })).toBeVisible();
});

it("asks before revoking, and says what stays through a group", async () => {
  const server = stubServer({ RevokeGrant: { revokeGrant: { id: "grant-1" } } });
  const { user } = renderComponent(<GrantsCard subject={grace} held={held} />, { server });
  await user.click(await screen.findByRole("button", { name: "Revoke sonnet" }));
  const dialog = await screen.findByRole("dialog");
  expect(dialog).toHaveTextContent("Grace Hopper keeps access to sonnet through Contractors");
  expect(server.calls).toEqual([]);
  await user.click(within(dialog).getByRole("button", { name: "Revoke" }));
  await screen.findByText("sonnet revoked.");
  expect(server.lastOf("RevokeGrant")).toEqual({ id: "grant-1" });
});

it("keeps the dialog open with the reason when revoking fails", async () => {
  const server = stubServer({ RevokeGrant: refuse("There is no such grant.", "not_found") });
  const { user } = renderComponent(<GrantsCard subject={grace} held={held} />, { server });
  await user.click(await screen.findByRole("button", { name: "Revoke sonnet" }));
  const dialog = await screen.findByRole("dialog");
  await user.click(within(dialog).getByRole("button", { name: "Revoke" }));
  expect(await within(dialog).findByRole("alert")).toHaveTextContent("There is no such grant.");
});

it("searches models at the server and adds one per row", async () => {
  const server = stubServer({
    ModelPicker: { models: mockPage([mockModel("haiku"), mockModel("sonnet"), mockModel("opus")]) },
    GrantModels: { grantModels: { grants: [] } },
  });
  const { user } = renderComponent(<GrantsCard subject={grace} held={held} />, { server });
  await user.click(await screen.findByRole("button", { name: "Add models" }));
  const dialog = await screen.findByRole("dialog");
  await within(dialog).findByText("opus");
  const [haiku, sonnet] = within(dialog).getAllByRole("listitem");
  expect(haiku).toHaveTextContent("Held via Contractors");
  expect(within(haiku as HTMLElement).getByRole("button", { name: "Add haiku" })).toBeEnabled();
  expect(sonnet).toHaveTextContent("Added");

  await user.click(within(dialog).getByRole("button", { name: "Add opus" }));
  expect(server.lastOf("GrantModels")).toEqual({
    input: { subject: { userId: "user-2" }, modelIds: ["model-opus"] },
  });
  await user.type(within(dialog).getByRole("searchbox"), "opu");
  await expect.poll(() => server.lastOf("ModelPicker").search).toBe("opu");
});

it("says what an empty list means and what to do", async () => {
  renderComponent(<GrantsCard subject={grace} held={[]} />);
  expect(await screen.findByText("No models granted")).toBeVisible();
  expect(screen.getByText(/Every call is refused until/)).toBeVisible();
  expect(screen.getByRole("button", { name: "Add models" })).toBeVisible();
});
