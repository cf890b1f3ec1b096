import { screen, waitFor, within } from "@testing-library/react";
import { expect, it } from "vitest";
import { renderApp } from "@/test/render";
import { refuse, stubServer } from "@/test/server";

const key = {
  id: "key-1",
  name: "Laptop",
  prefix: "sg_abc123",
  status: "ACTIVE",
  createdAt: "2026-11-01T00:00:00Z",
  lastUsedAt: null,
  expiresAt: null,
};
const page = (...nodes: object[]) => ({
  apiKeys: {
    edges: nodes.map((node) => ({ node })),
    pageInfo: { hasNextPage: false, endCursor: null },
  },
});
const created = { createApiKey: { secret: "sg_abc123_secret", apiKey: { id: "key-2", name: "" } } };
const models = {
  availableModels: [
    {
      slug: "claude-demo",
      displayName: "Claude Demo",
      kind: "CHAT",
      provider: "Demo",
      contextWindow: null,
      maxOutputTokens: null,
      free: false,
      prices: { input: "3", cacheRead: null, cacheWrite5m: null, cacheWrite1h: null, output: "15" },
    },
  ],
};

async function openDialog(user: ReturnType<typeof renderApp>["user"]) {
  await user.click(
    (await screen.findAllByRole("button", { name: "Create key" }))[0] as HTMLElement,
  );
  return within(await screen.findByRole("dialog"));
}

it("shows a new key's secret once, with the set-up that has it filled in", async () => {
  const server = stubServer({ ApiKeys: page(), CreateApiKey: created, AvailableModels: models });
  const { user } = renderApp("/api-keys", { server });
  const dialog = await openDialog(user);
  await user.click(dialog.getByRole("button", { name: "Create key" }));

  expect(await screen.findByLabelText("Your new key")).toHaveValue("sg_abc123_secret");
  expect(server.lastOf("CreateApiKey")).toEqual({ input: { name: "", expiresAt: null } });
  expect(await screen.findByText(/ANTHROPIC_AUTH_TOKEN=sg_abc123_secret/)).toBeVisible();

  server.on({ ApiKeys: page(key) });
  await user.keyboard("{Escape}");
  expect(screen.getByLabelText("Your new key")).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Done" }));
  await waitFor(() => expect(screen.queryByRole("dialog")).not.toBeInTheDocument());
  expect(document.body.textContent).not.toContain("sg_abc123_secret");
});

it("sends name and expiry, and starts with an empty form the next time", async () => {
  const server = stubServer({ ApiKeys: page(), CreateApiKey: created, AvailableModels: models });
  const { user } = renderApp("/api-keys", { server });
  const dialog = await openDialog(user);
  await user.type(dialog.getByLabelText("Name"), "  CI  ");
  await user.selectOptions(dialog.getByLabelText("Expires"), "In 30 days");
  await user.click(dialog.getByRole("button", { name: "Create key" }));
  await screen.findByLabelText("Your new key");
  const { name, expiresAt } = server.lastOf("CreateApiKey").input;
  expect(name).toBe("CI");
  expect((Date.parse(expiresAt) - Date.now()) / 86_400_000).toBeCloseTo(30, 2);

  await user.click(screen.getByRole("button", { name: "Done" }));
  await waitFor(() => expect(screen.queryByRole("dialog")).not.toBeInTheDocument());
  expect((await openDialog(user)).getByLabelText("Name")).toHaveValue("");
});

it("asks for a day where an own one was chosen, and sends nothing before that", async () => {
  const server = stubServer({ ApiKeys: page(), CreateApiKey: created });
  const { user } = renderApp("/api-keys", { server });
  const dialog = await openDialog(user);
  await user.selectOptions(dialog.getByLabelText("Expires"), "On a day of your choice");
  await user.click(dialog.getByRole("button", { name: "Create key" }));
  expect(await dialog.findByText("Choose a day")).toBeVisible();
  expect(server.lastOf("CreateApiKey")).toBeUndefined();
});

it("shows the server's refusal at the field that it names", async () => {
  const refusal = refuse("must lie in the future", "invalid_input", "input.name");
  const server = stubServer({ ApiKeys: page(), CreateApiKey: refusal });
  const { user } = renderApp("/api-keys", { server });
  const dialog = await openDialog(user);
  await user.click(dialog.getByRole("button", { name: "Create key" }));
  expect(await dialog.findByText("Must lie in the future")).toBeVisible();
  expect(dialog.getByLabelText("Name")).toBeInvalid();
});

it("revokes only after spelling out the consequence", async () => {
  const revoked = { revokeApiKey: { apiKey: { id: "key-1", status: "REVOKED" } } };
  const server = stubServer({ ApiKeys: page(key), RevokeOwnApiKey: revoked });
  const { user } = renderApp("/api-keys", { server });
  await user.click(await screen.findByRole("button", { name: "Revoke Laptop" }));
  const dialog = within(await screen.findByRole("dialog"));
  expect(dialog.getByText(/refused with 401/)).toBeVisible();
  expect(server.lastOf("RevokeOwnApiKey")).toBeUndefined();

  server.on({ ApiKeys: page({ ...key, status: "REVOKED" }) });
  await user.click(dialog.getByRole("button", { name: "Revoke key" }));
  expect(await screen.findByText("Revoked")).toBeVisible();
  expect(server.lastOf("RevokeOwnApiKey")).toEqual({ id: "key-1" });
  expect(screen.queryByRole("button", { name: "Revoke Laptop" })).not.toBeInTheDocument();
});
