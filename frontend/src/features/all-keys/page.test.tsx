import { screen, waitFor, within } from "@testing-library/react";
import { expect, it } from "vitest";
import { noBudget, noLimits } from "@/test/people";
import { renderApp } from "@/test/render";
import { stubServer } from "@/test/server";
import { mockSession } from "@/test/session";

const key = {
  id: "key-1",
  name: "Laptop",
  prefix: "sg_abc123",
  status: "ACTIVE",
  version: 4,
  createdAt: "2026-11-01T00:00:00Z",
  lastUsedAt: "2026-11-02T00:00:00Z",
  lastUsedClient: "aider",
  expiresAt: null,
  revokedAt: null,
  previousPrefix: null,
  previousExpiresAt: null,
  models: null,
  rateLimit: noLimits,
  budget: { ...noBudget, alertThresholds: [80] },
  owner: { id: "user-2", name: "Grace Hopper", email: "grace@example.com" },
};

const answer = (...nodes: object[]) => ({
  AllApiKeys: {
    allApiKeys: {
      edges: nodes.map((node) => ({ node })),
      pageInfo: { hasNextPage: false, endCursor: null },
      totalCount: nodes.length,
    },
  },
});

const show = (path: string, ...nodes: object[]) =>
  renderApp(path, {
    session: mockSession({ role: "ADMIN" }),
    server: stubServer({
      ...answer(...nodes),
      RevokeApiKey: { revokeApiKey: { apiKey: { id: "key-1", status: "REVOKED" } } },
    }),
  });

it("shows whose each key is and what made its last call, with a way to the owner", async () => {
  show("/admin/api-keys", key);
  const row = await screen.findByRole("row", { name: /Laptop/ });
  expect(row).toHaveTextContent("sg_abc123…");
  expect(row).toHaveTextContent("aider");
  expect(within(row).getAllByRole("link", { name: "Grace Hopper" })[0]).toHaveAttribute(
    "href",
    "/admin/users/user-2",
  );
});

it("asks the server for what the address says, and for another status when one is chosen", async () => {
  const { user, server, path } = show("/admin/api-keys?q=grace&state=EXPIRED");
  expect(await screen.findByText("No such keys")).toBeVisible();
  expect(server.lastOf("AllApiKeys")).toMatchObject({ search: "grace", state: "EXPIRED" });
  await user.selectOptions(screen.getByLabelText("Status"), "Not used for 30 days");
  await waitFor(() => expect(server.lastOf("AllApiKeys")).toMatchObject({ state: "STALE" }));
  expect(path()).toBe("/admin/api-keys?q=grace&state=STALE");
});

it("revokes somebody else's key after telling whose it is, and offers no new secret for it", async () => {
  const { user, server } = show("/admin/api-keys", key);
  await user.click(await screen.findByRole("button", { name: "Actions for Laptop" }));
  expect(screen.queryByRole("menuitem", { name: "New secret" })).not.toBeInTheDocument();
  await user.click(await screen.findByRole("menuitem", { name: "Revoke" }));
  const dialog = await screen.findByRole("dialog", { name: "Revoke Laptop?" });
  expect(dialog).toHaveTextContent("this key of Grace Hopper are refused with 401");
  await user.click(within(dialog).getByRole("button", { name: "Revoke key" }));
  await waitFor(() => expect(server.lastOf("RevokeApiKey")).toEqual({ id: "key-1" }));
});
