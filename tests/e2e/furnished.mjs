// A server on which every page has something to show.
import assert from "node:assert/strict";
import { startServer } from "./harness.mjs";

/** A started server, `ids` to put into addresses of pages, and `address(pattern)`, which does so. */
export async function startFurnished() {
  const server = await startServer();
  try {
    const ids = await idsFor(server);
    await furnish(server, ids);
    return { server, ids, address: (pattern) => address(pattern, ids) };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

function address(pattern, ids) {
  return pattern.replace(/\$(\w+)/g, (_, name) => {
    assert.ok(ids[name], `this test has no value for $${name} of ${pattern}; add one to idsFor()`);
    return ids[name];
  });
}

async function idsFor(server) {
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
async function furnish(server, { userId, groupId }) {
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
