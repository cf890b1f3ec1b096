import { screen, waitFor, within } from "@testing-library/react";
import { expect, it } from "vitest";
import { renderApp } from "@/test/render";
import { refuse, stubServer } from "@/test/server";
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

const here = {
  id: "session-1",
  client: "Firefox on Linux",
  address: "10.0.0.7",
  createdAt: "2026-11-01T00:00:00Z",
  lastSeenAt: "2026-11-24T00:00:00Z",
  expiresAt: "2026-12-01T00:00:00Z",
  current: true,
};
const elsewhere = {
  ...here,
  id: "session-2",
  client: "Chrome on Windows",
  address: "203.0.113.9",
  current: false,
};

const show = (handlers: Parameters<typeof stubServer>[0] = {}) =>
  renderApp("/account", {
    server: stubServer({
      AutomationTokens: { automationTokens: [] },
      OwnSessions: { sessions: [here, elsewhere] },
      ...handlers,
    }),
  });

it("changes one's own name, and the sidebar follows", async () => {
  const renamed = mockSession({ name: "Ada King" });
  const { user, server } = show({
    UpdateViewer: { updateViewer: { user: { id: "user-1", name: "Ada King" } } },
    Session: renamed,
  });
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

it.each(["Name", "Present password"])("asks before %s is left unsaved", async (field) => {
  const { user, path } = show();
  await user.type(await screen.findByLabelText(field), "x");
  await user.click(screen.getByRole("link", { name: "API keys" }));
  expect(await screen.findByRole("dialog", { name: "Leave without saving?" })).toBeVisible();
  expect(path()).toBe("/account");
});

it("makes a token with the chosen scopes and shows it once", async () => {
  const { user, server } = show({
    CreateAutomationToken: { createAutomationToken: { secret: "sgt_secret", token: { id: "t" } } },
  });
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
  const { user, server } = show({
    AutomationTokens: { automationTokens: [token] },
    RevokeAutomationToken: {
      revokeAutomationToken: { token: { id: "token-1", status: "REVOKED" } },
    },
  });
  await user.click(await screen.findByRole("button", { name: "Revoke Nightly report" }));
  server.on({ AutomationTokens: { automationTokens: [{ ...token, status: "REVOKED" }] } });
  await user.click(await screen.findByRole("button", { name: "Revoke token" }));
  expect(await screen.findByText("Revoked")).toBeVisible();
  expect(server.lastOf("RevokeAutomationToken")).toEqual({ id: "token-1" });
});

it("marks this browser, and ends another one after asking", async () => {
  const { user, server } = show({ RevokeSession: { revokeSession: { id: "session-2" } } });
  const table = await screen.findByRole("table", { name: "Sessions" });
  const [, first, second] = within(table).getAllByRole("row");
  expect(first).toHaveTextContent("Firefox on LinuxThis browser");
  expect(within(first as HTMLElement).queryByRole("button")).not.toBeInTheDocument();
  await user.click(within(second as HTMLElement).getByRole("button", { name: /Sign out Chrome/ }));
  const dialog = await screen.findByRole("dialog");
  expect(dialog).toHaveTextContent("203.0.113.9");
  expect(server.lastOf("RevokeSession")).toBeUndefined();

  server.on({ OwnSessions: { sessions: [here] } });
  await user.click(within(dialog).getByRole("button", { name: "Sign out" }));
  await screen.findByText("Chrome on Windows is signed out.");
  expect(server.lastOf("RevokeSession")).toEqual({ id: "session-2" });
  // Nobody else is left, so there is nothing more to end.
  await waitFor(() =>
    expect(
      screen.queryByRole("button", { name: "Sign out everywhere else" }),
    ).not.toBeInTheDocument(),
  );
});

it("ends all other sessions at once and says how many", async () => {
  const { user, server } = show({ EndOtherSessions: { endOtherSessions: { count: 1 } } });
  await user.click(await screen.findByRole("button", { name: "Sign out everywhere else" }));
  const dialog = await screen.findByRole("dialog");
  expect(dialog).toHaveTextContent("1 other browser will have to sign in again");
  await user.click(within(dialog).getByRole("button", { name: "Sign out everywhere else" }));
  await screen.findByText("1 session ended.");
  expect(server.calls.filter(({ name }) => name === "OwnSessions").length).toBeGreaterThan(1);
});

it("shows the server's word on either password at its field, and empties both when it is done", async () => {
  const { user, server, path } = show({
    ChangePassword: refuse(
      "is not your present password",
      "invalid_input",
      "input.currentPassword",
    ),
  });
  const current = await screen.findByLabelText("Present password");
  const fresh = screen.getByLabelText("New password");
  await user.type(current, "wrong");
  await user.type(fresh, "short");
  await user.click(screen.getByRole("button", { name: "Change password" }));
  expect(await screen.findByText("Use at least 12 characters")).toBeVisible();
  expect(server.lastOf("ChangePassword")).toBeUndefined();

  await user.clear(fresh);
  await user.type(fresh, "four unrelated words");
  await user.click(screen.getByRole("button", { name: "Change password" }));
  expect(await screen.findByText("Is not your present password")).toBeVisible();
  expect(current).toBeInvalid();
  server.on({ ChangePassword: refuse("is too easy to guess", "invalid_input", "newPassword") });
  await user.click(screen.getByRole("button", { name: "Change password" }));
  expect(await screen.findByText("Is too easy to guess")).toBeVisible();
  expect(fresh).toBeInvalid();

  server.on({ ChangePassword: { changePassword: { user: { id: "user-1" } } } });
  await user.click(screen.getByRole("button", { name: "Change password" }));
  await screen.findByText(/Your password is changed/);
  expect(server.lastOf("ChangePassword")).toEqual({
    input: { currentPassword: "wrong", newPassword: "four unrelated words" },
  });
  expect(current).toHaveValue("");
  expect(fresh).toHaveValue("");
  await user.click(screen.getByRole("link", { name: "API keys" }));
  await waitFor(() => expect(path()).toBe("/api-keys"));
});
