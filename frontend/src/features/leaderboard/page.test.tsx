import { screen, waitFor, within } from "@testing-library/react";
import { expect, it } from "vitest";
import { renderApp } from "@/test/render";
import { stubServer } from "@/test/server";
import { mockSession } from "@/test/session";
import { mockTotals } from "@/test/usage";

const place = (rank: number, name: string, more: object = {}) => ({
  rank,
  name,
  userId: null,
  own: false,
  totals: mockTotals({
    requests: 10,
    inputTokens: 900,
    cacheReadTokens: 500,
    outputTokens: 100,
    cost: "1.255",
  }),
  ...more,
});
const own = place(73, "Ada Lovelace <ada@example.com>", { userId: "user-1", own: true });
const board = (more: object = {}) => ({
  leaderboard: { enabled: true, people: 80, places: [place(1, "Amber Otter 123")], own, ...more },
});

it("shows pseudonyms, cached tokens apart, and one's own place further down", async () => {
  renderApp("/leaderboard", { server: stubServer({ Leaderboard: board() }) });
  const table = await screen.findByRole("table", { name: "Places" });
  await within(table).findByText("Amber Otter 123");
  const [, first, last] = within(table).getAllByRole("row");
  expect(first).toHaveTextContent("1Amber Otter 1231K50% cached10$1.26");
  expect(last).toHaveTextContent("73");
  expect(last).toHaveTextContent("You");
  expect(within(table).queryByRole("link")).not.toBeInTheDocument();
  expect(screen.queryByRole("switch")).not.toBeInTheDocument();
});

it("keeps span and order in the address and asks for them", async () => {
  const server = stubServer({ Leaderboard: board() });
  const { user, path } = renderApp("/leaderboard", { server });
  await user.click(await screen.findByRole("radio", { name: "All time" }));
  await user.click(screen.getByRole("radio", { name: "Spend" }));
  await waitFor(() => expect(path()).toBe("/leaderboard?span=EVER&by=SPEND"));
  await waitFor(() =>
    expect(server.lastOf("Leaderboard")).toMatchObject({ span: "EVER", order: "SPEND" }),
  );
});

it("lets administrators see who it is and turn it off", async () => {
  const grace = place(1, "Grace <grace@example.com>", { userId: "u2" });
  const server = stubServer({
    Leaderboard: board({ places: [grace] }),
    SetLeaderboard: { setLeaderboard: { enabled: false } },
  });
  const { user } = renderApp("/leaderboard", { server, session: mockSession({ role: "ADMIN" }) });
  expect(await screen.findByRole("link", { name: "Grace" })).toHaveAttribute(
    "href",
    "/admin/users/u2",
  );
  server.on({ Leaderboard: board({ enabled: false, places: [], own: null, people: 0 }) });
  await user.click(screen.getByRole("switch", { name: "On for everybody" }));
  expect(await screen.findByText("The leaderboard is off")).toBeVisible();
  expect(server.lastOf("SetLeaderboard")).toEqual({ enabled: false });
});
