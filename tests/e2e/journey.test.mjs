// The main job, from an invitation to a revoked key, in two people's browsers and with real calls in between.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openAs, pictured, settled, startBrowser, startServer } from "./harness.mjs";

const model = "demo-fast";
const person = { name: "Nina Newcomer", email: "nina@demo.example", password: "four unrelated words" };

let server;
let browser;
before(async () => {
  [server, browser] = await Promise.all([startServer(), startBrowser()]);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

test("an invited person gets in, is granted a model, calls it, sees the call, and revokes the key", async (t) => {
  const admin = await openAs(browser, server, server.facts.admin, "/admin/users");
  const nina = await browser.page({ url: server.url, permissions: ["clipboard-read", "clipboard-write"] });
  let key;

  await t.test("the administrator invites her and gets a link to pass on", () =>
    pictured(admin, "journey-invite", async () => {
      await admin.getByRole("button", { name: "Invite users" }).click();
      await admin.getByLabel("E-mail addresses").fill(person.email);
      await admin.getByRole("button", { name: "Invite user", exact: true }).click();
      const link = admin.getByRole("list", { name: "Result for each address" }).getByText(/\/welcome\//);
      await nina.goto(await link.innerText());
      await admin.getByRole("button", { name: "Done" }).click();
    }),
  );

  await t.test("she opens the link in a browser of her own and sets name and password", () =>
    pictured(nina, "journey-welcome", async () => {
      await nina.getByText(person.email).waitFor();
      await nina.getByLabel("Your name").fill(person.name);
      await nina.getByLabel("Password", { exact: true }).fill(person.password);
      await nina.getByRole("button", { name: "Create account" }).click();
      await nina.getByText("Nothing was sent yet").waitFor();
    }),
  );

  await t.test("the administrator grants her a model", () =>
    pictured(admin, "journey-grant", async () => {
      await admin.getByRole("searchbox", { name: /^Search by name/ }).fill("nina");
      await admin.getByRole("link", { name: person.name }).click();
      await admin.getByRole("button", { name: "Add models" }).click();
      await admin.getByRole("button", { name: `Add ${model}` }).click();
      await admin.getByText("Added").waitFor();
    }),
  );

  await t.test("she creates a key, copies the secret, and never sees it again", () =>
    pictured(nina, "journey-key", async () => {
      await nina.getByRole("link", { name: "API keys" }).click();
      await nina.getByRole("button", { name: "Create key" }).first().click();
      await nina.getByRole("dialog").getByLabel("Name").fill("Laptop");
      await nina.getByRole("dialog").getByRole("button", { name: "Create key" }).click();
      await nina.getByRole("button", { name: "Copy key" }).click();
      key = await nina.evaluate(() => navigator.clipboard.readText());
      assert.match(key, /^sg_/);
      assert.ok((await nina.content()).includes(key));
      await nina.getByRole("button", { name: "Done" }).click();
      await nina.getByRole("dialog").waitFor({ state: "detached" });
      await nina.reload();
      await nina.getByRole("row", { name: /Laptop.*Active/ }).waitFor();
      assert.ok(!(await nina.content()).includes(key));
    }),
  );

  await t.test("the gateway streams an answer to her key, and refuses what she was not granted", async () => {
    const answer = await server.call(key, model);
    assert.equal(answer.status, 200);
    assert.ok(answer.whole && answer.pieces > 1 && answer.text !== "", JSON.stringify(answer));
    assert.deepEqual(await server.call(key, "claude-demo"), { status: 403, code: "model_not_granted", text: "" });
  });

  await t.test("she sees the one call that went through in her usage", () =>
    pictured(nina, "journey-usage", async () => {
      await nina.getByRole("link", { name: "Dashboard" }).click();
      const calls = nina.getByRole("table", { name: "Recent calls" });
      await reloadedUntil(nina, calls.getByRole("row", { name: new RegExp(model) }));
      assert.equal(await calls.getByRole("row").count(), 2);
      await calls.getByText("Laptop").waitFor();
    }),
  );

  await t.test("she revokes the key, and the next call with it is refused", () =>
    pictured(nina, "journey-revoke", async () => {
      await nina.getByRole("link", { name: "API keys" }).click();
      await nina.getByRole("button", { name: "Actions for Laptop" }).click();
      await nina.getByRole("menuitem", { name: "Revoke" }).click();
      await nina.getByRole("dialog").getByRole("button", { name: "Revoke key" }).click();
      await nina.getByRole("row", { name: /Laptop.*Revoked/ }).waitFor();
      assert.deepEqual(await server.call(key, model), { status: 401, code: "key_revoked", text: "" });
    }),
  );

  assert.deepEqual([...admin.problems, ...nina.problems], []);
});

test("a suspended person is out at once, in the gateway and in the console, until reactivated", async () => {
  const { member, admin: administrator } = server.facts;
  const mia = await openAs(browser, server, member, "/");
  const admin = await openAs(browser, server, administrator, "/admin/users");
  await pictured(admin, "journey-suspend", async () => {
    assert.equal((await server.call(member.key, model)).status, 200);
    await admin.getByRole("link", { name: "Mia Member" }).click();
    await admin.getByRole("button", { name: "Suspend", exact: true }).click();
    await admin.getByRole("dialog").getByRole("button", { name: "Suspend" }).click();
    await admin.getByRole("button", { name: "Reactivate" }).waitFor();
    assert.deepEqual(await server.call(member.key, model), { status: 401, code: "user_suspended", text: "" });

    const out = mia.getByRole("heading", { name: "Sign in" });
    // Her page may ask for something by itself, and show her out before she goes anywhere.
    await mia.getByRole("link", { name: "API keys" }).or(out).first().click();
    await out.waitFor();

    await admin.getByRole("button", { name: "Reactivate" }).click();
    await admin.getByRole("dialog").getByRole("button", { name: "Reactivate" }).click();
    await admin.getByRole("button", { name: "Suspend", exact: true }).waitFor();
    assert.equal((await server.call(member.key, model)).status, 200);
    assert.deepEqual(admin.problems, []);
  });
});

test("a secret is held back from the moment a rule looks for it until that rule is off", async () => {
  const { member, admin } = server.facts;
  const calls = () => server.call(member.key, model, "Sign it with acme_live_4f9a2b7c.");
  const page = await openAs(browser, server, admin, "/admin/secret-rules");
  await pictured(page, "journey-secret-rule", async () => {
    await page.getByText("No rules yet").waitFor();
    assert.equal((await calls()).status, 200);
    await page.getByRole("button", { name: "Create rule" }).click();
    const dialog = page.getByRole("dialog", { name: "Create rule" });
    await dialog.getByRole("textbox", { name: "Name", exact: true }).fill("Acme key");
    await dialog.getByRole("textbox", { name: "Pattern" }).fill("acme_live_[0-9a-f]{8}");
    await dialog.getByRole("radio", { name: "Block" }).check();
    await dialog.getByRole("textbox", { name: "Sample text" }).fill("acme_live_4f9a2b7c or acme_test_1");
    await dialog.getByText("Refused: 1 match.").waitFor();
    assert.equal(await dialog.locator("mark").innerText(), "acme_live_4f9a2b7c");
    await dialog.getByRole("button", { name: "Create rule" }).click();
    await page.getByRole("row", { name: /Acme key/ }).waitFor();
    assert.deepEqual(await calls(), { status: 400, code: "secret_blocked", text: "" });

    await page.getByRole("switch", { name: "Look for Acme key" }).press("Space");
    await page.getByText("Acme key is off.").waitFor();
    assert.equal((await calls()).status, 200);
    assert.deepEqual(page.problems, []);
  });
});

/** Usage is written a few seconds after a call. */
async function reloadedUntil(page, wanted) {
  for (const deadline = Date.now() + 40_000; Date.now() < deadline; ) {
    await settled(page);
    if ((await wanted.count()) > 0) return;
    await page.waitForTimeout(500);
    await page.reload();
  }
  await wanted.first().waitFor({ timeout: 1 });
}
