import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { pictured, signIn, startBrowser, startServer, violations } from "./harness.mjs";

let server;
let browser;
before(async () => {
  server = await startServer();
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

test("a page asked for before signing in is shown after it", async () => {
  const page = await browser.page({ url: server.url });
  await pictured(page, "sign-in", async () => {
    await page.goto("/admin/users?search=a");
    await page.waitForURL(/\/sign-in\?next=/);
    assert.deepEqual(await violations(page), []);
    await signIn(page, { ...server.facts.admin, password: "not the password" });
    await page.getByRole("alert").getByText("wrong").waitFor();
    await signIn(page, server.facts.admin);
    await page.waitForURL(/\/admin\/users\?search=a$/);
  });
});

test("members are told that a page is for administrators, and do not see it in the sidebar", async () => {
  const page = await browser.page({ url: server.url });
  await pictured(page, "member", async () => {
    await page.goto("/sign-in?next=%2Fadmin");
    await signIn(page, server.facts.member);
    await page.getByRole("heading", { name: "For administrators only" }).waitFor();
    assert.equal(await page.getByText("Administration").count(), 0);
    assert.deepEqual(await violations(page), []);
  });
});

test("signing out ends the session, so that going back leads to the sign-in page", async () => {
  const page = await browser.page({ url: server.url });
  await pictured(page, "sign-out", async () => {
    await page.goto("/");
    await signIn(page, server.facts.member);
    await page.getByRole("heading", { name: "Dashboard" }).waitFor();
    await page.getByRole("button", { name: /^Account menu/ }).click();
    await page.getByRole("menuitem", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await page.goto("/");
    await page.waitForURL(/\/sign-in$/);
    assert.deepEqual(page.problems, []);
  });
});

test("on a phone the sidebar opens, leads on and closes by keyboard", async () => {
  const page = await browser.page({ url: server.url, viewport: { width: 390, height: 844 } });
  await pictured(page, "phone", async () => {
    await page.goto("/");
    await signIn(page, server.facts.admin);
    await page.getByRole("heading", { name: "Dashboard" }).waitFor();
    assert.equal(await page.getByRole("link", { name: "Dashboard" }).isVisible(), false);
    await page.getByRole("button", { name: "Open navigation" }).press("Enter");
    await page.getByRole("link", { name: "Dashboard" }).waitFor();
    assert.deepEqual(await violations(page), []);
    await page.keyboard.press("Escape");
    await page.getByRole("link", { name: "Dashboard" }).waitFor({ state: "hidden" });
  });
});
