import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { expect, it } from "vitest";
import type { PriceList, ProviderModel } from "@/features/providers/queries";
import { mockProvider, mockProviderModel } from "@/test/catalog";
import { openProvider } from "@/test/providers";
import { refuse } from "@/test/server";

const front = (slug: string, ids: string[], status: "ACTIVE" | "DRAFT" = "ACTIVE") => ({
  id: slug,
  slug,
  status,
  backends: ids.map((id) => ({ providerModel: { id, provider: { id: "provider-1" } } })),
});

const bare: Partial<ProviderModel> = {
  priced: false,
  prices: {
    input: null,
    cacheRead: null,
    cacheWrite5m: null,
    cacheWrite1h: null,
    output: null,
    longContext: [],
  },
};

it("calls a model without a price not served, and one that is free free", async () => {
  const models = [
    mockProviderModel({ id: "a", name: "unpriced", ...bare }),
    mockProviderModel({ id: "b", name: "gratis", ...bare, priced: true, free: true }),
    mockProviderModel({ id: "c", name: "paid" }),
  ];
  openProvider(mockProvider({ models }));
  const row = async (name: string) => await screen.findByRole("row", { name: new RegExp(name) });
  expect(await row("unpriced")).toHaveTextContent("Not served: no price");
  expect(await row("gratis")).toHaveTextContent("Free");
  const paid = await row("paid");
  expect(paid).not.toHaveTextContent("Not served");
  expect(within(paid).getAllByTitle("No price of its own: charged as input")).toHaveLength(2);
});

it("warns while a model has no price, and sends exact prices", async () => {
  const { user, server } = openProvider(mockProvider({ models: [] }), {
    CreateProviderModel: { createProviderModel: { providerModel: { id: "x", name: "gpt-5" } } },
  });
  await user.click(await screen.findByRole("button", { name: "Add model" }));
  const dialog = await screen.findByRole("dialog", { name: "Add a model of OpenAI Europe" });
  const warning = /this model is not served/;
  within(dialog).getByText(warning);
  await user.type(within(dialog).getByRole("textbox", { name: /^Name/ }), "gpt-5");
  await user.type(within(dialog).getByLabelText("Input"), "1.250");
  await user.type(within(dialog).getByLabelText("Output"), "-3");
  await user.click(within(dialog).getByRole("button", { name: "Add model" }));
  await within(dialog).findByText("An amount can't be negative");
  expect(server.lastOf("CreateProviderModel")).toBeUndefined();

  await user.clear(within(dialog).getByLabelText("Output"));
  await user.type(within(dialog).getByLabelText("Output"), "10");
  expect(within(dialog).queryByText(warning)).not.toBeInTheDocument();
  await user.type(within(dialog).getByLabelText(/Context window/), "400000");
  await user.click(within(dialog).getByRole("button", { name: "Add model" }));
  await waitFor(() => expect(dialog).not.toBeInTheDocument());
  expect(server.lastOf("CreateProviderModel")).toEqual({
    input: {
      providerId: "provider-1",
      name: "gpt-5",
      kind: "CHAT",
      prices: {
        input: "1.25",
        cacheRead: null,
        cacheWrite5m: null,
        cacheWrite1h: null,
        output: "10",
        longContext: [],
      },
      free: false,
      own: false,
      contextWindow: 400_000,
      maxOutputTokens: null,
      capabilities: [],
    },
  });
});

it("edits prices of a model and marks it free", async () => {
  const { user, server } = openProvider(mockProvider(), {
    UpdateProviderModel: { updateProviderModel: { providerModel: { id: "pm-1", name: "gpt-5" } } },
  });
  await user.click(await screen.findByRole("button", { name: "Actions for gpt-5" }));
  await user.click(await screen.findByRole("menuitem", { name: "Edit prices and limits" }));
  const dialog = await screen.findByRole("dialog", { name: "Edit gpt-5" });
  expect(within(dialog).getByLabelText("Cache read")).toHaveValue("0.125");
  await user.click(within(dialog).getByLabelText("Calls cost nothing"));
  await user.click(within(dialog).getByRole("button", { name: "Save" }));
  await waitFor(() =>
    expect(server.lastOf("UpdateProviderModel")).toMatchObject({
      input: { id: "pm-1", free: true, contextWindow: 400_000, expectedVersion: 2 },
    }),
  );
});

it("shows another price that somebody else saved meanwhile, and takes it when told so", async () => {
  const { user, server } = openProvider(mockProvider(), {
    UpdateProviderModel: refuse("This was changed since you loaded it.", "stale_version"),
  });
  await user.click(await screen.findByRole("button", { name: "Actions for gpt-5" }));
  await user.click(await screen.findByRole("menuitem", { name: "Edit prices and limits" }));
  const dialog = await screen.findByRole("dialog", { name: "Edit gpt-5" });
  const output = within(dialog).getByLabelText("Output");
  await user.clear(output);
  await user.type(output, "12");
  const prices = { ...mockProviderModel().prices, output: "11" };
  const model = mockProviderModel({ prices, version: 9 });
  server.on({ ProviderDetail: { provider: mockProvider({ models: [model] }) } });
  await user.click(within(dialog).getByRole("button", { name: "Save" }));
  expect(await within(dialog).findByRole("alert")).toHaveTextContent(
    "Output: now 11, you entered 12",
  );
  await user.click(within(dialog).getByRole("button", { name: "Use what is there now" }));
  expect(output).toHaveValue("11");
  expect(within(dialog).queryByRole("alert")).not.toBeInTheDocument();
});

it("says which models a provider model leaves without an answer", async () => {
  const models = [mockProviderModel({ usedBy: [front("wise", ["pm-1"])] })];
  const { user, server } = openProvider(mockProvider({ models }), {
    DeleteProviderModel: { deleteProviderModel: { id: "pm-1" } },
  });
  await user.click(await screen.findByRole("button", { name: "Actions for gpt-5" }));
  await user.click(await screen.findByRole("menuitem", { name: "Delete" }));
  const dialog = await screen.findByRole("dialog", { name: "Delete gpt-5?" });
  expect(dialog).toHaveTextContent("wise will answer no call any more");
  await user.click(within(dialog).getByRole("button", { name: "Delete model" }));
  await waitFor(() => expect(server.lastOf("DeleteProviderModel")).toEqual({ id: "pm-1" }));
});

const list = (id: string, status: PriceList["status"], startsAt: string): PriceList => ({
  id,
  status,
  startsAt,
  free: false,
  own: false,
  multiplier: "1",
  derived: false,
  prices: mockProviderModel().prices,
  charged: { ...mockProviderModel().prices, output: id === "next" ? "8" : "10" },
});

it("shows past, present and planned prices, and takes a plan back", async () => {
  const priceLists = [
    list("next", "COMING", "2027-01-01T12:00:00Z"),
    list("now", "CURRENT", "2026-11-01T12:00:00Z"),
    list("then", "PAST", "2026-01-01T12:00:00Z"),
  ];
  const models = [mockProviderModel({ priceLists })];
  const { user, server } = openProvider(mockProvider({ models }), {
    WithdrawPrices: { withdrawPrices: { providerModel: { id: "pm-1", name: "gpt-5" } } },
  });
  await screen.findByText(/^New price/);
  await user.click(await screen.findByRole("button", { name: "Actions for gpt-5" }));
  await user.click(await screen.findByRole("menuitem", { name: "Price history and plans" }));
  const dialog = await screen.findByRole("dialog", { name: "Prices of gpt-5" });
  const [, ...rows] = within(dialog).getAllByRole("row");
  expect(rows.map((row) => /Planned|In force|Past/.exec(row.textContent ?? "")?.[0])).toEqual([
    "Planned",
    "In force",
    "Past",
  ]);
  expect(rows[0]).toHaveTextContent("$8.00");
  await user.click(within(dialog).getByRole("button", { name: /Withdraw/ }));
  await waitFor(() => expect(server.lastOf("WithdrawPrices")).toEqual({ id: "next" }));
});

it("plans prices from the present ones on, for a time to come alone", async () => {
  const { user, server } = openProvider(mockProvider(), {
    SchedulePrices: { schedulePrices: { providerModel: { id: "pm-1", name: "gpt-5" } } },
  });
  await user.click(await screen.findByRole("button", { name: "Actions for gpt-5" }));
  await user.click(await screen.findByRole("menuitem", { name: "Price history and plans" }));
  const dialog = await screen.findByRole("dialog", { name: "Prices of gpt-5" });
  await user.click(within(dialog).getByRole("button", { name: "Plan a change" }));
  await user.click(within(dialog).getByRole("button", { name: "Plan" }));
  await within(dialog).findByText("Choose a time to come");
  expect(server.lastOf("SchedulePrices")).toBeUndefined();
  fireEvent.change(within(dialog).getByLabelText(/In force from/), {
    target: { value: "2099-01-01T00:00" },
  });
  await user.clear(within(dialog).getByLabelText("Output"));
  await user.type(within(dialog).getByLabelText("Output"), "8");
  await user.click(within(dialog).getByRole("button", { name: "Plan" }));
  await waitFor(() =>
    expect(server.lastOf("SchedulePrices")).toEqual({
      input: {
        providerModelId: "pm-1",
        startsAt: new Date("2099-01-01T00:00").toISOString(),
        prices: {
          input: "1.25",
          cacheRead: "0.125",
          cacheWrite5m: null,
          cacheWrite1h: null,
          output: "8",
          longContext: [],
        },
        free: false,
        own: false,
        expectedVersion: 2,
      },
    }),
  );
});

it("takes prices for long prompts, and shows them under the usual ones", async () => {
  const long = { input: "2.5", cacheRead: "0.25", cacheWrite5m: null, cacheWrite1h: null };
  const prices = {
    ...mockProviderModel().prices,
    longContext: [{ above: 200_000, ...long, output: "15" }],
  };
  const { user, server } = openProvider(mockProvider({ models: [mockProviderModel({ prices })] }), {
    UpdateProviderModel: { updateProviderModel: { providerModel: { id: "pm-1", name: "x" } } },
  });
  const row = await screen.findByRole("row", { name: /gpt-5/ });
  expect(row).toHaveTextContent("> 200K: $15.00");
  await user.click(await screen.findByRole("button", { name: "Actions for gpt-5" }));
  await user.click(await screen.findByRole("menuitem", { name: "Edit prices and limits" }));
  const dialog = await screen.findByRole("dialog", { name: "Edit gpt-5" });
  await user.click(within(dialog).getByRole("button", { name: "Add prices for long prompts" }));
  const [, added] = within(dialog).getAllByRole("group", { name: "Calls with long prompts" });
  if (!added) throw new Error("there is no second tier");
  await user.click(within(dialog).getByRole("button", { name: "Save" }));
  await within(added).findByText("Say above how many tokens");
  await user.type(within(added).getByLabelText("Above so many tokens"), "500000");
  await user.type(within(added).getByLabelText("Input"), "5");
  await user.type(within(added).getByLabelText("Output"), "30");
  await user.click(within(dialog).getByRole("button", { name: "Save" }));
  const none = { cacheRead: null, cacheWrite5m: null, cacheWrite1h: null };
  await waitFor(() =>
    expect(server.lastOf("UpdateProviderModel")).toMatchObject({
      input: {
        prices: {
          input: "1.25",
          longContext: [
            { above: 200_000, ...long, output: "15" },
            { above: 500_000, input: "5", ...none, output: "30" },
          ],
        },
      },
    }),
  );
});

it("charges list prices times the provider's multiplier, and own prices as they are", async () => {
  const models = [
    mockProviderModel({
      id: "list",
      name: "listed",
      charged: { ...mockProviderModel().prices, output: "8.5" },
    }),
    mockProviderModel({ id: "own", name: "agreed", own: true }),
  ];
  const { user, server } = openProvider(mockProvider({ models, priceMultiplier: "0.85" }), {
    UpdateProviderModel: { updateProviderModel: { providerModel: { id: "own", name: "x" } } },
  });
  const listed = await screen.findByRole("row", { name: /listed/ });
  expect(within(listed).getByTitle(/List price \$10.00/)).toHaveTextContent("$8.50");
  expect(await screen.findByRole("row", { name: /agreed/ })).toHaveTextContent("Own prices");
  await user.click(screen.getByRole("button", { name: "Actions for agreed" }));
  await user.click(await screen.findByRole("menuitem", { name: "Edit prices and limits" }));
  const dialog = await screen.findByRole("dialog", { name: "Edit agreed" });
  await user.click(within(dialog).getByLabelText("Own prices"));
  await user.click(within(dialog).getByRole("button", { name: "Save" }));
  await waitFor(() =>
    expect(server.lastOf("UpdateProviderModel")).toMatchObject({ input: { own: false } }),
  );
});

it("refuses a multiplier that is none", async () => {
  const { user, server } = openProvider();
  await user.click(await screen.findByRole("button", { name: "Edit" }));
  const dialog = await screen.findByRole("dialog", { name: "Edit provider" });
  const field = within(dialog).getByLabelText(/Price multiplier/);
  await user.clear(field);
  await user.type(field, "15%");
  await user.click(within(dialog).getByRole("button", { name: "Save" }));
  await within(dialog).findByText(/A factor is a number such as 0.85/);
  expect(server.lastOf("UpdateProvider")).toBeUndefined();
  await user.clear(field);
  await user.type(field, "0.85");
  await user.click(within(dialog).getByRole("button", { name: "Save" }));
  await waitFor(() =>
    expect(server.lastOf("UpdateProvider")).toMatchObject({ input: { priceMultiplier: "0.85" } }),
  );
});

const offered = (name: string, more: object = {}) => ({
  name,
  kind: "CHAT" as const,
  prices: mockProviderModel().prices,
  contextWindow: 400_000,
  maxOutputTokens: null,
  capabilities: ["tools"],
  ...more,
});
const imported = {
  ImportProviderModels: {
    importProviderModels: { providerModels: [{ id: "n", name: "n" }], skipped: [] },
  },
};

it("imports chosen models from the catalogue with their prices", async () => {
  const { name: _name, ...rest } = offered("");
  const entry = (model: string) => ({
    model,
    ...rest,
    source: "https://example.com/prices",
    asOf: "2026-10-26",
  });
  const { user, server } = openProvider(mockProvider(), {
    ...imported,
    PriceCatalog: {
      priceCatalog: {
        publishedOn: "2026-10-26",
        refreshed: false,
        entries: [entry("gpt-5"), entry("gpt-6"), entry("gpt-7")],
      },
    },
  });
  await user.click(await screen.findByRole("button", { name: "Import models" }));
  const dialog = await screen.findByRole("dialog", { name: "Import models of OpenAI Europe" });
  expect(await within(dialog).findByLabelText("Import gpt-5")).toBeDisabled();
  expect(within(dialog).getByRole("button", { name: "Add models" })).toBeDisabled();
  await user.click(within(dialog).getByLabelText("Import gpt-6"));
  await user.click(within(dialog).getByRole("button", { name: "Add 1 model" }));
  await waitFor(() =>
    expect(server.lastOf("ImportProviderModels")).toEqual({
      input: { providerId: "provider-1", models: [offered("gpt-6")] },
    }),
  );
});

it("asks the provider for its models, and tells when it does not answer", async () => {
  const answer = (ok: boolean, offers: object[]) => ({
    ListProviderOffers: { listProviderOffers: { ok, message: "It is away.", offers } },
  });
  const empty = { publishedOn: "2026-10-26", refreshed: false, entries: [] };
  const { user, server } = openProvider(mockProvider(), {
    ...imported,
    ...answer(false, []),
    PriceCatalog: { priceCatalog: empty },
  });
  await user.click(await screen.findByRole("button", { name: "Import models" }));
  const dialog = await screen.findByRole("dialog", { name: "Import models of OpenAI Europe" });
  await user.click(within(dialog).getByText("From the provider"));
  await user.click(within(dialog).getByRole("button", { name: "Ask for the list" }));
  await within(dialog).findByText("It is away.");
  server.on(answer(true, [offered("gpt-6"), offered("odd", { prices: null })]));
  await user.click(within(dialog).getByRole("button", { name: "Ask for the list" }));
  const odd = await within(dialog).findByRole("row", { name: /odd/ });
  expect(odd).toHaveTextContent("No price known");
  await user.click(within(dialog).getByLabelText("Import odd"));
  await user.click(within(dialog).getByRole("button", { name: "Add 1 model" }));
  await waitFor(() =>
    expect(server.lastOf("ImportProviderModels")).toMatchObject({
      input: { models: [{ name: "odd", prices: null }] },
    }),
  );
});

it("says where a price is another than the catalogue's", async () => {
  const { prices } = mockProviderModel();
  const entry = (output: string) => ({
    source: "https://example.com/prices",
    asOf: "2026-10-26",
    // A cache class without a price of its own is charged as input either way.
    prices: { ...prices, cacheWrite5m: prices.input, output },
  });
  const models = [
    mockProviderModel({ id: "a", name: "same", catalogEntry: entry("10") }),
    mockProviderModel({ id: "b", name: "other", catalogEntry: entry("12") }),
  ];
  openProvider(mockProvider({ models }));
  const other = await screen.findByRole("row", { name: /other/ });
  const hint = within(other).getByRole("link", { name: "Differs from the price catalogue" });
  expect(hint).toHaveAttribute("href", "https://example.com/prices");
  expect(screen.getAllByRole("link", { name: /price catalogue/ })).toHaveLength(1);
});
