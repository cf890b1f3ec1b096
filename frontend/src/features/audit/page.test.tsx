import { screen, within } from "@testing-library/react";
import { expect, it } from "vitest";
import { mockPage } from "@/test/people";
import { renderApp } from "@/test/render";
import { refuse, stubServer } from "@/test/server";
import { mockSession } from "@/test/session";

const event = {
  id: "event-1",
  at: "2026-11-24T12:00:00.000Z",
  actorKind: "USER",
  actorLabel: "Ada Admin <ada@example.com>",
  actor: { id: "user-1" },
  action: "budget.set",
  targetKind: "user",
  targetId: "user-2",
  targetLabel: "Grace Hopper <grace@example.com>",
  changes: [{ field: "daily", before: null, after: "2" }],
};

const show = (at: string, handlers: Parameters<typeof stubServer>[0] = {}) =>
  renderApp(at, {
    session: mockSession({ role: "ADMIN" }),
    server: stubServer({
      AuditLog: { auditEvents: mockPage([event]) },
      AuditActions: { auditActions: ["budget.set", "user.suspend"] },
      UsageWhose: { users: mockPage([]), groups: mockPage([]) },
      UsageUser: { user: { id: "user-1", name: "Ada Admin", email: "ada@example.com" } },
      ...handlers,
    }),
  });

it("tells who changed what from what to what, with links to both", async () => {
  show("/admin/audit-log");
  const row = await screen.findByRole("row", { name: /Set budget Grace Hopper/ });
  expect(row).toHaveTextContent("Daily capNo limit → $2.00");
  expect(within(row).getAllByRole("link", { name: "Ada Admin" })[0]).toHaveAttribute(
    "href",
    "/admin/users/user-1",
  );
  expect(within(row).getByRole("link", { name: "Grace Hopper" })).toHaveAttribute(
    "href",
    "/admin/users/user-2",
  );
});

it("has no link to what is deleted, and names the server and tokens as who did it", async () => {
  const base = { ...event, actor: null, changes: [] };
  show("/admin/audit-log", {
    AuditLog: {
      auditEvents: mockPage([
        { ...base, id: "1", action: "user.delete", actorKind: "TOKEN", actorLabel: "CI of Ada" },
        {
          ...base,
          id: "2",
          action: "invitation.expire",
          actorKind: "SYSTEM",
          actorLabel: "system",
        },
        { ...base, id: "3", action: "shoe.tie_knot", targetKind: "shoe", targetLabel: "Left" },
      ]),
    },
  });
  const deleted = await screen.findByRole("row", { name: /Deleted user Grace Hopper/ });
  expect(within(deleted).queryByRole("link")).not.toBeInTheDocument();
  expect(deleted).toHaveTextContent("CI of Adaby automation token");
  expect(screen.getByRole("row", { name: /Let invitation expire/ })).toHaveTextContent(
    "The server",
  );
  expect(screen.getByRole("row", { name: /Shoe tie knot Left/ })).toBeVisible();
});

it("asks for what the filters say, which the address keeps and the export follows", async () => {
  const { user, server, path } = show("/admin/audit-log?kind=user&id=user-2");
  expect(await screen.findByText("About Grace Hopper <grace@example.com>")).toBeVisible();
  expect(server.lastOf("AuditLog")).toMatchObject({ targetKind: "user", targetId: "user-2" });
  await user.selectOptions(screen.getByRole("combobox", { name: "Action" }), "Suspended user");
  await expect.poll(() => server.lastOf("AuditLog").action).toBe("user.suspend");
  await user.click(screen.getByRole("button", { name: "Show changes of everything" }));
  await expect.poll(path).toBe("/admin/audit-log?action=user.suspend");
  await user.selectOptions(screen.getByRole("combobox", { name: "Time" }), "Last 7 days");
  await expect.poll(() => server.lastOf("AuditLog").from).toMatch(/Z$/);
  await user.click(screen.getByRole("button", { name: "Export" }));
  expect(await screen.findByRole("menuitem", { name: "As CSV" })).toHaveAttribute(
    "href",
    expect.stringMatching(/^\/export\/audit-log\.csv\?action=user\.suspend&from=/),
  );
});

it("takes days of one's choice", async () => {
  const { user, server } = show("/admin/audit-log");
  await user.selectOptions(await screen.findByLabelText("Time"), "Days of your choice");
  await user.type(screen.getByLabelText("From day"), "2026-11-01");
  await expect.poll(() => server.lastOf("AuditLog").from).toBe("2026-11-01T00:00:00.000Z");
});

it("shows long differences in part, and all of them when asked", async () => {
  const members = Array.from({ length: 30 }, (_, n) => `Person ${n}`);
  const { user } = show("/admin/audit-log", {
    AuditLog: {
      auditEvents: mockPage([
        {
          ...event,
          action: "group.add_members",
          changes: [{ field: "members", before: null, after: members }],
        },
      ]),
    },
  });
  const row = await screen.findByRole("row", { name: /Added members/ });
  expect(row).toHaveTextContent("Person 3 and 26 more");
  await user.click(
    within(row).getAllByRole("button", { name: "Show all of it" })[0] as HTMLElement,
  );
  expect(row).toHaveTextContent("Person 29");
});

it("says that nothing matches with a way out, and a refusal with a retry", async () => {
  const { user, server, path } = show("/admin/audit-log?q=zebra", {
    AuditLog: { auditEvents: mockPage([]) },
  });
  await screen.findByText("No change matches");
  server.on({ AuditLog: refuse("The log can't be read now.", "unavailable") });
  await user.click(screen.getByRole("button", { name: "Clear search and filters" }));
  await expect.poll(path).toBe("/admin/audit-log");
  expect(await screen.findByText("The log can't be read now.")).toBeVisible();
});
