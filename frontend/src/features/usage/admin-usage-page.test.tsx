import { screen, waitFor, within } from "@testing-library/react";
import { expect, it } from "vitest";
import { renderApp } from "@/test/render";
import { stubServer } from "@/test/server";
import { mockSession } from "@/test/session";
import { mockReport, mockTotals } from "@/test/usage";

const whose = {
  users: { edges: [{ node: { id: "u1", name: "Grace Hopper", email: "grace@example.com" } }] },
  groups: { edges: [{ node: { id: "g1", name: "Compilers" } }] },
};
const slices = [
  { key: "g1", label: "Compilers", totals: mockTotals({ requests: 7, cost: "9.1" }) },
  { key: "", label: "none", totals: mockTotals({ requests: 1, cost: "0.004" }) },
];

function show(at: string) {
  const server = stubServer({
    UsageReport: mockReport({ requests: 8, cost: "9.104" }),
    UsageBreakdown: { usage: { breakdown: slices } },
    Calls: { calls: { edges: [], pageInfo: { hasNextPage: false, endCursor: null } } },
    UsageWhose: whose,
    UsageUser: { user: { id: "u1", name: "Grace Hopper", email: "grace@example.com" } },
    UsageGroup: { group: { id: "g1", name: "Compilers" } },
  });
  return renderApp(at, { server, session: mockSession({ role: "ADMIN" }) });
}

it("starts with everybody, by user", async () => {
  const { server } = show("/admin/usage");
  await screen.findByRole("heading", { name: "Usage" });
  await waitFor(() =>
    expect(server.lastOf("UsageBreakdown")).toMatchObject({ everyone: true, by: "USER" }),
  );
  expect(server.lastOf("UsageReport").everyone).toBe(true);
  await waitFor(() => expect(server.lastOf("Calls")?.everyone).toBe(true));
});

it("says that groups overlap and names those who are in none", async () => {
  show("/admin/usage?by=GROUP");
  expect(await screen.findByRole("cell", { name: "Compilers" })).toBeVisible();
  expect(screen.getByText("In no group")).toBeVisible();
  expect(screen.getByText("<$0.01")).toBeVisible();
  expect(screen.getByText(/add up to more than the total/)).toBeVisible();
});

it("narrows to a user that is found by name, and goes back to everybody", async () => {
  const { user, server, path } = show("/admin/usage");
  await user.click(await screen.findByRole("button", { name: "Whose usage: Everyone" }));
  await user.type(await screen.findByLabelText("Search users and groups"), "grace");
  await waitFor(() => expect(server.lastOf("UsageWhose")).toEqual({ search: "grace" }));
  await user.click(await screen.findByRole("option", { name: /Grace Hopper/ }));
  await waitFor(() => expect(path()).toBe("/admin/usage?user=u1"));
  await waitFor(() =>
    expect(server.lastOf("UsageReport")).toMatchObject({ userId: "u1", everyone: false }),
  );
  await user.click(await screen.findByRole("button", { name: "Whose usage: Grace Hopper" }));
  await user.click(await screen.findByRole("option", { name: "Everyone" }));
  await waitFor(() => expect(path()).toBe("/admin/usage"));
});

it("narrows the log of calls to a key and a provider, in its address and its file too", async () => {
  const { user, server, path } = show("/admin/usage");
  const log = await screen.findByRole("region", { name: "Recent calls" });
  const field = (of: string) => within(log).getByLabelText(`${of} of the calls, by name`);
  await user.type(field("Key"), "laptop");
  await waitFor(() => expect(path()).toBe("/admin/usage?key=laptop"));
  expect(field("Key")).toHaveFocus();
  await user.type(field("Provider"), "Demo");
  await waitFor(() =>
    expect(server.lastOf("Calls")).toMatchObject({ key: "laptop", provider: "Demo", model: null }),
  );
  expect(path()).toBe("/admin/usage?key=laptop&provider=Demo");
  expect(within(log).getByRole("link", { name: "CSV" })).toHaveAttribute(
    "href",
    expect.stringMatching(/^\/export\/calls\.csv\?.*&key=laptop&provider=Demo$/),
  );
  await user.click(within(log).getByRole("button", { name: "Clear filters" }));
  await waitFor(() => expect(path()).toBe("/admin/usage"));
  expect(field("Key")).toHaveValue("");
  expect(field("Provider")).toHaveValue("");
});

it("shows by which key and provider a shared address narrows the log", async () => {
  const { server } = show("/admin/usage?key=k1&provider=p1");
  expect(await screen.findByLabelText("Key of the calls, by name")).toHaveValue("k1");
  expect(screen.getByLabelText("Provider of the calls, by name")).toHaveValue("p1");
  await waitFor(() => expect(server.lastOf("Calls")).toMatchObject({ key: "k1", provider: "p1" }));
});

it("names the group of a shared address, and leaves out single calls, which have no group", async () => {
  const { server } = show("/admin/usage?group=g1");
  expect(await screen.findByRole("button", { name: "Whose usage: Compilers" })).toBeVisible();
  expect(server.lastOf("UsageReport")).toMatchObject({ groupId: "g1", everyone: false });
  expect(screen.queryByRole("region", { name: "Recent calls" })).not.toBeInTheDocument();
});
