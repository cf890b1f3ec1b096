// An identity provider is let in, provisions somebody, and is shut out again.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openAs, pictured, settled, startBrowser, startServer } from "./harness.mjs";
import { faults } from "./looks.mjs";

let server;
let browser;
before(async () => {
  [server, browser] = await Promise.all([startServer(), startBrowser()]);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

test("a token is made in the settings, an identity provider uses it, and it is revoked", async () => {
  const page = await openAs(browser, server, server.facts.admin, "/admin/settings");
  await pictured(page, "provisioning", async () => {
    await settled(page);
    const card = page.getByRole("region", { name: "Provisioning (SCIM)" });
    await card.getByText("No identity provider yet").waitFor();
    const base = await card.getByText(/\/scim\/v2$/).textContent();
    assert.equal(base, `${server.url}/scim/v2`);
    assert.deepEqual(await faults(page, "no token yet"), []);

    await card.getByRole("button", { name: "Create token" }).click();
    await page.getByLabel("Name").fill("Okta");
    await page.getByRole("dialog").getByRole("button", { name: "Create token" }).click();
    const secret = await page.getByLabel("Your new token").inputValue();
    assert.match(secret, /^sgp_/);
    assert.deepEqual(await faults(page, "the token", "[role=dialog]"), []);
    await page.getByRole("button", { name: "Done" }).click();

    const ask = (token, method, path, body) =>
      fetch(`${base}${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, "content-type": "application/scim+json" },
        body: body && JSON.stringify(body),
      });
    const made = await ask(secret, "POST", "/Users", { userName: "kim@demo.example", displayName: "Kim Lee" });
    assert.equal(made.status, 201);
    const { id } = await made.json();
    const group = { displayName: "Pushed", members: [{ value: id }] };
    assert.equal((await ask(secret, "POST", "/Groups", group)).status, 201);

    await page.reload();
    await card.getByRole("button", { name: "Rotate Okta" }).click();
    await page.getByRole("button", { name: "Make new secret" }).click();
    const other = await page.getByLabel("Your new token").inputValue();
    await page.getByRole("button", { name: "Done" }).click();
    await card.getByText(/… ends/).waitFor();
    assert.deepEqual(await faults(page, "a rotated token"), []);
    const off = { Operations: [{ op: "Replace", path: "active", value: "False" }] };
    for (const token of [secret, other]) assert.equal((await ask(token, "PATCH", `/Users/${id}`, off)).status, 200);

    await page.goto(`/admin/users/${id}`);
    await page.getByRole("heading", { name: "Kim Lee" }).waitFor();
    await page.getByText("Suspended", { exact: true }).first().waitFor();
    await page.goto("/admin/audit-log");
    const events = page.getByRole("table");
    await events.getByText("Provisioned user").waitFor();
    await events.getByText("SCIM: Okta").first().waitFor();
    assert.deepEqual(await faults(page, "what the provider did"), []);

    await page.goto("/admin/settings");
    await card.getByRole("button", { name: "Revoke Okta" }).click();
    await page.getByRole("button", { name: "Revoke token" }).click();
    await card.getByText("Revoked", { exact: true }).waitFor();
    for (const token of [secret, other]) assert.equal((await ask(token, "GET", "/Users")).status, 401);
    assert.deepEqual(page.problems, []);
  });
});
