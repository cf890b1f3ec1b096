import { screen, waitFor, within } from "@testing-library/react";
import { expect, it } from "vitest";
import { mockBackend, mockModel, mockOffer, mockPage } from "@/test/catalog";
import { renderApp } from "@/test/render";
import { refuse, stubServer } from "@/test/server";
import { mockSession } from "@/test/session";

const offers = [
  mockOffer("gpt-5"),
  mockOffer("gpt-5-mini", { obstacle: "No price is set" }),
  mockOffer("embed-3", { kind: "EMBEDDING" }),
];

const asProviders = (all: typeof offers) => ({
  providers: { edges: [{ node: { id: "provider-1", name: "OpenAI Europe", models: all } }] },
});

function openList(models = [mockModel()], more: Record<string, unknown> = {}, at = "") {
  const server = stubServer({
    ModelList: { models: mockPage(models) },
    ProviderModelOptions: asProviders(offers),
    ...more,
  });
  return renderApp(`/admin/models${at}`, { session: mockSession({ role: "ADMIN" }), server });
}

async function addDialog(user: ReturnType<typeof openList>["user"]) {
  await user.click((await screen.findAllByRole("button", { name: "Add model" }))[0] as Element);
  const dialog = await screen.findByRole("dialog", { name: "Add model" });
  return {
    dialog,
    slug: within(dialog).getByRole("textbox", { name: /Slug/ }),
    submit: () => user.click(within(dialog).getByRole("button", { name: "Add model" })),
    pick: async (name: string) => {
      await user.click(await within(dialog).findByRole("combobox", { name: "Add a backend" }));
      await user.click(await screen.findByRole("option", { name: new RegExp(`^${name}\\b(?!-)`) }));
    },
  };
}

it("tells of each model who answers for it, and which active ones nobody answers for", async () => {
  openList([
    mockModel({ backends: [mockBackend("gpt-5"), mockBackend("b", 1), mockBackend("c", 2)] }),
    mockModel({ id: "2", slug: "broken", backends: [mockBackend("x", 0, 1, "No price is set")] }),
    mockModel({ id: "3", slug: "planned", status: "DRAFT", backends: [] }),
  ]);
  const row = async (name: string) => (await screen.findByRole("link", { name })).closest("tr");
  expect(await row("gpt-5")).toHaveTextContent("gpt-5 · OpenAI Europe and 2 more");
  expect(await row("broken")).toHaveTextContent("Active, not served");
  expect(await row("planned")).toHaveTextContent("Draft");
  expect(await row("planned")).toHaveTextContent("None");
});

it("takes search and filters from the address and says what to do when they leave nothing", async () => {
  const { user, server, path } = openList([], {}, "?q=zzz&status=DRAFT&kind=nonsense");
  await screen.findByText("No model matches");
  expect(server.lastOf("ModelList")).toMatchObject({ search: "zzz", status: "DRAFT", kind: null });
  await user.click(screen.getByRole("button", { name: "Clear search and filters" }));
  await waitFor(() => expect(path()).toBe("/admin/models"));
  await screen.findByText("No models yet");
});

it("refuses a bad slug and an active model without backend before the server is asked", async () => {
  const { user, server } = openList();
  const { dialog, slug, submit } = await addDialog(user);
  await user.type(slug, "Gpt 5");
  await submit();
  await within(dialog).findByText(/Use lowercase letters/);
  within(dialog).getByText(/An active model needs a backend/);
  expect(server.lastOf("CreateModel")).toBeUndefined();
});

it("adds a model with backends in the order that was arranged", async () => {
  const { user, server, path } = openList([], {
    CreateModel: { createModel: { model: { id: "model-9", slug: "gpt" } } },
    ModelDetail: { model: mockModel({ id: "model-9", slug: "gpt" }) },
    ModelHolders: { model: { id: "model-9", grants: mockPage([]) } },
  });
  const { dialog, slug, submit, pick } = await addDialog(user);
  await user.type(slug, "gpt");
  await pick("gpt-5-mini");
  await pick("gpt-5");
  within(dialog).getByText("No price is set");
  await user.click(within(dialog).getByRole("button", { name: "Try gpt-5 earlier" }));
  await user.clear(within(dialog).getByRole("textbox", { name: "Weight of gpt-5" }));
  await user.type(within(dialog).getByRole("textbox", { name: "Weight of gpt-5" }), "3");
  within(dialog).getByText("75%");
  await submit();
  await waitFor(() => expect(path()).toBe("/admin/models/model-9"));
  expect(server.lastOf("CreateModel")).toEqual({
    input: {
      slug: "gpt",
      displayName: "",
      kind: "CHAT",
      status: "ACTIVE",
      backends: [
        { providerModelId: "pm-gpt-5-mini", priority: 0, weight: 1 },
        { providerModelId: "pm-gpt-5", priority: 0, weight: 3 },
      ],
    },
  });
  await screen.findByText("Nobody may call it yet");
});

it("offers what is of the model's kind and not in use yet", async () => {
  const { user } = openList();
  const { dialog, pick } = await addDialog(user);
  await pick("gpt-5");
  const picker = within(dialog).getByRole("combobox", { name: "Add a backend" });
  await user.click(picker);
  const list = await screen.findByRole("listbox", { name: "Add a backend" });
  expect(
    within(list)
      .getAllByRole("option")
      .map(({ textContent }) => textContent),
  ).toEqual(["gpt-5-miniOpenAI Europe · No price is set"]);
  await user.click(within(dialog).getByText("Embedding"));
  expect(within(dialog).queryByRole("button", { name: "Remove gpt-5" })).not.toBeInTheDocument();
  await pick("embed-3");
  within(dialog).getByRole("button", { name: "Remove embed-3" });
});

it("leads to the providers where nothing is on offer", async () => {
  const { user } = openList([], { ProviderModelOptions: asProviders([]) });
  const { dialog } = await addDialog(user);
  const link = await within(dialog).findByRole("link", { name: "Add one to a provider" });
  expect(link).toHaveAttribute("href", "/admin/providers");
});

it("shows the server's refusal at the field that it names", async () => {
  const { user } = openList([], {
    CreateModel: refuse("There is a model called gpt already.", "conflict", "slug"),
  });
  const { dialog, slug, submit, pick } = await addDialog(user);
  await user.type(slug, "gpt");
  await pick("gpt-5");
  await submit();
  await within(dialog).findByText("There is a model called gpt already.");
  expect(slug).toBeInvalid();
});
