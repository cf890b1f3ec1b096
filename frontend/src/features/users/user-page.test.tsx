import { screen, waitFor, within } from "@testing-library/react";
import { expect, it } from "vitest";
import {
  mockCap,
  mockLimit,
  mockModel,
  mockPage,
  mockUsage,
  mockUserDetail,
  mockUserPolicy,
  noLimits,
  source,
} from "@/test/people";
import { renderApp } from "@/test/render";
import { refuse, stubServer } from "@/test/server";
import { mockSession } from "@/test/session";
import { mockReport } from "@/test/usage";

const show = (handlers: Parameters<typeof stubServer>[0] = {}) => {
  const server = stubServer({
    UserDetail: mockUserDetail(),
    UserPolicy: mockUserPolicy(),
    ModelPicker: { models: mockPage([]) },
    UserList: { users: mockPage([]) },
    UserSignIn: { user: { id: "user-2", lastSignIn: null, identities: [] } },
    ...mockUsage(),
    ...handlers,
  });
  return renderApp("/admin/users/user-2", { session: mockSession({ role: "ADMIN" }), server });
};

const card = (name: string) => screen.findByRole("region", { name });

it("shows the effective policy with who set each value", async () => {
  show({
    UserPolicy: mockUserPolicy(
      {},
      {
        models: [{ model: mockModel("sonnet"), sources: [source.contractors] }],
        limits: [mockLimit("REQUESTS", [[source.contractors, 30]])],
      },
    ),
  });
  const policy = await card("Effective policy");
  expect(policy).toHaveTextContent("1 model may be called");
  expect(within(policy).getByText("sonnet")).toHaveAttribute("title", "Granted: via Contractors");
  expect(policy).toHaveTextContent("Requests per minute30Contractors");
  expect(policy).toHaveTextContent("Monthly capNo limit");
});

it("shows pools that the user shares, with the use of all members, beside what is the user's own", async () => {
  const { source: _source, candidates: _candidates, ...shared } = mockCap("MONTH");
  show({
    UserPolicy: mockUserPolicy(
      {},
      {
        pools: [
          {
            source: { kind: "POOL", id: "group-1", name: "Contractors" },
            limits: [{ dimension: "REQUESTS", limit: null, used: 7 }],
            budgets: [{ ...shared, cap: "500", spent: "320" }],
          },
        ],
      },
    ),
  });
  const pools = await card("Shared pools");
  expect(within(pools).getByRole("link", { name: "Pool of Contractors" })).toHaveAttribute(
    "href",
    "/admin/groups/group-1",
  );
  expect(pools).toHaveTextContent("Monthly cap$320.00 of $500.00");
  expect(pools).not.toHaveTextContent("Requests per minute");
});

it("shows temporary values, also past ones, with who gave them, why, and from when to when", async () => {
  const raise = {
    id: "raise-1",
    dimension: "REQUESTS" as const,
    window: null,
    limit: 300,
    cap: null,
    reason: "Release week",
    createdBy: "Ada Lovelace",
    createdAt: "2026-11-01T09:00:00.000Z",
    endsAt: "2026-11-08T09:00:00.000Z",
    endedAt: "2026-11-05T09:00:00.000Z",
    endedBy: "Bob",
    running: false,
  };
  const lifted = {
    ...raise,
    id: "raise-2",
    dimension: null,
    window: "MONTH" as const,
    limit: null,
  };
  show({
    UserPolicy: mockUserPolicy({
      raises: [
        {
          ...lifted,
          endsAt: "2099-01-01T00:00:00.000Z",
          endedAt: null,
          endedBy: null,
          running: true,
        },
        raise,
      ],
    }),
  });
  const table = within(await card("Temporary values")).getByRole("table");
  const [, running, past] = within(table).getAllByRole("row");
  expect(running).toHaveTextContent("Monthly cap“Release week” – Ada LovelaceNo limit");
  expect(running).toHaveTextContent("Ends in");
  expect(past).toHaveTextContent("Requests per minute“Release week” – Ada Lovelace300");
  expect(past).toHaveTextContent("Ended by Bob");
});

it("asks for this user's activity of the days that the address names", async () => {
  const { server } = show({ UsageReport: mockReport({ requests: 1 }) });
  await screen.findByRole("region", { name: "Activity" });
  await expect.poll(() => server.lastOf("UsageReport")?.userId).toBe("user-2");
  await waitFor(() =>
    expect(server.lastOf("Calls")).toMatchObject({ userId: "user-2", everyone: false }),
  );
});

it("spells out what suspending does, and does it only when confirmed", async () => {
  const { user, server } = show({ SuspendUser: { suspendUser: { user: { id: "user-2" } } } });
  await user.click(await screen.findByRole("button", { name: "Suspend" }));
  const dialog = await screen.findByRole("dialog", { name: "Suspend Grace Hopper?" });
  expect(dialog).toHaveTextContent("API keys and console sessions stop working at once");
  await user.click(within(dialog).getByRole("button", { name: "Cancel" }));
  expect(server.lastOf("SuspendUser")).toBeUndefined();

  await user.click(screen.getByRole("button", { name: "Suspend" }));
  server.on({ UserDetail: mockUserDetail({ status: "SUSPENDED" }) });
  await user.click(
    within(await screen.findByRole("dialog")).getByRole("button", { name: "Suspend" }),
  );
  expect(await screen.findByRole("button", { name: "Reactivate" })).toBeVisible();
  expect(server.lastOf("SuspendUser")).toEqual({ id: "user-2", expectedVersion: 7 });
});

it("does not suspend what somebody else changed meanwhile, tells who did, and reads it anew", async () => {
  const { user, server } = show({
    SuspendUser: refuse(
      "This was changed since you loaded it: it is at version 8 now, and your edit began at 7. Bob <bob@example.com> changed role at 2026-11-24 12:00 UTC. Load it again, and repeat what you still want.",
      "stale_version",
      "expectedVersion",
    ),
  });
  await user.click(await screen.findByRole("button", { name: "Suspend" }));
  server.on({ UserDetail: mockUserDetail({ role: "ADMIN", version: 8 }) });
  const dialog = await screen.findByRole("dialog");
  await user.click(within(dialog).getByRole("button", { name: "Suspend" }));
  expect(await within(dialog).findByRole("alert")).toHaveTextContent(
    "Bob <bob@example.com> changed role at 2026-11-24 12:00 UTC. Look at what is there now",
  );
  server.on({ SuspendUser: { suspendUser: { user: { id: "user-2" } } } });
  await user.click(within(dialog).getByRole("button", { name: "Suspend" }));
  await expect.poll(() => server.lastOf("SuspendUser").expectedVersion).toBe(8);
});

it("shows why the last administrator can't be deleted, and stays on the page", async () => {
  const { user, path } = show({
    UserDetail: mockUserDetail({ role: "ADMIN", groups: [] }),
    DeleteUser: refuse("The last active administrator can't be deleted.", "conflict", "id"),
  });
  await user.click(await screen.findByRole("button", { name: "More actions" }));
  await user.click(await screen.findByRole("menuitem", { name: "Delete user" }));
  const dialog = await screen.findByRole("dialog");
  expect(dialog).toHaveTextContent("Past usage stays in the organisation's totals");
  await user.click(within(dialog).getByRole("button", { name: "Delete user" }));
  expect(await within(dialog).findByRole("alert")).toHaveTextContent(
    "The last active administrator can't be deleted.",
  );
  expect(path()).toBe("/admin/users/user-2");
});

it("goes back to the list once the user is deleted", async () => {
  const { user, path } = show({ DeleteUser: { deleteUser: { id: "user-2" } } });
  await user.click(await screen.findByRole("button", { name: "More actions" }));
  await user.click(await screen.findByRole("menuitem", { name: "Delete user" }));
  const dialog = await screen.findByRole("dialog");
  await user.click(within(dialog).getByRole("button", { name: "Delete user" }));
  await expect.poll(path).toBe("/admin/users");
});

it("shows a refused role at its field", async () => {
  const { user } = show({
    UserDetail: mockUserDetail({ role: "ADMIN" }),
    UpdateUser: refuse("The last active administrator can't be demoted.", "conflict", "role"),
  });
  await user.click(await screen.findByRole("button", { name: "Edit" }));
  const dialog = await screen.findByRole("dialog", { name: "Edit user" });
  await user.click(within(dialog).getByRole("radio", { name: "Member" }));
  await user.click(within(dialog).getByRole("button", { name: "Save" }));
  const role = await within(dialog).findByRole("radiogroup", { name: "Role" });
  expect(role).toHaveAccessibleDescription("The last active administrator can't be demoted.");
});

it("resends an invitation and shows the new link once when there is no mail", async () => {
  const { user } = show({
    UserDetail: mockUserDetail({
      status: "INVITED",
      name: "",
      invitationExpiresAt: "2099-01-01T00:00:00.000Z",
    }),
    ResendInvitation: { resendInvitation: { inviteUrl: "https://gate.example.com/welcome/new" } },
  });
  await screen.findByText(/The invitation is not accepted yet/);
  expect(screen.queryByRole("button", { name: "Suspend" })).not.toBeInTheDocument();
  await user.click(screen.getByRole("button", { name: "Resend invitation" }));
  const dialog = await screen.findByRole("dialog");
  expect(dialog).toHaveTextContent("The old link stops working at once");
  await user.click(within(dialog).getByRole("button", { name: "Resend invitation" }));
  expect(await within(dialog).findByText("https://gate.example.com/welcome/new")).toBeVisible();
});

const menu = async (user: ReturnType<typeof show>["user"], item: string) => {
  await user.click(await screen.findByRole("button", { name: "More actions" }));
  await user.click(await screen.findByRole("menuitem", { name: item }));
  return screen.findByRole("dialog");
};

it("makes a password link for somebody who forgot theirs, and shows it once", async () => {
  const { user, server } = show({
    CreatePasswordResetLink: {
      createPasswordResetLink: { resetUrl: "https://gate.example.com/reset/new" },
    },
  });
  const dialog = await menu(user, "New password link");
  expect(dialog).toHaveTextContent("once, within one hour");
  await user.click(within(dialog).getByRole("button", { name: "Make link" }));
  expect(await within(dialog).findByText("https://gate.example.com/reset/new")).toBeVisible();
  expect(server.lastOf("CreatePasswordResetLink")).toEqual({ userId: "user-2" });
  await user.click(within(dialog).getByRole("button", { name: "Done" }));
  expect(screen.queryByText("https://gate.example.com/reset/new")).not.toBeInTheDocument();
});

it("shows where somebody is signed in, and signs them out everywhere", async () => {
  const session = {
    id: "session-1",
    client: "Firefox on Linux",
    address: "10.0.0.7",
    lastSeenAt: "2026-11-02T09:00:00.000Z",
  };
  const { user, server } = show({
    UserSessions: { user: { id: "user-2", sessions: [session] } },
    EndUserSessions: { endUserSessions: { count: 1 } },
  });
  const dialog = await menu(user, "Sessions");
  expect(await within(dialog).findByText("Firefox on Linux")).toBeVisible();
  expect(dialog).toHaveTextContent("10.0.0.7, last seen");
  await user.click(within(dialog).getByRole("button", { name: "Sign out everywhere" }));
  expect(await screen.findByText("1 session of Grace Hopper ended.")).toBeVisible();
  expect(server.lastOf("EndUserSessions")).toEqual({ userId: "user-2" });
});

it("says that an invitation has expired and what to do", async () => {
  show({
    UserDetail: mockUserDetail({
      status: "INVITED",
      invitationExpiresAt: "2020-01-01T00:00:00.000Z",
    }),
  });
  expect(await screen.findByText("The invitation has expired")).toBeVisible();
});

it("revokes a key of somebody else after asking, and shows no secret", async () => {
  const { user, server } = show({
    UserDetail: mockUserDetail({
      apiKeys: [
        {
          id: "key-1",
          name: "Laptop",
          prefix: "sg_abc",
          status: "ACTIVE",
          version: 1,
          createdAt: "2026-11-01T09:00:00.000Z",
          lastUsedAt: "2026-11-02T09:00:00.000Z",
          lastUsedClient: "claude-code",
          expiresAt: null,
          revokedAt: null,
          previousPrefix: null,
          previousExpiresAt: null,
          models: [{ id: "model-1", slug: "sonnet" }],
          rateLimit: { ...noLimits, requestsPerMinute: 0 },
          budget: { daily: "5", weekly: null, monthly: null, alertThresholds: [] },
        },
      ],
    }),
    RevokeApiKey: { revokeApiKey: { apiKey: { id: "key-1" } } },
  });
  const keys = await card("API keys");
  expect(keys).toHaveTextContent("sg_abc…");
  expect(keys).toHaveTextContent("by claude-code");
  expect(keys).toHaveTextContent("Only sonnet");
  expect(keys).toHaveTextContent("Of its own: requests per minute Blocked, daily cap $5.00");
  await user.click(within(keys).getByRole("button", { name: "Actions for Laptop" }));
  expect(screen.queryByRole("menuitem", { name: "New secret" })).not.toBeInTheDocument();
  await user.click(await screen.findByRole("menuitem", { name: "Revoke" }));
  const dialog = await screen.findByRole("dialog");
  expect(dialog).toHaveTextContent("refused with 401 from the next one on");
  await user.click(within(dialog).getByRole("button", { name: "Revoke key" }));
  await screen.findByText("Laptop is revoked.");
  expect(server.lastOf("RevokeApiKey")).toEqual({ id: "key-1" });
});

it("tells a failure of the policy from that of the user, and tries again", async () => {
  const { user, server } = show({ UserPolicy: refuse("The database is busy.") });
  await screen.findByText("The database is busy.");
  expect(screen.getByRole("heading", { level: 1 })).toHaveTextContent("Grace Hopper");
  server.on({ UserPolicy: mockUserPolicy() });
  await user.click(screen.getByRole("button", { name: "Try again" }));
  await card("Budget");
});

it("says that there is no such user", async () => {
  show({ UserDetail: { user: null } });
  expect(await screen.findByText("There is no such user")).toBeVisible();
});
