import { screen, within } from "@testing-library/react";
import { expect, it } from "vitest";
import { mockPage, mockUser } from "@/test/people";
import { renderApp } from "@/test/render";
import { refuse, stubServer } from "@/test/server";
import { mockSession } from "@/test/session";

const admin = mockSession({ role: "ADMIN" });
const grace = mockUser();
const linus = mockUser({ id: "user-3", name: "", email: "linus@example.com", status: "INVITED" });
const list = (rows = [grace, linus], more: string | null = null) => ({
  users: mockPage(rows, more),
});

const show = (at: string, handlers: Parameters<typeof stubServer>[0] = {}) => {
  const server = stubServer({ UserList: list(), ...handlers });
  return renderApp(at, { session: admin, server });
};

it("lists names with their e-mail, and leads to a person", async () => {
  show("/admin/users");
  const table = await screen.findByRole("table", { name: "Users" });
  await within(table).findByText("Grace Hopper");
  const [, first, second] = within(table).getAllByRole("row");
  expect(first).toHaveTextContent(/Grace Hopper.*grace@example\.com.*Member.*Active.*Never/);
  expect(second).toHaveTextContent(/linus@example\.com.*No name yet.*Invited/);
  expect(within(table).getByRole("link", { name: /Grace Hopper/ })).toHaveAttribute(
    "href",
    "/admin/users/user-2",
  );
});

it("reads search, filters and order from the address, and asks the server for just that", async () => {
  const { server } = show("/admin/users?q=hop&role=ADMIN&status=SUSPENDED&sort=CREATED_DESC");
  await screen.findByText("Grace Hopper");
  expect(server.lastOf("UserList")).toEqual({
    search: "hop",
    role: "ADMIN",
    status: "SUSPENDED",
    groupId: null,
    sort: "CREATED_DESC",
    after: null,
    counted: true,
  });
  expect(screen.getByRole("searchbox", { name: /Search/ })).toHaveValue("hop");
  expect(screen.getByRole("combobox", { name: "Role" })).toHaveValue("ADMIN");
  expect(screen.getByRole("columnheader", { name: "Created" })).toHaveAttribute(
    "aria-sort",
    "descending",
  );
});

it("ignores what it does not know in a link", async () => {
  const { server } = show("/admin/users?role=KING&sort=SHOE_SIZE");
  await screen.findByText("Grace Hopper");
  expect(server.lastOf("UserList")).toMatchObject({ role: null, sort: "NAME_ASC" });
});

it("writes search, filter and order to the address", async () => {
  const { user, server, path } = show("/admin/users");
  await screen.findByText("Grace Hopper");
  await user.selectOptions(screen.getByRole("combobox", { name: "Status" }), "Invited");
  await user.click(screen.getByRole("button", { name: "Created" }));
  await user.type(screen.getByRole("searchbox", { name: /Search/ }), "li");
  await expect.poll(path).toBe("/admin/users?status=INVITED&sort=CREATED_ASC&q=li");
  await expect
    .poll(() => server.lastOf("UserList"))
    .toMatchObject({ search: "li", status: "INVITED", sort: "CREATED_ASC" });
});

it("narrows the list, and what is done with all of it, to the members of a group", async () => {
  const groups = [{ id: "group-1", name: "Contractors", description: "" }];
  const { user, path, server } = show("/admin/users", {
    GroupPicker: { groups: mockPage(groups) },
    UsageGroup: { group: { id: "group-1", name: "Contractors" } },
    UserList: { users: { ...list([grace], "cursor-1").users, totalCount: 120 } },
    SuspendUsers: { suspendUsers: { results: [] } },
  });
  await screen.findByText("Grace Hopper");
  await user.click(screen.getByRole("button", { name: "Group: Any group" }));
  await user.click(await screen.findByRole("option", { name: "Contractors" }));
  await expect.poll(path).toBe("/admin/users?group=group-1");
  await screen.findByRole("button", { name: "Group: Contractors" });
  await expect.poll(() => server.lastOf("UserList")).toMatchObject({ groupId: "group-1" });
  expect(screen.getByRole("link", { name: "Export CSV" })).toHaveAttribute(
    "href",
    "/export/users.csv?groupId=group-1",
  );
  await user.click(await screen.findByRole("checkbox", { name: "Select all loaded rows" }));
  await user.click(screen.getByRole("button", { name: "Select all 120" }));
  await user.click(screen.getByRole("button", { name: "Suspend" }));
  const dialog = await screen.findByRole("dialog");
  await user.click(within(dialog).getByRole("button", { name: "Suspend" }));
  await expect
    .poll(() => server.lastOf("SuspendUsers"))
    .toMatchObject({ users: { matching: { expectedCount: 120, groupId: "group-1" } } });
});

it("exports the list as it is searched, filtered and sorted", async () => {
  show("/admin/users?q=hop&role=ADMIN&sort=CREATED_DESC");
  await screen.findByText("Grace Hopper");
  expect(screen.getByRole("link", { name: "Export CSV" })).toHaveAttribute(
    "href",
    "/export/users.csv?search=hop&role=ADMIN&sort=CREATED_DESC",
  );
});

it("adds the next page by its cursor and counts only once", async () => {
  const { user, server } = show("/admin/users", {
    UserList: ({ after }: { after: string | null }) =>
      after === null ? list([grace], "cursor-1") : list([linus]),
  } as never);
  await screen.findByText("Grace Hopper");
  await user.click(screen.getByRole("button", { name: "Load more" }));
  await screen.findByText("linus@example.com");
  expect(screen.getByText("Grace Hopper")).toBeVisible();
  expect(server.lastOf("UserList")).toMatchObject({ after: "cursor-1", counted: false });
});

it("says that nobody matches, and clears the filters", async () => {
  const { user, path } = show("/admin/users?q=nobody&status=ACTIVE", { UserList: list([]) });
  await screen.findByText("Nobody matches");
  await user.click(screen.getByRole("button", { name: "Clear search and filters" }));
  await expect.poll(path).toBe("/admin/users");
});

it("shows why the list could not be read, and tries again", async () => {
  const { user, server } = show("/admin/users", { UserList: refuse("The database is busy.") });
  await screen.findByText("The database is busy.");
  server.on({ UserList: list() });
  await user.click(screen.getByRole("button", { name: "Try again" }));
  await screen.findByText("Grace Hopper");
});

const came = (userId: string, outcome: string, message?: string) => ({
  userId,
  label: userId === "user-2" ? "Grace Hopper <grace@example.com>" : "linus@example.com",
  outcome,
  error: message === undefined ? null : { message },
});
const both = {
  chosen: [
    { id: "user-2", expectedVersion: 4 },
    { id: "user-3", expectedVersion: 4 },
  ],
};

it("suspends a selection in one request, and names those who were refused", async () => {
  const { user, server } = show("/admin/users", {
    SuspendUsers: {
      suspendUsers: {
        results: [came("user-2", "DONE"), came("user-3", "REFUSED", "Withdraw it instead.")],
      },
    },
  });
  await screen.findByText("Grace Hopper");
  await user.click(screen.getByRole("checkbox", { name: "Select all loaded rows" }));
  expect(screen.getByText("2 users selected")).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Suspend" }));
  const dialog = await screen.findByRole("dialog");
  expect(dialog).toHaveTextContent("Suspend 2 users?");
  expect(dialog).toHaveTextContent("1 other in your selection is suspended or only invited");
  expect(server.calls.some(({ name }) => name === "SuspendUsers")).toBe(false);
  await user.click(within(dialog).getByRole("button", { name: "Suspend" }));
  expect(await within(dialog).findByRole("alert")).toHaveTextContent(
    "1 user left as beforelinus@example.com: Withdraw it instead.",
  );
  expect(within(dialog).getByRole("status")).toHaveTextContent("1 user suspended.");
  expect(server.lastOf("SuspendUsers")).toEqual({ users: both });
  await user.click(within(dialog).getByText("Close"));
  await expect.poll(() => screen.queryByText("2 users selected")).toBeNull();
});

it("adds a selection to a group, and counts those who were in it", async () => {
  const { user, server } = show("/admin/users", {
    GroupPicker: { groups: mockPage([{ id: "group-1", name: "Contractors", description: "" }]) },
    AddUsersToGroup: {
      addUsersToGroup: { results: [came("user-2", "DONE"), came("user-3", "ALREADY")] },
    },
  });
  await screen.findByText("Grace Hopper");
  await user.click(screen.getByRole("checkbox", { name: "Select all loaded rows" }));
  await user.click(screen.getByRole("button", { name: "Add to group" }));
  const dialog = await screen.findByRole("dialog");
  await user.click(await within(dialog).findByRole("radio", { name: "Add to Contractors" }));
  await user.click(within(dialog).getByRole("button", { name: "Add to Contractors" }));
  await screen.findByText("1 user added to Contractors, 1 before.");
  expect(server.lastOf("AddUsersToGroup")).toEqual({ groupId: "group-1", users: both });
  expect(screen.queryByText("2 users selected")).not.toBeInTheDocument();
});

it("deletes everybody who matches, once their number was typed", async () => {
  const { user, server } = show("/admin/users?q=hop&role=MEMBER", {
    UserList: { users: { ...list([grace], "cursor-1").users, totalCount: 120 } },
    DeleteUsers: refuse("121 people match by now, not 120.", "stale_version"),
  });
  await screen.findByText("Grace Hopper");
  await user.click(screen.getByRole("checkbox", { name: "Select all loaded rows" }));
  await user.click(screen.getByRole("button", { name: "Select all 120" }));
  expect(screen.getByText("120 users selected")).toBeVisible();
  await user.click(screen.getByRole("button", { name: "More" }));
  await user.click(await screen.findByRole("menuitem", { name: "Delete" }));
  const dialog = await screen.findByRole("dialog");
  const remove = within(dialog).getByRole("button", { name: "Delete 120 users" });
  expect(remove).toBeDisabled();
  await user.type(within(dialog).getByRole("textbox", { name: "Type 120 to confirm" }), "120");
  await user.click(remove);
  expect(await within(dialog).findByRole("alert")).toHaveTextContent("121 people match by now");
  expect(server.lastOf("DeleteUsers")).toEqual({
    users: {
      matching: { expectedCount: 120, search: "hop", role: "MEMBER", status: null, groupId: null },
    },
  });
});
