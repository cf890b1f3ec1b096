import { screen, waitFor, within } from "@testing-library/react";
import { expect, it } from "vitest";
import { renderApp } from "@/test/render";
import { stubServer } from "@/test/server";

const model = (slug: string, more: object = {}) => ({
  slug,
  displayName: slug.toUpperCase(),
  kind: "CHAT",
  provider: "Demo",
  contextWindow: 200_000,
  maxOutputTokens: 8_192,
  capabilities: ["tools", "vision"],
  free: false,
  prices: {
    input: "3",
    cacheRead: "0.3",
    cacheWrite5m: null,
    cacheWrite1h: null,
    output: "15",
    longContext: [],
  },
  ...more,
});

it("shows what a model costs, and that a cache price of its own is missing", async () => {
  const server = stubServer({ AvailableModels: { availableModels: [model("claude-demo")] } });
  renderApp("/models", { server });
  const row = (await screen.findByText("claude-demo")).closest("tr") as HTMLElement;
  for (const text of ["tools · vision", "$0.30", "$15.00", "200K", "8.2K"]) {
    expect(within(row).getByText(text)).toBeInTheDocument();
  }
  expect(
    within(row)
      .getAllByTitle("Priced as fresh input")
      .map((cell) => cell.textContent),
  ).toEqual(["$3.00", "$3.00"]);
  expect(within(row).getByRole("button", { name: "Copy claude-demo" })).toBeVisible();
});

it("shows what long prompts cost under the usual price", async () => {
  const plain = model("long");
  const tier = { above: 200_000, input: "6", cacheRead: null, cacheWrite5m: null };
  const longContext = [{ ...tier, cacheWrite1h: null, output: "22.5" }];
  const prices = { ...plain.prices, longContext };
  const server = stubServer({ AvailableModels: { availableModels: [{ ...plain, prices }] } });
  renderApp("/models", { server });
  const row = (await screen.findByText("long")).closest("tr") as HTMLElement;
  expect(row).toHaveTextContent("> 200K: $22.50");
  // A cache class without a price of its own costs what fresh input does there.
  expect(within(row).getAllByText("> 200K: $6.00")).toHaveLength(4);
});

it("calls a free model free", async () => {
  const server = stubServer({
    AvailableModels: { availableModels: [model("gift", { free: true })] },
  });
  renderApp("/models", { server });
  const row = (await screen.findByText("gift")).closest("tr") as HTMLElement;
  expect(within(row).getByText("Free")).toBeVisible();
  expect(within(row).queryByText("$3.00")).not.toBeInTheDocument();
});

it("searches a long list by name and provider, and says when nothing matches", async () => {
  const many = Array.from({ length: 12 }, (_, n) =>
    model(`model-${n}`, n === 7 ? { provider: "Elsewhere" } : {}),
  );
  const server = stubServer({ AvailableModels: { availableModels: many } });
  const { user } = renderApp("/models", { server });
  const field = await screen.findByLabelText("Search by name or provider");
  await user.type(field, "elsewhere");
  await waitFor(() => expect(screen.getAllByRole("row")).toHaveLength(2));
  expect(screen.getByText("model-7")).toBeVisible();
  await user.clear(field);
  await user.type(field, "nothing");
  expect(await screen.findByText("No model matches")).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Clear search" }));
  expect(await screen.findAllByRole("row")).toHaveLength(13);
});
