// What goes on is seen while it goes on: a call that streams, a refusal, a server that stops and comes back.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openAs, picture, pictured, settled, startBrowser, startServer, violations } from "./harness.mjs";

let server;
let browser;
before(async () => {
  [server, browser] = await Promise.all([startServer(), startBrowser()]);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

/** A streamed call that goes on until it is let go. */
async function streaming(key, model) {
  const abort = new AbortController();
  const answer = await fetch(`${server.url}/v1/chat/completions`, {
    method: "POST",
    signal: abort.signal,
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json", "x-client-app": "claude-code" },
    body: JSON.stringify({ model, stream: true, messages: [{ role: "user", content: "Tell me a very long story." }] }),
  });
  assert.equal(answer.status, 200);
  const reader = answer.body.getReader();
  await reader.read();
  return { end: () => abort.abort(), reader };
}

async function limit(values) {
  const { users } = await server.ask(`{ users(first: 1, search: "mia") { edges { node { id } } } }`);
  await server.ask(
    `mutation ($subject: SubjectInput!, $limit: RateLimitInput!) {
      setRateLimit(subject: $subject, input: $limit) { rateLimit { requestsPerMinute } }
    }`,
    { subject: { userId: users.edges[0].node.id }, limit: values },
  );
}

test("a call in flight and a refusal show to their owner and to administrators, as they happen", async () => {
  const { admin, member } = server.facts;
  await limit({ concurrentRequests: 1 });
  const everybody = await openAs(browser, server, admin, "/admin/live");
  const own = await openAs(browser, server, member, "/live", { viewport: { width: 390, height: 800 } });
  await pictured(everybody, "live-admin", async () => {
    for (const page of [everybody, own]) {
      await page.getByRole("status").getByText("Live", { exact: true }).waitFor();
      await page.getByText("No call is in flight").waitFor();
    }
    const call = await streaming(member.key, "demo-smart");
    const row = everybody.getByRole("row", { name: /demo-smart/ });
    await row.getByText("claude-code").waitFor();
    assert.equal((await server.call(member.key, "demo-fast")).status, 429);
    await everybody.getByRole("table", { name: "Refused calls" }).getByText("Rate limit", { exact: true }).waitFor();
    await own.getByRole("table", { name: "Refused calls" }).getByText("Rate limit", { exact: true }).waitFor();
    await everybody.getByRole("meter", { name: /^Concurrent requests of / }).waitFor();
    for (const [page, what] of [
      [everybody, "live-admin"],
      [own, "live-own"],
    ]) {
      for (const colorScheme of ["light", "dark"]) {
        await page.emulateMedia({ colorScheme });
        await picture(page, `${what}-${colorScheme}`);
        assert.deepEqual(await violations(page), []);
      }
    }
    assert.ok((await everybody.evaluate(() => document.documentElement.scrollWidth)) <= 1280);
    assert.ok((await own.evaluate(() => document.documentElement.scrollWidth)) <= 390);
    call.end();
    await everybody.getByText("No call is in flight").waitFor();
    await own.getByText("No call is in flight").waitFor();
    assert.deepEqual([...everybody.problems, ...own.problems], []);
  });
});

test("the page waits while it is paused, and comes back by itself when the server does", async () => {
  const page = await openAs(browser, server, server.facts.admin, "/admin/live");
  await pictured(page, "live-again", async () => {
    const state = page.getByRole("status");
    await state.getByText("Live", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Pause" }).click();
    await state.getByText("Paused").waitFor();
    await page.getByRole("button", { name: "Resume" }).click();
    await state.getByText("Live", { exact: true }).waitFor();
    const restarted = server.restart();
    await state.getByText("Reconnecting").waitFor();
    await restarted;
    await state.getByText("Live", { exact: true }).waitFor();
  });
});

test("an administrator who is suspended sees nothing more", async () => {
  const { inviteUsers } = await server.ask(
    `mutation { inviteUsers(input: { emails: ["zoe@demo.example"], role: ADMIN }) { results { inviteUrl } } }`,
  );
  const page = await browser.page({ url: server.url });
  await pictured(page, "live-suspended", async () => {
    await page.goto(new URL(inviteUsers.results[0].inviteUrl).pathname);
    await page.getByLabel(/name/i).first().fill("Zoe");
    await page.getByLabel("Password", { exact: true }).fill("correct horse battery staple");
    await page.getByRole("button", { name: /account|set|join|activate|sign in/i }).click();
    await page.waitForURL("**/");
    await page.goto("/admin/live");
    await settled(page);
    await page.getByRole("status").getByText("Live", { exact: true }).waitFor();
    const { users } = await server.ask(`{ users(first: 1, search: "zoe") { edges { node { id } } } }`);
    await server.ask(`mutation ($id: ID!) { suspendUser(id: $id) { user { status } } }`, { id: users.edges[0].node.id });
    await page.getByRole("heading", { name: "Sign in", exact: true }).waitFor();
  });
});
