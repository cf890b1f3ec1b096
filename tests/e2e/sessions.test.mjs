// Where somebody is signed in, seen from one browser and ended in another.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openAs, pictured, startBrowser, startServer } from "./harness.mjs";

let server;
let browser;
before(async () => {
  [server, browser] = await Promise.all([startServer(), startBrowser()]);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

test("a session that is ended elsewhere is out at once, and this one stays", async () => {
  const here = await openAs(browser, server, server.facts.member, "/account");
  const other = await openAs(browser, server, server.facts.member, "/account");
  await pictured(here, "sessions", async () => {
    await here.reload();
    const sessions = here.getByRole("table", { name: "Sessions" });
    await sessions.getByRole("row", { name: /This browser/ }).waitFor();
    assert.equal(await sessions.getByRole("row").count(), 3);
    await sessions.getByRole("button", { name: /^Sign out / }).click();
    await here.getByRole("dialog").getByRole("button", { name: "Sign out" }).click();
    await sessions.getByRole("button", { name: /^Sign out / }).waitFor({ state: "detached" });

    await other.getByRole("link", { name: "API keys" }).click();
    await other.getByRole("heading", { name: "Sign in" }).waitFor();
    await here.reload();
    await here.getByRole("row", { name: /This browser/ }).waitFor();
    assert.deepEqual(here.problems, []);
  });
});
