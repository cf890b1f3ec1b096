// Many people at once, two administrators at once, and the way to anything by a few letters.
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

test("a file of people is looked at, imported, and refused in part with the reason", async () => {
  const page = await openAs(browser, server, server.facts.admin, "/admin/users");
  const csv = "email;name;role;groups\nione@demo.example;;member;Contractors\nolaf@demo.example;;admin;\nnobody;;;\n";
  await pictured(page, "import", async () => {
    await page.getByRole("button", { name: "Import CSV" }).click();
    const file = { name: "people.csv", mimeType: "text/csv", buffer: Buffer.from(csv) };
    await page.locator('input[type="file"]').setInputFiles(file);
    const dialog = page.getByRole("dialog");
    await dialog.getByText("1 left out, 2 invited, once you import it.").waitFor();
    assert.equal((await server.ask(`{ users(search: "ione") { totalCount } }`)).users.totalCount, 0);
    await dialog.getByRole("button", { name: "Import 2 users" }).click();
    await dialog.getByText("1 left out, 2 invited.").waitFor();
    await dialog.getByRole("button", { name: "Done" }).click();
    await page.getByRole("searchbox", { name: /^Search by name/ }).fill("ione");
    await page.getByRole("link", { name: /ione@demo\.example/ }).click();
    await page.getByRole("region", { name: "Groups" }).getByRole("link", { name: "Contractors" }).waitFor();
    assert.deepEqual(page.problems, []);
  });
});

test("everybody who was ticked is suspended in one go, and their keys stop at once", async () => {
  const { member } = server.facts;
  const page = await openAs(browser, server, server.facts.admin, "/admin/users?status=ACTIVE");
  await pictured(page, "bulk-suspend", async () => {
    assert.equal((await server.call(member.key, "demo-fast")).status, 200);
    await page.getByRole("checkbox", { name: "Select Mia Member" }).check();
    await page.getByRole("checkbox", { name: "Select Noor Haddad" }).check();
    const bar = page.getByRole("region", { name: "Selected users" });
    await bar.getByText("2 users selected").waitFor();
    await bar.getByRole("button", { name: "Suspend" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Suspend" }).click();
    await page.getByText("2 users suspended.").waitFor();
    await page.getByRole("link", { name: "Mia Member" }).waitFor({ state: "detached" });
    assert.equal((await server.call(member.key, "demo-fast")).code, "user_suspended");

    await page.goto("/admin/users?status=SUSPENDED");
    await page.getByRole("checkbox", { name: "Select Mia Member" }).check();
    await bar.getByRole("button", { name: "More", exact: true }).click();
    await page.getByRole("menuitem", { name: "Reactivate" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Reactivate" }).click();
    await page.getByText("1 user reactivated.").waitFor();
    assert.equal((await server.call(member.key, "demo-fast")).status, 200);
    assert.deepEqual(page.problems, []);
  });
});

test("of two who edit the same cap the later one is asked, and overwrites only on purpose", async () => {
  const { groups } = await server.ask(`{ groups(search: "Contractors") { edges { node { id } } } }`);
  const groupId = groups.edges[0].node.id;
  const daily = async () =>
    (await server.ask("query ($id: ID!) { group(id: $id) { budget { daily } } }", { id: groupId })).group.budget.daily;
  const open = () => openAs(browser, server, server.facts.admin, `/admin/groups/${groupId}`);
  const [first, second] = [await open(), await open()];
  const card = (page) => page.getByRole("region", { name: "Budget", exact: true });
  await pictured(second, "conflict", async () => {
    await card(second).getByLabel("Daily cap").fill("7");
    await card(first).getByLabel("Daily cap").fill("5");
    await card(first).getByRole("button", { name: "Save budget" }).click();
    await first.getByText("Budget saved.").waitFor();

    await card(second).getByRole("button", { name: "Save budget" }).click();
    const notice = card(second).getByRole("alert");
    await notice.getByText("Daily cap: now 5, you entered 7").waitFor();
    await notice.getByText("Ada Admin").waitFor();
    assert.equal(await daily(), "5");

    await notice.getByRole("button", { name: "Keep mine" }).click();
    await card(second).getByRole("button", { name: "Save budget" }).click();
    await second.getByText("Budget saved.").waitFor();
    assert.equal(await daily(), "7");
    assert.deepEqual(first.problems, []);
  });
});

test("a few letters lead to a user, a group, a model and a page, by keyboard alone", async () => {
  const page = await openAs(browser, server, server.facts.admin, "/");
  const { keyboard } = page;
  const wanted = [
    ["mia", /^Mia Member/, /\/admin\/users\/.+/, "Mia Member"],
    ["contr", /^Contractors/, /\/admin\/groups\/.+/, "Contractors"],
    ["claude-d", /^claude-demo/, /\/admin\/models\/.+/, "claude-demo"],
    ["audit", /^Audit log/, /\/admin\/audit-log$/, "Audit log"],
  ];
  await pictured(page, "palette", async () => {
    await page.getByRole("heading", { name: "Dashboard" }).waitFor();
    for (const [letters, option, address, heading] of wanted) {
      await keyboard.press("Control+k");
      await page.getByRole("combobox", { name: "Search" }).waitFor();
      await keyboard.type(letters);
      const found = page.getByRole("option", { name: option });
      await found.waitFor();
      while ((await found.getAttribute("aria-selected")) !== "true") await keyboard.press("ArrowDown");
      await keyboard.press("Enter");
      await page.waitForURL(address);
      await page.getByRole("heading", { level: 1, name: heading }).waitFor();
    }
    assert.deepEqual(page.problems, []);
  });
});
