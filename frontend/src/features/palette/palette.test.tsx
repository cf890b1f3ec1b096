import { screen, waitFor } from "@testing-library/react";
import { expect, it } from "vitest";
import { renderApp } from "@/test/render";
import { stubServer } from "@/test/server";
import { mockSession } from "@/test/session";

const quiet = {
  AutomationTokens: { automationTokens: [] },
  AvailableModels: { availableModels: [] },
};
const connection = (...nodes: object[]) => ({ edges: nodes.map((node) => ({ node })) });
const found = {
  users: connection({ id: "u1", name: "Grace Hopper", email: "grace@example.com" }),
  groups: connection({ id: "g1", name: "Graphics", description: "" }),
  models: connection(),
};

it("opens by keyboard, narrows down as one types and leads there by Enter", async () => {
  const { user, path } = renderApp("/account", { server: stubServer(quiet) });
  await screen.findByRole("heading", { name: "Account" });
  await user.keyboard("{Control>}k{/Control}");
  const field = await screen.findByRole("combobox", { name: "Search" });
  await user.type(field, "codex");
  await waitFor(() => expect(screen.getAllByRole("option")).toHaveLength(1));
  expect(screen.getByRole("option")).toHaveAttribute("aria-selected", "true");
  await user.keyboard("{Enter}");
  await waitFor(() => expect(path()).toBe("/connect"));
  await waitFor(() => expect(screen.queryByRole("dialog")).not.toBeInTheDocument());
});

it("puts pages by that name before pages that are about it", async () => {
  const { user } = renderApp("/account", {
    session: mockSession({ role: "ADMIN" }),
    server: stubServer({
      ...quiet,
      Palette: { users: connection(), groups: connection(), models: connection() },
    }),
  });
  await user.click(await screen.findByRole("button", { name: "Search" }));
  await user.type(await screen.findByRole("combobox", { name: "Search" }), "users");
  await waitFor(() => expect(screen.getAllByRole("option").length).toBeGreaterThan(1));
  expect(screen.getAllByRole("option")[0]).toHaveTextContent(/^Users/);
});

it("moves with the arrow keys, round at both ends", async () => {
  const { user } = renderApp("/account", { server: stubServer(quiet) });
  await user.click(await screen.findByRole("button", { name: "Search" }));
  const field = await screen.findByRole("combobox", { name: "Search" });
  const options = await screen.findAllByRole("option");
  await user.keyboard("{ArrowUp}");
  expect(options.at(-1)).toHaveAttribute("aria-selected", "true");
  expect(field).toHaveAttribute("aria-activedescendant", options.at(-1)?.id);
  await user.keyboard("{ArrowDown}");
  expect(options[0]).toHaveAttribute("aria-selected", "true");
});

it("finds users and groups for administrators on the server", async () => {
  const server = stubServer({ ...quiet, Palette: found });
  const { user } = renderApp("/account", { server, session: mockSession({ role: "ADMIN" }) });
  await user.click(await screen.findByRole("button", { name: "Search" }));
  await user.type(await screen.findByRole("combobox", { name: "Search" }), "gra");
  expect(await screen.findByRole("option", { name: /Grace Hopper/ })).toBeVisible();
  expect(screen.getByRole("option", { name: /Graphics/ })).toBeVisible();
  expect(server.lastOf("Palette")).toEqual({ search: "gra" });
});

it("asks the server nothing for members", async () => {
  const server = stubServer(quiet);
  const { user } = renderApp("/account", { server });
  await user.click(await screen.findByRole("button", { name: "Search" }));
  await user.type(await screen.findByRole("combobox", { name: "Search" }), "zzz");
  expect(await screen.findByText("Nothing matches “zzz”.")).toBeVisible();
  expect(server.lastOf("Palette")).toBeUndefined();
});
