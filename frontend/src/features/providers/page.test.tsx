import { screen, waitFor, within } from "@testing-library/react";
import { expect, it } from "vitest";
import { mockKinds, mockPage, mockProvider } from "@/test/catalog";
import { renderApp } from "@/test/render";
import { refuse, stubServer } from "@/test/server";
import { mockSession } from "@/test/session";

const admin = { session: mockSession({ role: "ADMIN" }) };

function openList(providers = [mockProvider()], more: Record<string, unknown> = {}) {
  const server = stubServer({
    ProviderList: { providers: mockPage(providers) },
    ProviderKinds: { providerKinds: mockKinds },
    ...more,
  });
  return renderApp("/admin/providers", { ...admin, server });
}

async function addDialog(user: ReturnType<typeof openList>["user"], kind: string) {
  await user.click((await screen.findAllByRole("button", { name: "Add provider" }))[0] as Element);
  const dialog = await screen.findByRole("dialog", { name: "Add provider" });
  await user.click(await within(dialog).findByRole("combobox", { name: "Kind" }));
  await user.click(await screen.findByRole("option", { name: kind }));
  const submit = () => user.click(within(dialog).getByRole("button", { name: "Add provider" }));
  return { dialog, submit };
}

it("tells of each provider its kind, where calls go, and what keeps them away", async () => {
  openList([
    mockProvider(),
    mockProvider({ id: "2", name: "Plain", baseUrl: null, organization: null, enabled: false }),
    mockProvider({ id: "3", name: "Keyless", credentialPrefix: null }),
  ]);
  const rows = await screen.findAllByRole("row", { name: /OpenAI/ });
  expect(rows[0]).toHaveTextContent("https://eu.api.openai.com/v1 · org-acme");
  expect(rows[0]).toHaveTextContent("Enabled");
  expect(rows[1]).toHaveTextContent("https://api.openai.com/v1");
  expect(rows[1]).toHaveTextContent("Disabled");
  expect(rows[2]).toHaveTextContent("No API key");
});

it("searches on the server and keeps the search in the address", async () => {
  const { user, server, path } = openList();
  await user.type(await screen.findByRole("searchbox", { name: "Search by name" }), "eu");
  await waitFor(() => expect(path()).toBe("/admin/providers?q=eu"));
  await waitFor(() => expect(server.lastOf("ProviderList")).toMatchObject({ search: "eu" }));
});

it("says what to do first when there are none", async () => {
  openList([]);
  await screen.findByText("No providers yet");
  expect(screen.getAllByRole("button", { name: "Add provider" })).toHaveLength(2);
});

it("offers another try when the list can't be loaded", async () => {
  const { user, server } = openList([], {
    ProviderList: refuse("The database rests.", "internal"),
  });
  await screen.findByText("The database rests.");
  server.on({ ProviderList: { providers: mockPage([mockProvider()]) } });
  await user.click(screen.getByRole("button", { name: "Try again" }));
  await screen.findByRole("link", { name: "OpenAI Europe" });
});

it("asks for what the chosen kind has", async () => {
  const { user } = openList();
  const { dialog } = await addDialog(user, "Anthropic-compatible");
  expect(within(dialog).getByRole("textbox", { name: /Base URL/ })).toBeRequired();
  expect(within(dialog).queryByLabelText(/Organisation/)).not.toBeInTheDocument();
  expect(within(dialog).getByLabelText(/^API key/)).not.toBeRequired();
  expect(within(dialog).getByRole("textbox", { name: /Name/ })).toHaveValue("Anthropic-compatible");

  await user.click(within(dialog).getByRole("combobox", { name: "Kind" }));
  await user.click(await screen.findByRole("option", { name: "OpenAI" }));
  expect(within(dialog).getByLabelText(/Organisation/)).toBeInTheDocument();
  expect(within(dialog).getByRole("textbox", { name: /Name/ })).toHaveValue("OpenAI");
});

it("takes a pair of keys or an API key for Amazon Bedrock, and wants its region", async () => {
  const { user, server } = openList([], {
    CreateProvider: { createProvider: { provider: { id: "provider-9", name: "Amazon Bedrock" } } },
    ProviderDetail: { provider: mockProvider({ id: "provider-9", models: [] }) },
  });
  const { dialog, submit } = await addDialog(user, "Amazon Bedrock");
  await submit();
  await within(dialog).findByText("Give the region, such as eu-central-1");
  within(dialog).getByText("Give the access key id, which begins with AKIA or ASIA");
  within(dialog).getByText("Give the secret that belongs to the access key");
  expect(server.lastOf("CreateProvider")).toBeUndefined();

  await user.type(within(dialog).getByLabelText(/^Region/), "eu-central-1");
  await user.type(within(dialog).getByLabelText(/^Access key ID/), " AKIA0123 ");
  await user.type(within(dialog).getByLabelText(/^Secret access key/), "hush");
  server.on({ CreateProvider: refuse("Is needed.", "invalid_input", "accessKeys.sessionToken") });
  await submit();
  await within(dialog).findByText("Is needed.");
  expect(server.lastOf("CreateProvider")).toMatchObject({
    input: {
      kind: "BEDROCK",
      region: "eu-central-1",
      accessKeys: { accessKeyId: "AKIA0123", secretAccessKey: "hush", sessionToken: null },
    },
  });

  await user.click(within(dialog).getByText("Bedrock API key"));
  expect(within(dialog).queryByLabelText(/^Secret access key/)).not.toBeInTheDocument();
  await user.type(within(dialog).getByLabelText(/^API key/), "ABSK0123");
  await submit();
  await waitFor(() =>
    expect(server.lastOf("CreateProvider")).toMatchObject({ input: { credential: "ABSK0123" } }),
  );
  expect(server.lastOf("CreateProvider")).not.toHaveProperty("input.accessKeys");
});

it("asks a compatible server whether it serves Responses", async () => {
  const { user, server } = openList([], {
    CreateProvider: { createProvider: { provider: { id: "provider-9", name: "Own" } } },
    ProviderDetail: { provider: mockProvider({ id: "provider-9", models: [] }) },
  });
  const { dialog, submit } = await addDialog(user, "OpenAI-compatible");
  await user.type(within(dialog).getByLabelText(/^Base URL/), "https://llm.example.com/v1");
  await user.click(within(dialog).getByRole("combobox", { name: /Responses/ }));
  await user.click(await screen.findByRole("option", { name: /translated to Chat/ }));
  await submit();
  await waitFor(() =>
    expect(server.lastOf("CreateProvider")).toMatchObject({
      input: { kind: "CUSTOM_OPENAI", servesResponses: false },
    }),
  );
});

it("does not ask the server for a provider without its key, and opens the page of the added one", async () => {
  const { user, server, path } = openList([], {
    CreateProvider: { createProvider: { provider: { id: "provider-9", name: "OpenAI" } } },
    ProviderDetail: { provider: mockProvider({ id: "provider-9", name: "OpenAI", models: [] }) },
  });
  const { dialog, submit } = await addDialog(user, "OpenAI");
  await submit();
  await within(dialog).findByText("OpenAI can't be called without a key");
  expect(server.lastOf("CreateProvider")).toBeUndefined();

  await user.type(within(dialog).getByLabelText(/^API key/), " sk-secret ");
  await user.type(within(dialog).getByLabelText(/Organisation/), "org-1");
  await submit();
  await waitFor(() => expect(path()).toBe("/admin/providers/provider-9"));
  expect(server.lastOf("CreateProvider")).toEqual({
    input: {
      kind: "OPENAI",
      name: "OpenAI",
      baseUrl: null,
      organization: "org-1",
      region: null,
      apiVersion: null,
      priceMultiplier: "1",
      credential: "sk-secret",
    },
  });
  await screen.findByText("No models yet");
});

it("shows the server's refusal at the field that it names", async () => {
  const { user } = openList([], {
    CreateProvider: refuse("There is a provider called Demo already.", "conflict", "name"),
  });
  const { dialog, submit } = await addDialog(user, "Demo");
  await submit();
  await within(dialog).findByText("There is a provider called Demo already.");
  expect(within(dialog).getByRole("textbox", { name: /Name/ })).toBeInvalid();
});
