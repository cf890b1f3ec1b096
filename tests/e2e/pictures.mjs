// Takes the pictures in docs/images from a demonstration: `node tests/e2e/pictures.mjs`, after `npm run setup`.
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { openAs, settled, startBrowser, startServer } from "./harness.mjs";
import { startMailServer } from "./mail-server.mjs";

const folder = join(dirname(fileURLToPath(import.meta.url)), "../../docs/images");
const largest = 200_000;

const mail = await startMailServer();
const server = await startServer({ env: mail.env });
const browser = await startBrowser();
try {
  await mkdir(folder, { recursive: true });
  const { admin, member } = server.facts;
  const { userId, teamId } = await competingPolicy();
  for (const model of server.facts.models) await server.call(member.key, model);
  await take("dashboard-light", member, "/", "light", 1000);
  await take("dashboard-dark", member, "/", "dark", 1000);
  await take("user-light", admin, `/admin/users/${userId}`, "light", 1100);
  await take("users-light", admin, "/admin/users", "light", 560);
  await take("group-light", admin, `/admin/groups/${teamId}`, "light", 1000);
  await take("budgets-light", admin, "/admin/budgets", "light", 560);
  await moreKeysAndLetters();
  await take("keys-light", admin, "/admin/api-keys", "light", 560);
  await take("account-light", member, "/account", "light", 900);
  await take("audit-light", admin, "/admin/audit-log", "light", 760);
  await take("settings-light", admin, "/admin/settings", "light", 900);
} finally {
  await browser.close();
  await server.stop();
  await mail.stop();
}

/** Gives the member values of her own beside those of two groups, and one for a while, so that there are winners to show. */
async function competingPolicy() {
  const { users, groups, team } = await server.ask(
    `{
      users(search: "mia") { edges { node { id } } }
      groups(search: "Contractors") { edges { node { id } } }
      team: groups(search: "Engineering") { edges { node { id } } }
    }`,
  );
  const userId = users.edges[0].node.id;
  const groupId = groups.edges[0].node.id;
  const endsAt = new Date(Date.now() + 3 * 86_400_000).toISOString();
  await server.ask(
    `mutation ($members: GroupMembersInput!, $subject: SubjectInput!, $budget: BudgetInput!, $limit: RateLimitInput!
      $groupId: ID!, $pool: BudgetInput!, $raise: CreateOverrideInput!) {
      addGroupMembers(input: $members) { group { id } }
      setBudget(subject: $subject, input: $budget) { budget { daily } }
      setRateLimit(subject: $subject, input: $limit) { rateLimit { requestsPerMinute } }
      setGroupPoolBudget(groupId: $groupId, input: $pool) { pool { budget { monthly } } }
      createOverride(input: $raise) { override { id } }
    }`,
    {
      members: { groupId, userIds: [userId] },
      subject: { userId },
      budget: { daily: "2", monthly: "8" },
      limit: { requestsPerMinute: 60 },
      groupId,
      pool: { monthly: "500" },
      raise: { userId, reason: "Release week", endsAt, window: "WEEK", cap: "50" },
    },
  );
  return { userId, teamId: team.edges[0].node.id };
}

async function moreKeysAndLetters() {
  const made = [];
  for (const name of ["Build machine", "Old laptop", "Evaluation"]) {
    const { createApiKey } = await server.ask(
      `mutation ($name: String!) { createApiKey(input: { name: $name }) { apiKey { id } } }`,
      { name },
    );
    made.push(createApiKey.apiKey.id);
  }
  await server.ask(`mutation ($id: ID!) { revokeApiKey(id: $id) { apiKey { id } } }`, { id: made[1] });
  await server.ask(
    `mutation { inviteUsers(input: { emails: ["ines@demo.example", "ole@demo.example"], role: MEMBER }) { results { email } } }`,
  );
  for (const to of ["ines@demo.example", "ole@demo.example"]) await mail.letterTo(to);
}

async function take(name, who, path, colorScheme, height) {
  const page = await openAs(browser, server, who, path, { colorScheme, viewport: { width: 1280, height } });
  await settled(page);
  await page.waitForLoadState("networkidle");
  // What came last may have asked for more.
  await settled(page);
  const picture = await page.screenshot();
  if (picture.length > largest) throw new Error(`${name} has ${picture.length} bytes, more than ${largest}`);
  await writeFile(join(folder, `${name}.png`), picture);
  console.log(`docs/images/${name}.png: ${Math.round(picture.length / 1000)} kB`);
  await page.context().close();
}
