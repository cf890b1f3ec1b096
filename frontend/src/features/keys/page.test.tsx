import { screen, waitFor, within } from "@testing-library/react";
import { expect, it } from "vitest";
import { noBudget, noLimits } from "@/test/people";
import { renderApp } from "@/test/render";
import { refuse, stubServer } from "@/test/server";

const key = {
  id: "key-1",
  name: "Laptop",
  prefix: "sg_abc123",
  status: "ACTIVE",
  createdAt: "2026-11-01T00:00:00Z",
  lastUsedAt: null,
  lastUsedClient: null,
  expiresAt: null,
  version: 4,
  previousPrefix: null,
  previousExpiresAt: null,
  models: null,
  rateLimit: noLimits,
  budget: { ...noBudget, alertThresholds: [80] },
};
const callable = {
  effectivePolicy: {
    models: [
      { model: { id: "model-1", slug: "haiku" } },
      { model: { id: "model-2", slug: "sonnet" } },
    ],
  },
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
      capabilities: [],
      free: false,
      prices: {
        input: "3",
        cacheRead: null,
        cacheWrite5m: null,
        cacheWrite1h: null,
        output: "15",
        longContext: [],
      },
    },
  ],
};

async function act(user: ReturnType<typeof renderApp>["user"], what: string) {
  await user.click(await screen.findByRole("button", { name: "Actions for Laptop" }));
  await user.click(await screen.findByRole("menuitem", { name: what }));
}

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
  expect(server.lastOf("CreateApiKey")).toEqual({
    input: { name: "", expiresAt: null, modelIds: null, rateLimit: null, budget: null },
  });
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
  const server = stubServer({ ApiKeys: page(key), RevokeApiKey: revoked });
  const { user } = renderApp("/api-keys", { server });
  await act(user, "Revoke");
  const dialog = within(await screen.findByRole("dialog"));
  expect(dialog.getByText(/refused with 401/)).toBeVisible();
  expect(server.lastOf("RevokeApiKey")).toBeUndefined();

  server.on({ ApiKeys: page({ ...key, status: "REVOKED" }) });
  await user.click(dialog.getByRole("button", { name: "Revoke key" }));
  expect(await screen.findByText("Revoked")).toBeVisible();
  expect(server.lastOf("RevokeApiKey")).toEqual({ id: "key-1" });
  expect(screen.queryByRole("button", { name: "Actions for Laptop" })).not.toBeInTheDocument();
});

it("makes a key that may do less than its owner", async () => {
  const { user, server } = renderApp("/api-keys", {
    server: stubServer({
      ApiKeys: page(),
      CreateApiKey: created,
      CallableModels: callable,
      AvailableModels: models,
    }),
  });
  const dialog = await openDialog(user);
  await user.click(dialog.getByRole("button", { name: /Narrow it/ }));
  await user.click(dialog.getByRole("radio", { name: "Only some of them" }));
  await user.click(dialog.getByRole("button", { name: "Create key" }));
  expect(await dialog.findByText("Choose at least one model")).toBeVisible();
  expect(server.lastOf("CreateApiKey")).toBeUndefined();

  await user.click(dialog.getByRole("combobox", { name: "Models that this key may call" }));
  await user.click(await screen.findByRole("option", { name: "haiku" }));
  await user.type(dialog.getByLabelText("Requests per minute"), "0");
  await user.type(dialog.getByLabelText("Daily cap"), "2.50");
  await user.click(dialog.getByRole("button", { name: "Create key" }));
  await screen.findByLabelText("Your new key");
  expect(server.lastOf("CreateApiKey").input).toEqual({
    name: "",
    expiresAt: null,
    modelIds: ["model-1"],
    rateLimit: { ...noLimits, requestsPerMinute: 0 },
    budget: { daily: "2.5", weekly: null, monthly: null },
  });
});

it("edits a key from the version that was shown, and keeps its end unless another is chosen", async () => {
  const narrowed = {
    ...key,
    models: [{ id: "model-9", slug: "retired" }],
    budget: { daily: "2", weekly: null, monthly: null, alertThresholds: [50] },
  };
  const { user, server } = renderApp("/api-keys", {
    server: stubServer({
      ApiKeys: page(narrowed),
      CallableModels: callable,
      UpdateApiKey: { updateApiKey: { apiKey: { id: "key-1" } } },
    }),
  });
  expect(await screen.findByText("retired")).toBeVisible();
  await act(user, "Edit or narrow");
  const dialog = within(await screen.findByRole("dialog"));
  const cap = await dialog.findByLabelText("Daily cap");
  await user.clear(cap);
  await user.type(cap, "3");
  await user.click(dialog.getByRole("button", { name: "Save" }));
  await screen.findByText(/Key saved/);
  expect(server.lastOf("UpdateApiKey").input).toEqual({
    id: "key-1",
    expectedVersion: 4,
    name: "Laptop",
    modelIds: ["model-9"],
    rateLimit: null,
    budget: { daily: "3", weekly: null, monthly: null, alertThresholds: [50] },
  });
});

it("lets one choose when somebody else changed the key meanwhile, and loses nothing that was typed", async () => {
  const stale = refuse(
    "This was changed since you loaded it: it is at version 5 now, and your edit began at 4. Bob <bob@example.com> changed name at 2026-11-24 12:00 UTC. Load it again, and repeat what you still want.",
    "stale_version",
    "expectedVersion",
  );
  const { user, server } = renderApp("/api-keys", {
    server: stubServer({ ApiKeys: page(key), UpdateApiKey: stale }),
  });
  await act(user, "Edit or narrow");
  const dialog = within(await screen.findByRole("dialog"));
  const name = await dialog.findByLabelText("Name");
  await user.clear(name);
  await user.type(name, "Mine");
  server.on({ ApiKeys: page({ ...key, name: "Theirs", version: 5 }) });
  await user.click(dialog.getByRole("button", { name: "Save" }));
  const notice = await dialog.findByRole("alert");
  expect(notice).toHaveTextContent("Bob <bob@example.com> changed name at 2026-11-24 12:00 UTC.");
  expect(notice).toHaveTextContent("Name: now Theirs, you entered Mine");
  expect(name).toHaveValue("Mine");
  expect(dialog.getByRole("button", { name: "Save" })).toBeDisabled();

  server.on({ UpdateApiKey: { updateApiKey: { apiKey: { id: "key-1" } } } });
  await user.click(dialog.getByRole("button", { name: "Keep mine" }));
  await user.click(dialog.getByRole("button", { name: "Save" }));
  await screen.findByText(/Key saved/);
  expect(server.lastOf("UpdateApiKey").input).toMatchObject({ name: "Mine", expectedVersion: 5 });
});

it("gives a key a new secret and says until when the old one works", async () => {
  const { user, server } = renderApp("/api-keys", {
    server: stubServer({
      ApiKeys: page(key),
      RotateApiKey: {
        rotateApiKey: {
          secret: "sg_new_secret",
          apiKey: {
            id: "key-1",
            prefix: "sg_new",
            previousPrefix: "sg_abc123",
            previousExpiresAt: "2099-01-01T00:00:00.000Z",
          },
        },
      },
    }),
  });
  await act(user, "New secret");
  const dialog = within(await screen.findByRole("dialog"));
  await user.selectOptions(await dialog.findByRole("combobox"), "One week");
  await user.click(dialog.getByRole("button", { name: "Make new secret" }));
  expect(await screen.findByLabelText("Your new key")).toHaveValue("sg_new_secret");
  expect(screen.getByText(/the old secret, sg_abc123…|Both work until then/)).toBeVisible();
  expect(server.lastOf("RotateApiKey")).toEqual({ id: "key-1", overlapHours: 168 });
  await user.click(screen.getByRole("button", { name: "Done" }));
  await waitFor(() => expect(screen.queryByRole("dialog")).not.toBeInTheDocument());
  expect(document.body.textContent).not.toContain("sg_new_secret");
});
