// The console without a mouse, and its addresses without the way that led to them.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openAs, pictured, settled, signIn, startBrowser, startServer } from "./harness.mjs";

let server;
let browser;
before(async () => {
  [server, browser] = await Promise.all([startServer(), startBrowser()]);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

test("an administrator signs in, finds the users, opens one and closes a dialog by keyboard alone", async () => {
  const page = await browser.page({ url: server.url });
  const { keyboard } = page;
  await pictured(page, "keyboard", async () => {
    await page.goto("/");
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await keyboard.type(server.facts.admin.email);
    await keyboard.press("Tab");
    await keyboard.type(server.facts.admin.password);
    await keyboard.press("Enter");
    await page.getByRole("heading", { name: "Dashboard" }).waitFor();

    await keyboard.press("Tab");
    assert.equal(await focused(page), "Skip to content");
    await keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement.id), "content");

    await keyboard.press("Control+k");
    await page.getByRole("combobox", { name: "Search" }).waitFor();
    await keyboard.type("users");
    await page.getByRole("option", { name: /^Users/ }).waitFor();
    await keyboard.press("Enter");
    await page.waitForURL(/\/admin\/users$/);
    await page.getByRole("link", { name: "Mia Member" }).waitFor();

    await tabTo(page, /^Mia Member/);
    await keyboard.press("Enter");
    await page.getByRole("heading", { name: "Mia Member" }).waitFor();
    await settled(page);

    await tabTo(page, /^Suspend$/);
    await keyboard.press("Enter");
    await page.getByRole("dialog", { name: "Suspend Mia Member?" }).waitFor();
    await page.waitForFunction(() => document.activeElement.textContent === "Cancel");
    await keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.waitForFunction(() => document.activeElement.textContent === "Suspend");
    assert.equal((await server.call(server.facts.member.key, "demo-fast")).status, 200);
    assert.deepEqual(page.problems, []);
  });
});

test("a backend is added, moved and saved by keyboard", async () => {
  const { models } = await server.ask(`{ models(search: "demo-fast") { edges { node { id } } } }`);
  const page = await openAs(browser, server, server.facts.admin, `/admin/models/${models.edges[0].node.id}`);
  const { keyboard } = page;
  await pictured(page, "keyboard-backends", async () => {
    await page.getByRole("combobox", { name: "Add a backend" }).focus();
    await keyboard.type("smart");
    await page.getByRole("option", { name: /demo-smart/ }).waitFor();
    await keyboard.press("ArrowDown");
    await page.locator("[role=option][data-combobox-selected]").waitFor();
    await keyboard.press("Enter");
    await page.getByText("Priority 1").waitFor();
    await page.getByRole("button", { name: "Try demo-smart earlier" }).press("Enter");
    await page.getByText("shared by weight").waitFor();
    await page.getByRole("button", { name: "Save backends" }).press("Enter");
    await page.getByText("Calls are routed this way from the next one on.").waitFor();
    await page.reload();
    await page.getByText("shared by weight").waitFor();
    assert.deepEqual(page.problems, []);
  });
});

test("a deep link opens where it says, and is the same after a reload", async () => {
  const { users } = await server.ask(`{ users(search: "mia") { edges { node { id } } } }`);
  const address = `/admin/users/${users.edges[0].node.id}`;
  const page = await openAs(browser, server, server.facts.admin, address);
  await pictured(page, "deep-link", async () => {
    await page.waitForURL(new RegExp(`${address}$`));
    await page.getByRole("heading", { name: "Mia Member" }).waitFor();
    await page.reload();
    await page.getByRole("heading", { name: "Mia Member" }).waitFor();
    for (const missing of ["/admin/users/nobody", "/admin/models/none", "/admin/providers/none", "/no/such/page"]) {
      await page.goto(missing);
      await page.getByRole("heading", { level: 1, name: /^There is no/ }).waitFor();
    }
    assert.deepEqual(page.problems, []);
  });
});

test("somebody whose session ended is asked to sign in and comes back to the same page", async () => {
  const page = await openAs(browser, server, server.facts.member, "/api-keys");
  await pictured(page, "session-ended", async () => {
    await page.getByRole("row", { name: /Laptop/ }).waitFor();
    await page.context().clearCookies();
    await page.goto("/connect?client=curl");
    await page.waitForURL(/\/sign-in\?next=/);
    await signIn(page, { ...server.facts.member, password: "not the password" });
    await page.getByRole("alert").getByText(/wrong/).waitFor();
    await signIn(page, server.facts.member);
    await page.waitForURL(/\/connect\?client=curl$/);
  });
});

const focused = (page) => page.evaluate(() => document.activeElement?.textContent?.trim() ?? "");

/** Presses Tab until what has the focus reads like this. */
async function tabTo(page, words) {
  for (let presses = 0; presses < 60; presses += 1) {
    if (words.test(await focused(page))) return;
    await page.keyboard.press("Tab");
  }
  assert.fail(`60 times Tab did not reach ${words}`);
}
