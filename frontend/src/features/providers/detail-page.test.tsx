import { screen, waitFor, within } from "@testing-library/react";
import { expect, it } from "vitest";
import { mockProvider, mockProviderModel } from "@/test/catalog";
import { openProvider } from "@/test/providers";
import { refuse } from "@/test/server";

const front = (slug: string, ids: string[], status: "ACTIVE" | "DRAFT" = "ACTIVE") => ({
  id: slug,
  slug,
  status,
  backends: ids.map((id) => ({ providerModel: { id, provider: { id: "provider-1" } } })),
});

it("shows a key's beginning and age, and replaces it without showing anything else", async () => {
  const { user, server } = openProvider();
  await screen.findByText("sk-pro…");
  await user.click(screen.getByRole("button", { name: "Replace key" }));
  const dialog = await screen.findByRole("dialog", { name: "Replace API key" });
  const field = within(dialog).getByLabelText(/New API key/);
  expect(field).toHaveValue("");
  expect(field).toHaveAttribute("type", "password");
  await user.type(field, "sk-new");
  await user.click(within(dialog).getByRole("button", { name: "Replace key" }));
  await waitFor(() => expect(dialog).not.toBeInTheDocument());
  expect(server.lastOf("UpdateProvider")).toEqual({
    input: { id: "provider-1", credential: "sk-new", expectedVersion: 3 },
  });
});

it("asks for the key again before the address moves to another host", async () => {
  const { user, server } = openProvider();
  await user.click(await screen.findByRole("button", { name: "Edit" }));
  const dialog = await screen.findByRole("dialog", { name: "Edit provider" });
  const address = within(dialog).getByRole("textbox", { name: /Base URL/ });

  await user.type(address, "/beta");
  expect(within(dialog).queryByLabelText(/API key/)).not.toBeInTheDocument();
  await user.clear(address);
  await user.type(address, "https://elsewhere.example/v1");
  await user.click(within(dialog).getByRole("button", { name: "Save" }));
  await within(dialog).findByText("OpenAI can't be called without a key");
  expect(server.lastOf("UpdateProvider")).toBeUndefined();

  await user.type(within(dialog).getByLabelText(/API key/), "sk-other");
  await user.click(within(dialog).getByRole("button", { name: "Save" }));
  await waitFor(() =>
    expect(server.lastOf("UpdateProvider")).toEqual({
      input: {
        id: "provider-1",
        name: "OpenAI Europe",
        baseUrl: "https://elsewhere.example/v1",
        organization: "org-acme",
        region: null,
        apiVersion: null,
        priceMultiplier: "1",
        credential: "sk-other",
        expectedVersion: 3,
      },
    }),
  );
});

it("tells what came of a connection test, good or bad", async () => {
  const answer = (ok: boolean, message: string) => ({
    TestProvider: { testProvider: { ok, message, latencyMs: 120 } },
  });
  const { user, server } = openProvider(mockProvider(), answer(true, "It answered."));
  const test = await screen.findByRole("button", { name: "Test connection" });
  await user.click(test);
  await screen.findByText("It answered. It took 120 ms.");
  server.on(answer(false, "The provider refused the credential (status 401)."));
  await user.click(test);
  await screen.findByText("The provider refused the credential (status 401).");
  expect(screen.queryByText(/It answered/)).not.toBeInTheDocument();
});

it("spells out what goes with a provider before it is deleted", async () => {
  const models = [
    mockProviderModel({ id: "a", usedBy: [front("wise", ["a", "b"]), front("other", ["a", "z"])] }),
    mockProviderModel({ id: "b", name: "b", usedBy: [front("wise", ["a", "b"])] }),
    mockProviderModel({ id: "c", name: "c", usedBy: [front("plan", ["c"], "DRAFT")] }),
  ];
  const { user, server, path } = openProvider(mockProvider({ models }), {
    DeleteProvider: { deleteProvider: { id: "provider-1" } },
  });
  await user.click(await screen.findByRole("button", { name: "Delete" }));
  const dialog = await screen.findByRole("dialog");
  expect(dialog).toHaveTextContent("3 provider models and 4 backends go with it");
  expect(dialog).toHaveTextContent("wise has no other backend and answers no call any more");
  await user.click(within(dialog).getByRole("button", { name: "Delete provider" }));
  await waitFor(() => expect(path()).toBe("/admin/providers"));
  expect(server.lastOf("DeleteProvider")).toEqual({ id: "provider-1" });
});

it("leaves everything as it is when deleting is called off or refused", async () => {
  const { user, server, path } = openProvider(mockProvider(), {
    DeleteProvider: refuse("Not now.", "internal"),
  });
  await user.click(await screen.findByRole("button", { name: "Delete" }));
  await user.click(await screen.findByRole("button", { name: "Cancel" }));
  expect(server.lastOf("DeleteProvider")).toBeUndefined();
  await user.click(await screen.findByRole("button", { name: "Delete" }));
  await user.click(await screen.findByRole("button", { name: "Delete provider" }));
  await screen.findByText("Not now.");
  expect(path()).toBe("/admin/providers/provider-1");
});

it("disables after a question and enables without one", async () => {
  const { user, server } = openProvider();
  await user.click(await screen.findByRole("button", { name: "Disable" }));
  const dialog = await screen.findByRole("dialog");
  server.on({ ProviderDetail: { provider: mockProvider({ enabled: false }) } });
  await user.click(within(dialog).getByRole("button", { name: "Disable" }));
  await user.click(await screen.findByRole("button", { name: "Enable" }));
  await waitFor(() =>
    expect(server.lastOf("UpdateProvider")).toEqual({
      input: { id: "provider-1", enabled: true, expectedVersion: 3 },
    }),
  );
  const sent = server.calls.filter(({ name }) => name === "UpdateProvider");
  expect(sent[0]?.variables).toEqual({
    input: { id: "provider-1", enabled: false, expectedVersion: 3 },
  });
});

it("says that there is no such provider instead of showing an empty page", async () => {
  openProvider(null);
  await screen.findByRole("heading", { name: "There is no such provider" });
});

it("keeps stored header values, takes new ones, and shows none", async () => {
  const provider = mockProvider({ kind: "CUSTOM_ANTHROPIC", headerNames: ["x-team", "x-old"] });
  const { user, server } = openProvider(provider);
  await screen.findByText("x-team, x-old");
  await user.click(screen.getByRole("button", { name: "Edit headers" }));
  const dialog = await screen.findByRole("dialog", { name: "Headers for OpenAI Europe" });
  expect(within(dialog).getByLabelText("Value of header 1")).toHaveValue("");
  await user.click(within(dialog).getByRole("button", { name: "Remove header 2" }));
  await user.click(within(dialog).getByRole("button", { name: "Add header" }));
  await user.type(within(dialog).getByLabelText("Name of header 2"), "X-New");
  await user.click(within(dialog).getByRole("button", { name: "Save" }));
  await within(dialog).findByText("Give a value");
  await user.type(within(dialog).getByLabelText("Value of header 2"), "s3cret");
  await user.click(within(dialog).getByRole("button", { name: "Save" }));
  await waitFor(() =>
    expect(server.lastOf("UpdateProvider")).toEqual({
      input: {
        id: "provider-1",
        headers: [
          { name: "x-team", value: null },
          { name: "X-New", value: "s3cret" },
        ],
        expectedVersion: 3,
      },
    }),
  );
});

it("announces another multiplier, and takes an announced one back", async () => {
  const first = { startsAt: "2999-01-01T00:00:00Z", multiplier: "0.9" };
  const { user, server } = openProvider(mockProvider({ plannedMultipliers: [first] }), {
    UpdateProvider: { updateProvider: { provider: { id: "provider-1", name: "OpenAI Europe" } } },
  });
  await screen.findByText(/× 0.9 from/);
  await user.click(screen.getByRole("button", { name: "Plan changes" }));
  const dialog = await screen.findByRole("dialog", { name: /^Price multiplier/ });
  const plan = () => user.click(within(dialog).getByRole("button", { name: "Plan" }));
  await plan();
  await within(dialog).findByText("Choose a time to come");
  await user.type(within(dialog).getByLabelText(/In force from/), "2999-02-01T12:00");
  await user.clear(within(dialog).getByLabelText(/^Multiplier/));
  await user.type(within(dialog).getByLabelText(/^Multiplier/), "lots");
  await plan();
  await within(dialog).findByText(/A factor is a number such as 0.85/);
  await user.clear(within(dialog).getByLabelText(/^Multiplier/));
  await user.type(within(dialog).getByLabelText(/^Multiplier/), "0.8");
  await plan();
  await waitFor(() =>
    expect(server.lastOf("UpdateProvider")).toMatchObject({
      input: {
        id: "provider-1",
        plannedMultipliers: [
          first,
          { startsAt: new Date("2999-02-01T12:00").toISOString(), multiplier: "0.8" },
        ],
        expectedVersion: 3,
      },
    }),
  );
  await user.click(within(dialog).getByRole("button", { name: /^Withdraw/ }));
  await waitFor(() =>
    expect(server.lastOf("UpdateProvider")).toMatchObject({ input: { plannedMultipliers: [] } }),
  );
});
