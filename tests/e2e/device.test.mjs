// An assistant is let in: from the code on its screen to a key that it calls with.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { picture, pictured, startBrowser, startServer } from "./harness.mjs";
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

async function post(path, form) {
  const answer = await fetch(server.url + path, { method: "POST", body: new URLSearchParams(form) });
  return answer.json();
}

/** In both colours and both widths, for whoever wants to look. */
async function looks(page, name) {
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    for (const width of [390, 1280]) {
      await page.setViewportSize({ width, height: 800 });
      assert.deepEqual(await faults(page, name), []);
    }
    await picture(page, `${name}-${colorScheme}`);
  }
}

test("somebody signs in on the way, lets it in, and finds its key among their own", async () => {
  const begun = await post("/oauth/device_authorization", { surface: "claude_code" });
  const page = await browser.page({ url: server.url });
  await pictured(page, "device", async () => {
    await page.goto(new URL(begun.verification_uri_complete).pathname + new URL(begun.verification_uri_complete).search);
    await page.getByLabel("E-mail").fill(server.facts.member.email);
    await page.getByRole("textbox", { name: "Password" }).fill(server.facts.member.password);
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await page.getByRole("heading", { name: "Let Claude Code in?" }).waitFor();
    await page.getByText(begun.user_code).waitFor();
    await looks(page, "device-question");
    await page.getByRole("button", { name: "Let it in" }).click();
    await page.getByRole("heading", { name: "Claude Code is signed in" }).waitFor();
    await looks(page, "device-done");
    assert.deepEqual(page.problems, []);
  });
  const grant = { grant_type: "urn:ietf:params:oauth:grant-type:device_code", device_code: begun.device_code };
  const issued = await post("/oauth/token", grant);
  const headers = { authorization: `Bearer ${issued.access_token}` };
  const me = await (await fetch(`${server.url}/gateway/v1/me`, { headers })).json();
  assert.equal(me.user.email, server.facts.member.email);
  await page.getByRole("link", { name: "Your API keys" }).click();
  await page.getByText("Claude Code sign-in", { exact: true }).first().waitFor();
});

test("a code that was typed is sent away, and is of no use any more", async () => {
  const begun = await post("/oauth/device_authorization", {});
  const page = await browser.page({ url: server.url });
  await pictured(page, "device-typed", async () => {
    await page.goto("/device");
    await page.getByLabel("E-mail").fill(server.facts.member.email);
    await page.getByRole("textbox", { name: "Password" }).fill(server.facts.member.password);
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await page.getByLabel("Code").fill(begun.user_code.toLowerCase().replace("-", " "));
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "No" }).click();
    await page.getByRole("heading", { name: "Sent away" }).waitFor();
    await page.goto(`/device?user_code=${begun.user_code}`);
    await page.getByText("This sign-in was answered already").waitFor();
    await looks(page, "device-typed");
  });
  const grant = { grant_type: "urn:ietf:params:oauth:grant-type:device_code", device_code: begun.device_code };
  assert.equal((await post("/oauth/token", grant)).error, "access_denied");
});
