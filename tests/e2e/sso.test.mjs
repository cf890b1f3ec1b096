// Single sign-on, from an empty card to somebody who comes in through the identity provider and is in a group for it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openAs, picture, pictured, startBrowser, startServer } from "./harness.mjs";
import { startIssuer } from "./issuer.mjs";
import { faults } from "./looks.mjs";

const nina = { sub: "nina-1", email: "nina@demo.example", email_verified: true, name: "Nina Newcomer" };

let issuer;
let server;
let browser;
before(async () => {
  [issuer, server, browser] = await Promise.all([
    startIssuer(),
    startServer({ env: { SLUICEGATE_ALLOW_PRIVATE_ISSUERS: "true" } }),
    startBrowser(),
  ]);
});
after(async () => {
  await browser?.close();
  await server?.stop();
  await issuer?.stop();
});

/** In both colours, for whoever wants to look. */
async function looks(page, name) {
  await page.setViewportSize({ width: 1280, height: 900 });
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    await picture(page, `${name}-${colorScheme}`);
  }
}

test("an administrator sets it up and tries it out", async () => {
  const page = await openAs(browser, server, server.facts.admin, "/admin/settings");
  const card = page.getByRole("region", { name: "Single sign-on" });
  await pictured(page, "sso-settings", async () => {
    await card.getByText(`${server.url}/auth/sso/callback`).waitFor();
    await card.getByRole("button", { name: "Set up single sign-on" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Issuer").fill(`${issuer.url}/elsewhere`);
    await dialog.getByLabel("Client id").fill(issuer.clientId);
    await dialog.getByLabel("Client secret").fill(issuer.clientSecret);
    await dialog.getByLabel("Name on the button").fill("Acme");
    await dialog.getByRole("switch", { name: /^Create accounts/ }).check({ force: true });
    await dialog.getByLabel("E-mail domains").fill("demo.example");
    await dialog.getByRole("switch", { name: /^On/ }).check({ force: true });
    assert.deepEqual(await faults(page, "the form", "[role=dialog]"), []);
    await looks(page, "sso-form");
    await dialog.getByRole("button", { name: "Save single sign-on" }).click();

    await card.getByRole("button", { name: "Test the provider" }).click();
    await card.getByText(/\/elsewhere\/\.well-known\/openid-configuration answers with status 404/).waitFor();
    await card.getByRole("button", { name: "Edit single sign-on" }).click();
    await dialog.getByLabel("Issuer").fill(issuer.url);
    await dialog.getByRole("button", { name: "Save single sign-on" }).click();
    await dialog.getByText("Must be given again, or removed, when the issuer changes").waitFor();
    await dialog.getByLabel("Client secret").fill(issuer.clientSecret);
    await dialog.getByRole("button", { name: "Save single sign-on" }).click();
    await dialog.waitFor({ state: "detached" });
    await card.getByRole("button", { name: "Test the provider" }).click();
    await card.getByText("The provider answers, and offers all that is needed.").waitFor();

    await card.getByRole("button", { name: "Edit group mapping" }).click();
    await dialog.getByLabel("Value 1").fill("developers");
    await dialog.getByRole("button", { name: "Group of row 1: Choose a group" }).click();
    const { groups } = await server.ask("{ groups(first: 1) { edges { node { name } } } }");
    await page.getByRole("option", { name: groups.edges[0].node.name }).click();
    await dialog.getByLabel("Values that make administrators").fill("gateway admins");
    assert.deepEqual(await faults(page, "the mapping", "[role=dialog]"), []);
    await looks(page, "sso-mapping");
    await dialog.getByRole("button", { name: "Save mapping" }).click();
    await card.getByRole("list", { name: "Group mapping" }).getByText("gateway admins").waitFor();
    assert.deepEqual(await faults(page, "the settings"), []);
    await looks(page, "sso-card");
  });
});

test("somebody comes in through the provider, to the page that was wanted and into a group", async () => {
  await issuer.set({ person: { ...nina, groups: ["developers"] } });
  const page = await browser.page({ url: server.url });
  await pictured(page, "sso-entry", async () => {
    await page.goto("/models");
    await page.getByRole("link", { name: "Sign in with Acme" }).waitFor();
    assert.deepEqual(await faults(page, "the sign-in page"), []);
    await looks(page, "sso-sign-in");
    await page.getByRole("link", { name: "Sign in with Acme" }).click();
    await page.waitForURL(`${server.url}/models`);
    await page.getByRole("heading", { level: 1, name: "Models" }).waitFor();
    assert.deepEqual(page.problems, []);
  });
  const { users } = await server.ask(
    '{ users(search: "nina@", first: 1) { edges { node { id name groups { name } lastSignIn { way } } } } }',
  );
  const [{ node }] = users.edges;
  assert.equal(node.name, nina.name);
  assert.equal(node.groups.length, 1);
  assert.equal(node.lastSignIn.way, "SSO");

  const admin = await openAs(browser, server, server.facts.admin, `/admin/users/${node.id}`);
  await pictured(admin, "sso-user", async () => {
    const card = admin.getByRole("region", { name: "Sign-in" });
    await card.getByText(`nina-1 at ${issuer.url}`).waitFor();
    assert.deepEqual(await faults(admin, "the user's page"), []);
    await looks(admin, "sso-user");
    await card.getByRole("button", { name: `Unlink ${nina.email}` }).click();
    await admin.getByRole("dialog").getByRole("button", { name: "Unlink" }).click();
    await card.getByText("No account of an identity provider is linked.").waitFor();
  });
  await page.goto("/models");
  await page.getByRole("heading", { name: "Sign in", exact: true }).waitFor();
});

test("who may not come in is told why, and keeps the page that was wanted", async () => {
  const page = await browser.page({ url: server.url });
  await pictured(page, "sso-refused", async () => {
    await issuer.set({ error: "access_denied" });
    await page.goto("/models");
    await page.getByRole("link", { name: "Sign in with Acme" }).click();
    await page.getByText("You cancelled signing in").waitFor();
    await issuer.set({ error: null, person: { ...nina, sub: "eve-1", email: "eve@elsewhere.example" } });
    await page.getByRole("link", { name: "Sign in with Acme" }).click();
    await page.getByText("No account is made for e-mail addresses like yours").waitFor();
    assert.deepEqual(await faults(page, "a refusal"), []);
    await looks(page, "sso-refused");
    await issuer.set({ person: { ...nina, groups: ["gateway admins"] } });
    await page.getByRole("link", { name: "Sign in with Acme" }).click();
    await page.waitForURL(`${server.url}/models`);
  });
});
