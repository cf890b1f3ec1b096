// What arrives by mail: an invitation and a password link, through a mail server that is really there.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openAs, pictured, signIn, startBrowser, startServer, violations } from "./harness.mjs";
import { startMailServer } from "./mail-server.mjs";

const nina = { name: "Nina Newcomer", email: "nina@demo.example", password: "four unrelated words" };
const renewed = "another four unrelated words";

let mail;
let server;
let browser;
before(async () => {
  mail = await startMailServer();
  [server, browser] = await Promise.all([startServer({ env: mail.env }), startBrowser()]);
});
after(async () => {
  await browser?.close();
  await server?.stop();
  await mail?.stop();
});

const linkIn = ({ text }) => /https?:\/\/\S+/.exec(text)[0];

test("somebody is invited by mail, again when the link was lost, and gets in by the later link alone", async () => {
  const admin = await openAs(browser, server, server.facts.admin, "/admin/users");
  const page = await browser.page({ url: server.url });
  let lost;
  await pictured(admin, "mail-invite", async () => {
    await admin.getByRole("button", { name: "Invite users" }).click();
    await admin.getByLabel("E-mail addresses").fill(nina.email);
    await admin.getByRole("button", { name: "Invite user", exact: true }).click();
    const results = admin.getByRole("list", { name: "Result for each address" });
    await results.getByText(nina.email).waitFor();
    assert.equal(await results.getByText(/\/welcome\//).count(), 0);
    await admin.getByRole("button", { name: "Done" }).click();
    lost = await mail.letterTo(nina.email);
    assert.match(lost.subject, /Sluicegate/);

    await admin.getByRole("link", { name: nina.email }).click();
    await admin.getByRole("button", { name: "Resend invitation" }).click();
    await admin.getByRole("dialog").getByRole("button", { name: /^Resend/ }).click();
  });
  const letter = await mail.letterTo(nina.email);
  assert.notEqual(linkIn(letter), linkIn(lost));
  await pictured(page, "mail-welcome", async () => {
    await page.goto(linkIn(lost));
    await page.getByRole("heading", { name: "A newer link has replaced this one" }).waitFor();
    await page.goto(linkIn(letter));
    await page.getByLabel("Your name").fill(nina.name);
    await page.getByLabel("Password", { exact: true }).fill(nina.password);
    await page.getByRole("button", { name: "Create account" }).click();
    await page.getByText("Nothing was sent yet").waitFor();
    assert.deepEqual(page.problems, []);
  });
});

test("who forgot the password gets a link by mail that works once, and the old password does not any more", async () => {
  const page = await browser.page({ url: server.url });
  await pictured(page, "mail-forgotten", async () => {
    await page.goto("/sign-in");
    await page.getByRole("link", { name: /forgot/i }).click();
    await page.getByLabel("E-mail").fill(nina.email);
    await page.getByRole("button", { name: "Send the link" }).click();
    await page.getByRole("heading", { name: "Look into your mailbox" }).waitFor();
    const letter = await mail.letterTo(nina.email);
    await page.goto(linkIn(letter));
    await page.getByRole("heading", { name: "Choose a new password" }).waitFor();
    await page.getByLabel("Password", { exact: true }).fill(renewed);
    await page.getByRole("button", { name: "Set password" }).click();
    await page.waitForURL((url) => !url.pathname.startsWith("/reset"));

    const other = await browser.page({ url: server.url });
    await other.goto(linkIn(letter));
    await other.getByRole("heading", { name: "This link was used already" }).waitFor();
    await other.goto("/sign-in");
    await signIn(other, nina);
    await other.getByRole("alert").getByText(/wrong/).waitFor();
    await signIn(other, { ...nina, password: renewed });
    await other.waitForURL((url) => url.pathname !== "/sign-in");
  });
});

test("the settings tell which letters left, and send one more to try", async () => {
  const page = await openAs(browser, server, server.facts.admin, "/admin/settings");
  await pictured(page, "mail-settings", async () => {
    const outbox = page.getByRole("table", { name: "Outbox" });
    await outbox.getByRole("row", { name: /nina@demo\.example.*Password link.*Sent/ }).waitFor();
    await page.getByLabel("Send a test mail to").fill("ops@demo.example");
    await page.getByRole("button", { name: "Send test mail" }).click();
    await page.getByText("The mail server took a letter to ops@demo.example.").waitFor();
    await mail.letterTo("ops@demo.example");
    assert.deepEqual(await violations(page), []);
    assert.deepEqual(page.problems, []);
  });
});
