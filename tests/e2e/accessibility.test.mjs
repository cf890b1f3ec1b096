// axe and the browser's own complaints on every route and every main dialog: light and dark, wide and on a phone.
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { dialogs } from "./dialogs.mjs";
import { openAs, pictured, settled, startBrowser, startServer, violations } from "./harness.mjs";

const routes = join(dirname(fileURLToPath(import.meta.url)), "../../frontend/src/routes");
const looks = [
  { colorScheme: "light", width: 1280 },
  { colorScheme: "dark", width: 1280 },
  { colorScheme: "dark", width: 390 },
  { colorScheme: "light", width: 390 },
];
// Tablets and halves of screens: nothing may be cut off there, either.
const widthsBetween = [1024, 768];

let server;
let browser;
let ids;
before(async () => {
  [server, browser] = await Promise.all([startServer(), startBrowser()]);
  ids = await idsFor();
  await furnish();
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

function address(pattern) {
  return pattern.replace(/\$(\w+)/g, (_, name) => {
    assert.ok(ids[name], `this test has no value for $${name} of ${pattern}; add one to idsFor()`);
    return ids[name];
  });
}

async function idsFor() {
  const found = await server.ask(
    `{
      users(first: 1, search: "mia") { edges { node { id } } }
      groups(first: 1) { edges { node { id } } }
      providers(first: 1) { edges { node { id } } }
      models(first: 1) { edges { node { id } } }
    }`,
  );
  const first = ({ edges: [{ node }] }) => node.id;
  const { inviteUsers } = await server.ask(
    `mutation { inviteUsers(input: { emails: ["ines@demo.example"], role: MEMBER }) { results { inviteUrl } } }`,
  );
  await server.ask(`mutation { createApiKey(input: { name: "Build machine" }) { secret } }`);
  return {
    userId: first(found.users),
    groupId: first(found.groups),
    providerId: first(found.providers),
    modelId: first(found.models),
    token: inviteUsers.results[0].inviteUrl.split("/").at(-1),
  };
}

/** Sets one of everything, so that pages are looked at with something on them, a budget that is used up among it. */
async function furnish() {
  const { userId, groupId } = ids;
  const endsAt = new Date(Date.now() + 3 * 86_400_000).toISOString();
  const reason = "Release week";
  await server.ask(
    `mutation ($input: CreateSecretRuleInput!) {
      addSecretRulePack(input: { pack: "cloud" }) { rules { id } }
      createSecretRule(input: $input) { rule { id } }
    }`,
    { input: { name: "Badge", pattern: "BADGE-[0-9]{6}", action: "BLOCK", enabled: false } },
  );
  assert.equal((await server.call(server.facts.member.key, "demo-smart", "AKIAIOSFODNN7EXAMPLE")).status, 200);
  await server.ask(
    `mutation (
      $members: GroupMembersInput!, $subject: SubjectInput!, $budget: BudgetInput!, $limit: RateLimitInput!
      $groupId: ID!, $cap: CreateOverrideInput!, $calls: CreateOverrideInput!, $hook: CreateWebhookInput!
    ) {
      addGroupMembers(input: $members) { group { id } }
      setBudget(subject: $subject, input: $budget) { budget { daily } }
      setRateLimit(subject: $subject, input: $limit) { rateLimit { requestsPerMinute } }
      setGroupPoolBudget(groupId: $groupId, input: $budget) { pool { budget { daily } } }
      setGroupPoolRateLimit(groupId: $groupId, input: $limit) { pool { rateLimit { requestsPerMinute } } }
      week: createOverride(input: $cap) { override { id } }
      calls: createOverride(input: $calls) { override { id } }
      setAlertSettings(admins: EVERY) { admins }
      createWebhook(input: $hook) { webhook { id } }
    }`,
    {
      members: { groupId, userIds: [userId] },
      subject: { userId },
      budget: { daily: "0.00002", monthly: "40", alertThresholds: [50, 80, 100] },
      limit: { requestsPerMinute: 60, outputTokensPerMinute: 9000 },
      groupId,
      cap: { userId, reason, endsAt, window: "WEEK", cap: "50" },
      calls: { userId, reason, endsAt, dimension: "REQUESTS", limit: 200 },
      hook: { name: "Pager", url: "https://hooks.example.com/alerts", subjects: ["USER", "POOL"] },
    },
  );
  for (const deadline = Date.now() + 30_000; ; ) {
    const { alerts } = await server.ask("{ alerts(first: 1) { totalCount } }");
    if (alerts.totalCount > 0) return;
    assert.ok(Date.now() < deadline, "nobody was told that a budget is used up");
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** What is wrong with the page as it is now, in each of the looks; empty is what a test wants. */
async function faults(page, what, within) {
  const found = [];
  for (const { colorScheme, width } of looks) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 900 });
    await atRest(page);
    const look = `${what}, ${colorScheme} at ${width}`;
    found.push(...(await violations(page, within)).map((fault) => `${look}: ${fault}`));
    found.push(...(await overflow(page, look, width)));
  }
  for (const width of within === undefined ? widthsBetween : []) {
    await page.setViewportSize({ width, height: 900 });
    await atRest(page);
    found.push(...(await overflow(page, `${what} at ${width}`, width)));
  }
  found.push(...page.problems.splice(0).map((problem) => `${what}: ${problem}`));
  return found;
}

async function overflow(page, look, width) {
  const broad = await page.evaluate(() => document.documentElement.scrollWidth);
  return broad > width ? [`${look}: ${broad} pixels wide`] : [];
}

/** Waits until styles and charts have followed a new look; what turns for ever is not waited for. */
async function atRest(page) {
  await page.evaluate(async () => {
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    const passing = document.getAnimations().filter(({ effect }) => effect?.getComputedTiming().endTime !== Infinity);
    await Promise.all(passing.map(({ finished }) => finished.catch(() => {})));
  });
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

// The page underneath was looked at already; dialogs, menus and drop-downs hang beside it.
const overlays = "[data-portal]";

test("the main dialogs, while they are open", async (t) => {
  // A second session, to be signed out of.
  await openAs(browser, server, server.facts.admin, "/account");
  const page = await openAs(browser, server, server.facts.admin, "/");
  for (const { at, name, open } of dialogs({ server, ids, faults, overlays })) {
    await t.test(`${name} at ${at}`, () =>
      pictured(page, `axe-${name}`, async () => {
        await page.setViewportSize({ width: 1280, height: 900 });
        await page.goto(address(at));
        await settled(page);
        await open(page);
        await page.getByRole("dialog", { name }).waitFor();
        assert.deepEqual(await faults(page, `${name} at ${at}`, overlays), []);
      }),
    );
  }
});
