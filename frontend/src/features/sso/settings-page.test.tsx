import { screen, within } from "@testing-library/react";
import { expect, it } from "vitest";
import { mockPage, mockUsage, mockUserDetail, mockUserPolicy } from "@/test/people";
import { renderApp } from "@/test/render";
import { refuse, stubServer } from "@/test/server";
import { mockSession } from "@/test/session";

type Handlers = Parameters<typeof stubServer>[0];

const sso = (more: object = {}) => ({
  singleSignOn: {
    enabled: false,
    issuer: "",
    clientId: "",
    clientSecretUpdatedAt: null,
    label: "",
    scopes: [],
    groupsClaim: "groups",
    createsPeople: false,
    domains: [],
    membersUsePasswords: true,
    trustsEmail: false,
    adminValues: [],
    redirectUrl: "https://gate.example.com/auth/sso/callback",
    version: 3,
    mappings: [],
    ...more,
  },
});

const setUp = (more: object = {}) =>
  sso({
    enabled: true,
    issuer: "https://id.example.com",
    clientId: "gate",
    clientSecretUpdatedAt: "2026-11-24T00:00:00.000Z",
    mappings: [{ value: "devs", groupId: "g1", group: { id: "g1", name: "Developers" } }],
    adminValues: ["root"],
    ...more,
  });

const installation = {
  deployment: {
    version: "1",
    publicUrl: "https://gate.example.com",
    timeZone: "UTC",
    mailConfigured: false,
  },
  installation: {
    database: "SQLite",
    invitationDays: 7,
    passwordLinkMinutes: 60,
    settings: [],
    encryption: {
      primary: { id: "a", madeAt: null, credentials: 0 },
      secondary: null,
      unreadable: 0,
    },
  },
  jobs: [],
};

async function card(handlers: Handlers) {
  const server = stubServer({
    Installation: installation,
    MailCounts: { queued: { totalCount: 0 }, failed: { totalCount: 0 } },
    MailLog: { mailDeliveries: mockPage([]) },
    GroupPicker: { groups: mockPage([{ id: "g2", name: "Operators", description: "" }]) },
    ...handlers,
  });
  const shown = renderApp("/admin/settings", { session: mockSession({ role: "ADMIN" }), server });
  return { ...shown, server, card: await screen.findByRole("region", { name: "Single sign-on" }) };
}

it("shows the address to register before anything is set up, and sets up what is typed", async () => {
  const {
    card: region,
    user,
    server,
  } = await card({
    SingleSignOn: sso(),
    UpdateSingleSignOn: { updateSingleSignOn: { singleSignOn: { version: 4 } } },
  });
  expect(region).toHaveTextContent("https://gate.example.com/auth/sso/callback");
  expect(within(region).getByRole("button", { name: "Copy redirect address" })).toBeVisible();
  expect(within(region).queryByRole("button", { name: "Test the provider" })).toBeNull();
  await user.click(within(region).getByRole("button", { name: "Set up single sign-on" }));
  const dialog = await screen.findByRole("dialog");
  await user.type(within(dialog).getByLabelText("Issuer"), "https://id.example.com");
  await user.type(within(dialog).getByLabelText("Client id"), "gate");
  await user.type(within(dialog).getByLabelText("Client secret"), "hush");
  await user.type(within(dialog).getByLabelText("More scopes"), "groups, roles");
  expect(within(dialog).queryByLabelText("E-mail domains")).toBeNull();
  await user.click(within(dialog).getByRole("switch", { name: /^Create accounts/ }));
  await user.type(within(dialog).getByLabelText("E-mail domains"), "example.com\nexample.org");
  await user.click(within(dialog).getByRole("switch", { name: /^On/ }));
  await user.click(within(dialog).getByRole("button", { name: "Save single sign-on" }));
  await screen.findByText("Single sign-on is saved.");
  expect(server.lastOf("UpdateSingleSignOn").input).toEqual({
    enabled: true,
    issuer: "https://id.example.com",
    clientId: "gate",
    clientSecret: "hush",
    label: "",
    scopes: ["groups", "roles"],
    groupsClaim: "groups",
    createsPeople: true,
    domains: ["example.com", "example.org"],
    membersUsePasswords: true,
    trustsEmail: false,
    expectedVersion: 3,
  });
});

it("leaves the secret alone unless one is typed, and removes it when told to", async () => {
  const {
    card: region,
    user,
    server,
  } = await card({
    SingleSignOn: setUp(),
    UpdateSingleSignOn: refuse("must be given again", "invalid_input", "input.clientSecret"),
  });
  await user.click(within(region).getByRole("button", { name: "Edit single sign-on" }));
  const dialog = await screen.findByRole("dialog");
  await user.click(within(dialog).getByRole("button", { name: "Save single sign-on" }));
  expect(await within(dialog).findByText("Must be given again")).toBeVisible();
  expect(server.lastOf("UpdateSingleSignOn").input).not.toHaveProperty("clientSecret");
  await user.click(within(dialog).getByRole("button", { name: "Remove the client secret" }));
  expect(within(dialog).getByLabelText("Client secret")).toBeDisabled();
  await user.click(within(dialog).getByRole("button", { name: "Save single sign-on" }));
  await expect
    .poll(() => server.lastOf("UpdateSingleSignOn").input)
    .toHaveProperty("clientSecret", null);
});

it("tells all that a test finds", async () => {
  const {
    card: region,
    user,
    server,
  } = await card({
    SingleSignOn: setUp(),
    TestSingleSignOn: { testSingleSignOn: { problems: ["It names nothing."], notes: ["Look."] } },
  });
  const button = within(region).getByRole("button", { name: "Test the provider" });
  await user.click(button);
  const alert = await within(region).findByRole("alert");
  expect(alert).toHaveTextContent("It names nothing.Look.");
  server.on({ TestSingleSignOn: { testSingleSignOn: { problems: [], notes: [] } } });
  await user.click(button);
  expect(await within(region).findByText(/offers all that is needed/)).toBeVisible();
});

it("maps values to groups and to the role, and takes rows away", async () => {
  const {
    card: region,
    user,
    server,
  } = await card({
    SingleSignOn: setUp(),
    SetSsoMapping: { setSsoMapping: { singleSignOn: { version: 4 } } },
  });
  const list = within(region).getByRole("list", { name: "Group mapping" });
  expect(list).toHaveTextContent("devs → Developersroot → role admin");
  await user.click(within(region).getByRole("button", { name: "Edit group mapping" }));
  const dialog = await screen.findByRole("dialog");
  await user.click(within(dialog).getByRole("button", { name: "Add row" }));
  await user.type(within(dialog).getByLabelText("Value 2"), "ops, night");
  const save = within(dialog).getByRole("button", { name: "Save mapping" });
  expect(save).toBeDisabled();
  await user.click(within(dialog).getByRole("button", { name: "Group of row 2: Choose a group" }));
  await user.click(await screen.findByRole("option", { name: "Operators" }));
  await user.click(within(dialog).getByRole("button", { name: "Remove row 1" }));
  const admins = within(dialog).getByLabelText("Values that make administrators");
  await user.clear(admins);
  await user.type(admins, "boss one\nboss two");
  await user.click(save);
  await screen.findByText(/The mapping is saved/);
  expect(server.lastOf("SetSsoMapping").input).toEqual({
    mappings: [{ value: "ops, night", groupId: "g2" }],
    adminValues: ["boss one", "boss two"],
    expectedVersion: 3,
  });
});

it("shows what somebody else saved meanwhile beside what was typed", async () => {
  const {
    card: region,
    user,
    server,
  } = await card({
    SingleSignOn: setUp(),
    SetSsoMapping: refuse("Ada changed mapping at 10:00 UTC. Load it again.", "stale_version"),
  });
  await user.click(within(region).getByRole("button", { name: "Edit group mapping" }));
  const dialog = await screen.findByRole("dialog");
  await user.click(within(dialog).getByRole("button", { name: "Remove row 1" }));
  server.on({ SingleSignOn: setUp({ version: 4, adminValues: [] }) });
  await user.click(within(dialog).getByRole("button", { name: "Save mapping" }));
  expect(await within(dialog).findByText(/Somebody changed this/)).toBeVisible();
  expect(dialog).toHaveTextContent("Rows: now devs → Developers, you entered nothing");
});

const entry = (at: string, ways: object, more: Handlers = {}) =>
  renderApp(at, {
    signedIn: false,
    server: stubServer({
      "GET /auth/sso": { enabled: true, label: "Acme", passwords: true, ...ways },
      ...more,
    }),
  });

it("offers the provider on the sign-in page, on to the page that was wanted", async () => {
  entry("/sign-in?next=%2Fadmin%2Fusers", {});
  const button = await screen.findByRole("link", { name: "Sign in with Acme" });
  expect(button).toHaveAttribute("href", "/auth/sso/start?next=%2Fadmin%2Fusers");
  expect(screen.getByText("or with a password")).toBeVisible();
});

it("goes on to no other site", async () => {
  entry("/sign-in?next=%2F%2Fevil.example", { passwords: false });
  const button = await screen.findByRole("link", { name: "Sign in with Acme" });
  expect(button).toHaveAttribute("href", "/auth/sso/start");
  expect(screen.getByText("administrators")).toBeVisible();
});

it.each([
  ["suspended", /suspended/],
  ["unreachable", /can't be reached/],
  ["<b>nonsense</b>", /can't be used/],
])("says what %s means", async (problem, words) => {
  entry(`/sign-in?problem=${encodeURIComponent(problem)}`, {});
  expect(await screen.findByRole("alert")).toHaveTextContent(words);
});

const invitation = (password: boolean) => ({
  kind: "invite",
  email: "grace@example.com",
  name: "",
  status: "valid",
  password,
});

it("lets whoever is invited come in through the provider, and asks for no password that is of no use", async () => {
  entry("/welcome/token", {}, { "GET /auth/link/token": invitation(false) });
  expect(await screen.findByRole("link", { name: "Sign in with Acme" })).toBeVisible();
  expect(screen.queryByLabelText("Password")).toBeNull();
});

it("offers both where both are open", async () => {
  entry("/welcome/token", {}, { "GET /auth/link/token": invitation(true) });
  expect(await screen.findByRole("link", { name: "Sign in with Acme" })).toBeVisible();
  expect(screen.getByLabelText("Password")).toBeVisible();
});

it("shows how somebody came in, and unlinks an identity after asking", async () => {
  const signIn = {
    user: {
      id: "user-2",
      lastSignIn: { at: "2026-11-24T00:00:00.000Z", way: "SSO" },
      identities: [
        {
          id: "i1",
          issuer: "https://id.example.com",
          subject: "sub-1",
          email: "grace@id.example.com",
          linkedAt: "2026-11-01T00:00:00.000Z",
          lastUsedAt: "2026-11-24T00:00:00.000Z",
        },
      ],
    },
  };
  const server = stubServer({
    UserDetail: mockUserDetail(),
    UserPolicy: mockUserPolicy(),
    ModelPicker: { models: mockPage([]) },
    UserSignIn: signIn,
    UnlinkIdentity: { unlinkIdentity: { user: { id: "user-2" } } },
    ...mockUsage(),
  });
  const { user } = renderApp("/admin/users/user-2", {
    session: mockSession({ role: "ADMIN" }),
    server,
  });
  const region = await screen.findByRole("region", { name: "Sign-in" });
  expect(await within(region).findByText(/by single sign-on/)).toBeVisible();
  expect(region).toHaveTextContent("sub-1 at https://id.example.com");
  await user.click(within(region).getByRole("button", { name: "Unlink grace@id.example.com" }));
  const dialog = await screen.findByRole("dialog");
  expect(dialog).toHaveTextContent("all sessions of this person end");
  server.on({ UserSignIn: { user: { ...signIn.user, identities: [] } } });
  await user.click(within(dialog).getByRole("button", { name: "Unlink" }));
  expect(await within(region).findByText(/No account of an identity provider/)).toBeVisible();
  expect(server.lastOf("UnlinkIdentity")).toEqual({ id: "i1" });
});
