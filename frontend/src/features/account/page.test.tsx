import { screen, waitFor, within } from "@testing-library/react";
import { expect, it } from "vitest";
import { renderApp } from "@/test/render";
import { stubServer } from "@/test/server";
import { mockSession } from "@/test/session";

const token = {
  id: "token-1",
  name: "Nightly report",
  prefix: "sgt_abc",
  scopes: ["READ"],
  status: "ACTIVE",
  createdAt: "2026-11-01T00:00:00Z",
  lastUsedAt: null,
  expiresAt: null,
};

it("changes one's own name, and the sidebar follows", async () => {
  const renamed = mockSession({ name: "Ada King" });
  const server = stubServer({
    AutomationTokens: { automationTokens: [] },
    UpdateViewer: { updateViewer: { user: { id: "user-1", name: "Ada King" } } },
    Session: renamed,
  });
  const { user } = renderApp("/account", { server });
  const name = await screen.findByLabelText("Name");
  expect(screen.getByRole("button", { name: "Save" })).toBeDisabled();
  await user.clear(name);
  await user.click(screen.getByRole("button", { name: "Save" }));
  expect(await screen.findByText("Enter your name")).toBeVisible();
  await user.type(name, " Ada King ");
  await user.click(screen.getByRole("button", { name: "Save" }));
  await waitFor(() => expect(server.lastOf("UpdateViewer")).toEqual({ name: "Ada King" }));
  expect(await screen.findByRole("button", { name: /Account menu.*Ada King/ })).toBeVisible();
});

it("makes a token with the chosen scopes and shows it once", async () => {
  const server = stubServer({
    AutomationTokens: { automationTokens: [] },
    CreateAutomationToken: { createAutomationToken: { secret: "sgt_secret", token: { id: "t" } } },
  });
  const { user } = renderApp("/account", { server });
  await user.click(await screen.findByRole("button", { name: "Create token" }));
  const dialog = within(await screen.findByRole("dialog"));
  await user.click(dialog.getByRole("checkbox", { name: "Read" }));
  await user.click(dialog.getByRole("button", { name: "Create token" }));
  expect(await dialog.findByText("Say what it is for")).toBeVisible();
  expect(dialog.getByText("Choose at least one")).toBeVisible();
  expect(server.lastOf("CreateAutomationToken")).toBeUndefined();

  await user.type(dialog.getByLabelText("Name"), "Deploy");
  await user.click(dialog.getByRole("checkbox", { name: "Policy" }));
  await user.click(dialog.getByRole("button", { name: "Create token" }));
  expect(await screen.findByLabelText("Your new token")).toHaveValue("sgt_secret");
  expect(server.lastOf("CreateAutomationToken").input).toMatchObject({
    name: "Deploy",
    scopes: ["POLICY"],
  });
});

it("revokes a token after asking", async () => {
  const server = stubServer({
    AutomationTokens: { automationTokens: [token] },
    RevokeAutomationToken: {
      revokeAutomationToken: { token: { id: "token-1", status: "REVOKED" } },
    },
  });
  const { user } = renderApp("/account", { server });
  await user.click(await screen.findByRole("button", { name: "Revoke Nightly report" }));
  server.on({ AutomationTokens: { automationTokens: [{ ...token, status: "REVOKED" }] } });
  await user.click(await screen.findByRole("button", { name: "Revoke token" }));
  expect(await screen.findByText("Revoked")).toBeVisible();
  expect(server.lastOf("RevokeAutomationToken")).toEqual({ id: "token-1" });
});
