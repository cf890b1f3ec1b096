// axe and the browser's own complaints on every route: light and dark, wide and on a phone.
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { startFurnished } from "./furnished.mjs";
import { openAs, pictured, settled, startBrowser } from "./harness.mjs";
import { faults } from "./looks.mjs";

const routes = join(dirname(fileURLToPath(import.meta.url)), "../../frontend/src/routes");
let server;
let address;
let browser;
before(async () => {
  [{ server, address }, browser] = await Promise.all([startFurnished(), startBrowser()]);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

/** Every page of the console by its address pattern, read from the route files, so that a new one can't be missed. */
function patterns() {
  const files = readdirSync(routes, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".tsx"))
    .map((file) => file.replaceAll("\\", "/").replace(/\.tsx$/, "").replaceAll("/", "."));
  return files
    .filter((file) => file !== "__root" && !files.some((other) => other.startsWith(`${file}.`)))
    .map((file) => file.split(".").filter((part) => part !== "index" && !part.startsWith("_")))
    .map((parts) => `/${parts.join("/")}`)
    .sort();
}

async function faultsOf(page, pattern) {
  await page.setViewportSize({ width: 1280, height: 900 });
  await page.goto(address(pattern));
  await settled(page);
  return faults(page, pattern);
}

const isEntry = (pattern) => /^\/(sign-in|forgot-password|welcome|reset)\b/.test(pattern);
const isAdmin = (pattern) => pattern.startsWith("/admin");

test("pages before signing in", async () => {
  const page = await browser.page({ url: server.url });
  await pictured(page, "axe-entry", async () => {
    const found = [];
    for (const pattern of patterns().filter(isEntry)) found.push(...(await faultsOf(page, pattern)));
    await page.goto("/welcome/no-such-link");
    await settled(page);
    found.push(...(await faults(page, "a dead link")));
    assert.deepEqual(found, []);
  });
});

test("every page as an administrator sees it", async () => {
  const page = await openAs(browser, server, server.facts.admin, "/");
  await pictured(page, "axe-admin", async () => {
    const found = [];
    for (const pattern of patterns().filter((one) => !isEntry(one))) {
      found.push(...(await faultsOf(page, pattern)));
    }
    await page.goto("/admin/no-such-page");
    await settled(page);
    found.push(...(await faults(page, "a missing page")));
    assert.deepEqual(found, []);
  });
});

test("every page as a member sees it, refusals of administrators' pages among them", async () => {
  const page = await openAs(browser, server, server.facts.member, "/");
  await pictured(page, "axe-member", async () => {
    const found = [];
    for (const pattern of patterns().filter((one) => !isEntry(one) && !isAdmin(one))) {
      found.push(...(await faultsOf(page, pattern)));
    }
    for (const pattern of patterns().filter(isAdmin)) {
      await page.goto(address(pattern));
      await page.getByRole("heading", { name: "For administrators only" }).waitFor();
    }
    found.push(...(await faults(page, "a refused page")));
    assert.deepEqual(found, []);
  });
});

test("what pages answer when they are asked: explain, what a cap would do, what rules make of a text", async () => {
  const page = await openAs(browser, server, server.facts.admin, address("/admin/users/$userId"));
  await pictured(page, "axe-answers", async () => {
    const model = page.getByRole("combobox", { name: "Model", exact: true });
    await model.fill("demo-smart");
    await page.getByRole("button", { name: "Check" }).click();
    await page.getByText("No: 402 budget_exceeded").waitFor();
    await page.keyboard.press("Escape");
    assert.deepEqual(await faults(page, "an explanation"), []);
    await page.setViewportSize({ width: 1280, height: 900 });
    await page.goto(address("/admin/groups/$groupId"));
    await settled(page);
    await page.getByRole("textbox", { name: "Weekly cap" }).first().fill("0");
    await page.getByText(/^It tightens/).waitFor();
    assert.deepEqual(await faults(page, "a preview"), []);
    await page.setViewportSize({ width: 1280, height: 900 });
    await page.goto("/admin/secret-rules");
    await settled(page);
    await page.getByRole("textbox", { name: "Sample text" }).fill("Ours is AKIAIOSFODNN7EXAMPLE, of 2026.");
    await page.getByText("Redacted: 1 match.").waitFor();
    assert.deepEqual(await faults(page, "a trial of rules"), []);
  });
});
