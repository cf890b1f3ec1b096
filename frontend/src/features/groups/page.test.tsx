import { screen, within } from "@testing-library/react";
import { expect, it } from "vitest";
import {
  mockGroupPolicy,
  mockPage,
  mockUsage,
  mockUser,
  noBudget,
  noLimits,
  versions,
} from "@/test/people";
import { renderApp } from "@/test/render";
import { refuse, stubServer } from "@/test/server";
import { mockSession } from "@/test/session";

const contractors = {
  id: "group-1",
  name: "Contractors",
  description: "People who stay for a project",
  memberCount: 2,
  version: 2,
  createdAt: "2026-11-01T09:00:00.000Z",
};
const grace = mockUser();

const show = (at: string, handlers: Parameters<typeof stubServer>[0] = {}) => {
  const server = stubServer({
    GroupList: { groups: mockPage([contractors]) },
    GroupDetail: { group: contractors },
    GroupMembers: { group: { members: mockPage([grace]) } },
    GroupPolicy: mockGroupPolicy(),
    ...mockUsage(),
    ...handlers,
  });
  return renderApp(at, { session: mockSession({ role: "ADMIN" }), server });
};

it("lists groups with their members counted, and keeps the search in the address", async () => {
  const { user, server, path } = show("/admin/groups");
  const row = await screen.findByRole("row", { name: /Contractors/ });
  expect(row).toHaveTextContent(/People who stay for a project2/);
  await user.type(screen.getByRole("searchbox"), "con");
  await expect.poll(path).toBe("/admin/groups?q=con");
  await expect.poll(() => server.lastOf("GroupList").search).toBe("con");
});

it("creates a group and leads to it", async () => {
  const { user, server, path } = show("/admin/groups", {
    GroupList: { groups: mockPage([]) },
    CreateGroup: { createGroup: { group: { id: "group-1" } } },
  });
  await screen.findByText("No groups yet");
  await user.click(screen.getAllByRole("button", { name: "Create group" })[0] as HTMLElement);
  const dialog = await screen.findByRole("dialog");
  await user.type(within(dialog).getByRole("textbox", { name: "Name" }), "Contractors");
  await user.click(within(dialog).getByRole("button", { name: "Create group" }));
  await expect.poll(path).toBe("/admin/groups/group-1");
  expect(server.lastOf("CreateGroup")).toEqual({
    input: { name: "Contractors", description: "" },
  });
});

it.each(["CreateGroup", "Session"])(
  "keeps what was typed when %s finds the session ended",
  async (asked) => {
    const { user, server, path, queryClient } = show("/admin/groups", {
      CreateGroup: refuse("Sign in first.", "unauthenticated"),
      Session: refuse("Sign in first.", "unauthenticated"),
    });
    await user.click(await screen.findByRole("button", { name: "Create group" }));
    const dialog = await screen.findByRole("dialog");
    await user.type(within(dialog).getByRole("textbox", { name: "Name" }), "Research");
    const save = within(dialog).getByRole("button", { name: "Create group" });
    if (asked === "CreateGroup") await user.click(save);
    else await queryClient.invalidateQueries({ queryKey: ["session"] });
    expect(await screen.findByText(/What you typed is still here/)).toBeInTheDocument();
    expect(path()).toBe("/admin/groups");

    server.on({
      CreateGroup: { createGroup: { group: { id: "group-1" } } },
      Session: mockSession(),
    });
    await user.click(save);
    await expect.poll(path).toBe("/admin/groups/group-1");
    expect(server.lastOf("CreateGroup").input.name).toBe("Research");
  },
);

it("asks before a page is left with a cap that was typed and not saved", async () => {
  const { user, path } = show("/admin/groups/group-1");
  const cap = (await screen.findAllByRole("textbox", { name: "Daily cap" }))[0] as HTMLElement;
  await user.type(cap, "25");
  const away = () => user.click(screen.getByRole("link", { name: "Rate limits" }));
  await away();
  let dialog = await screen.findByRole("dialog", { name: "Leave without saving?" });
  expect(path()).toBe("/admin/groups/group-1");
  await user.click(within(dialog).getByRole("button", { name: "Cancel" }));
  await expect.poll(() => screen.queryByRole("dialog")).toBeNull();
  expect(cap).toHaveValue("25");
  await away();
  dialog = await screen.findByRole("dialog", { name: "Leave without saving?" });
  await user.click(within(dialog).getByRole("button", { name: "Leave" }));
  await expect.poll(path).toBe("/admin/rate-limits");
});

it("keeps a cap that was typed into the page when the session is found to have ended", async () => {
  const { user, path, queryClient } = show("/admin/groups/group-1", {
    Session: refuse("Sign in first.", "unauthenticated"),
  });
  const cap = (await screen.findAllByRole("textbox", { name: "Daily cap" }))[0] as HTMLElement;
  await user.type(cap, "25");
  await queryClient.invalidateQueries({ queryKey: ["session"] });
  expect(await screen.findByText(/What you typed is still here/)).toBeInTheDocument();
  expect(path()).toBe("/admin/groups/group-1");
  expect(cap).toHaveValue("25");
});

it("shows a name that is taken at its field", async () => {
  const { user, path } = show("/admin/groups", {
    CreateGroup: refuse("There is a group called Contractors already.", "conflict", "name"),
  });
  await screen.findByText("Contractors");
  await user.click(screen.getByRole("button", { name: "Create group" }));
  const dialog = await screen.findByRole("dialog");
  const name = within(dialog).getByRole("textbox", { name: "Name" });
  await user.type(name, "contractors");
  await user.click(within(dialog).getByRole("button", { name: "Create group" }));
  expect(
    await within(dialog).findByText("There is a group called Contractors already."),
  ).toBeVisible();
  expect(name).toBeInvalid();
  expect(path()).toBe("/admin/groups");
});

it("adds a member from the picker, where present members are marked", async () => {
  const { user, server } = show("/admin/groups/group-1", {
    UserPicker: {
      users: mockPage([
        { ...grace, groups: [{ id: "group-1" }] },
        { ...mockUser({ id: "user-3", name: "Linus" }), groups: [] },
      ]),
    },
    AddGroupMembers: { addGroupMembers: { group: { id: "group-1" } } },
  });
  await user.click(await screen.findByRole("button", { name: "Add members" }));
  const dialog = await screen.findByRole("dialog");
  const [first] = await within(dialog).findAllByRole("listitem");
  expect(first).toHaveTextContent(/Grace Hopper.*Member/);
  await user.click(within(dialog).getByRole("button", { name: "Add Linus" }));
  expect(server.lastOf("AddGroupMembers")).toEqual({
    input: { groupId: "group-1", userIds: ["user-3"] },
  });
});

it("removes a member after saying what that takes away, and stays on the page", async () => {
  const { user, server, path } = show("/admin/groups/group-1", {
    RemoveGroupMembers: { removeGroupMembers: { group: { id: "group-1" } } },
  });
  await user.click(await screen.findByRole("button", { name: "Remove Grace Hopper" }));
  const dialog = await screen.findByRole("dialog");
  expect(dialog).toHaveTextContent("Grants, limits and caps of Contractors no longer apply");
  await user.click(within(dialog).getByRole("button", { name: "Remove" }));
  await screen.findByText("Grace Hopper is no longer in Contractors.");
  expect(server.lastOf("RemoveGroupMembers")).toEqual({
    input: { groupId: "group-1", userIds: ["user-2"] },
  });
  expect(path()).toBe("/admin/groups/group-1");
});

it("deletes a group only after saying who loses what, and then keeps nobody on its page", async () => {
  const { user, server, path } = show("/admin/groups/group-1", {
    DeleteGroup: { deleteGroup: { id: "group-1" } },
  });
  const cap = (await screen.findAllByRole("textbox", { name: "Daily cap" }))[0] as HTMLElement;
  await user.type(cap, "25");
  await user.click(await screen.findByRole("button", { name: "More actions" }));
  await user.click(await screen.findByRole("menuitem", { name: "Delete group" }));
  const dialog = await screen.findByRole("dialog");
  expect(dialog).toHaveTextContent("2 members lose the grants that come through this group");
  expect(server.lastOf("DeleteGroup")).toBeUndefined();
  await user.click(within(dialog).getByRole("button", { name: "Delete group" }));
  await expect.poll(path).toBe("/admin/groups");
});

it("tells what each member has for their own from what all draw from together", async () => {
  const { user, server } = show("/admin/groups/group-1", {
    GroupPolicy: mockGroupPolicy({
      budget: { ...noBudget, monthly: "50" },
      pool: {
        ...versions,
        rateLimit: noLimits,
        budget: { ...noBudget, monthly: "400" },
        limits: [],
        budgets: [
          {
            window: "MONTH",
            cap: "400",
            spent: "100",
            reserved: "0",
            resetsAt: "2099-01-01T00:00:00.000Z",
            reachedAt: null,
            alertThresholds: [80, 100],
          },
        ],
      },
    }),
    SetPoolBudget: { setGroupPoolBudget: { pool: { budget: { daily: null } } } },
  });
  const own = await screen.findByRole("region", { name: "Budget" });
  expect(own).toHaveTextContent("Each member");
  expect(own).toHaveTextContent("Counts each member's own spending");
  expect(within(own).getByRole("textbox", { name: "Monthly cap" })).toHaveValue("50");
  expect(within(own).queryByRole("meter")).not.toBeInTheDocument();

  const pooled = screen.getByRole("region", { name: "Pooled budget" });
  expect(pooled).toHaveTextContent("All members together");
  expect(pooled).toHaveTextContent("$100.00 of $400.00");
  expect(within(pooled).getByRole("meter")).toHaveAttribute("aria-valuenow", "25");
  const monthly = within(pooled).getByRole("textbox", { name: "Monthly cap" });
  await user.clear(monthly);
  await user.type(monthly, "300");
  await user.click(within(pooled).getByRole("button", { name: "Save budget" }));
  await screen.findByText(/Budget saved/);
  expect(server.lastOf("SetPoolBudget")).toEqual({
    groupId: "group-1",
    input: { ...noBudget, monthly: "300" },
    expectedVersion: 5,
  });
});

it("breaks the group's activity down by its members", async () => {
  const { server } = show("/admin/groups/group-1");
  await screen.findByRole("region", { name: "Activity" });
  await expect
    .poll(() => server.lastOf("UsageBreakdown"))
    .toMatchObject({ groupId: "group-1", by: "USER" });
});

it("says that there is no such group", async () => {
  show("/admin/groups/group-1", { GroupDetail: { group: null } });
  expect(await screen.findByText("There is no such group")).toBeVisible();
});

it("edits from the version that was shown, and shows what somebody else saved meanwhile", async () => {
  const { user, server } = show("/admin/groups/group-1", {
    UpdateGroup: refuse("It was changed.", "stale_version", "expectedVersion"),
  });
  await user.click(await screen.findByRole("button", { name: "Edit" }));
  const dialog = await screen.findByRole("dialog");
  const name = within(dialog).getByRole("textbox", { name: "Name" });
  await user.type(name, " abroad");
  server.on({ GroupDetail: { group: { ...contractors, name: "Externals", version: 3 } } });
  await user.click(within(dialog).getByRole("button", { name: "Save" }));
  const notice = await within(dialog).findByRole("alert");
  expect(notice).toHaveTextContent("Name: now Externals, you entered Contractors abroad");
  expect(server.lastOf("UpdateGroup").input.expectedVersion).toBe(2);
  await user.click(within(dialog).getByRole("button", { name: "Use what is there now" }));
  expect(name).toHaveValue("Externals");
  expect(within(dialog).queryByRole("alert")).not.toBeInTheDocument();
});
