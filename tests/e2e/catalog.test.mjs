// A provider, its model and its price, until a call goes through: what an administrator does before anybody else can work.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openAs, pictured, settled, startBrowser, startServer } from "./harness.mjs";

let server;
let browser;
before(async () => {
  server = await startServer();
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

test("a model is served once its provider, its price and a grant are there, and not before", async () => {
  const page = await openAs(browser, server, server.facts.admin, "/admin/providers");
  const { key } = server.facts.member;
  await pictured(page, "catalog", async () => {
    await page.getByRole("button", { name: "Add provider" }).click();
    const dialog = page.getByRole("dialog", { name: "Add provider" });
    await dialog.getByRole("combobox", { name: "Kind" }).click();
    await page.getByRole("option", { name: "Demo", exact: true }).click();
    await dialog.getByLabel("Name").fill("Second demo");
    await dialog.getByRole("button", { name: "Add provider" }).click();

    await page.getByRole("heading", { name: "Second demo" }).waitFor();
    await page.getByRole("button", { name: "Test connection" }).click();
    await page.getByText("The demo provider answers inside this server.").waitFor();
    await page.getByRole("button", { name: "Add model" }).click();
    await page.getByRole("dialog").getByLabel("Name").fill("demo-fast");
    await page.getByRole("dialog").getByRole("button", { name: "Add model" }).click();
    await page.getByText("Not served: no price").waitFor();

    await page.getByRole("link", { name: "Models" }).last().click();
    await page.getByRole("button", { name: "Add model" }).click();
    await page.getByRole("textbox", { name: "Slug" }).fill("demo-2.0");
    await page.getByRole("combobox", { name: "Add a backend" }).fill("second");
    await page.getByRole("option", { name: /Second demo/ }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Add model" }).click();
    await page.getByText("No backend can be called now: no price is set.").waitFor();
    await page.getByText("Nobody may call it yet").waitFor();
    assert.equal((await server.call(key, "demo-2.0")).code, "model_not_granted");

    await grantToMember("demo-2.0");
    assert.equal((await server.call(key, "demo-2.0")).status, 503);

    await page.goto("/admin/providers");
    await page.getByRole("link", { name: "Second demo" }).click();
    await page.getByRole("button", { name: "Actions for demo-fast" }).click();
    await page.getByRole("menuitem", { name: "Edit prices and limits" }).click();
    await page.getByLabel("Input", { exact: true }).fill("0.5");
    await page.getByLabel("Output", { exact: true }).fill("2");
    await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
    await page.getByText("Not served: no price").waitFor({ state: "detached" });
    assert.equal((await server.call(key, "demo-2.0")).status, 200);

    await page.getByRole("link", { name: "demo-2.0" }).click();
    await page.getByText("mia.member@demo.example").waitFor();
    assert.deepEqual(page.problems, []);
  });
});

test("deleting a provider says what goes, and calls are refused from then on", async () => {
  const page = await openAs(browser, server, server.facts.admin, "/admin/providers");
  await pictured(page, "catalog-delete", async () => {
    await page.getByRole("link", { name: "Second demo" }).click();
    await page.getByRole("button", { name: "Delete", exact: true }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("1 provider model and 1 backend go with it").waitFor();
    await dialog.getByText("demo-2.0").waitFor();
    await dialog.getByRole("button", { name: "Delete provider" }).click();
    await page.waitForURL(/\/admin\/providers$/);
    await settled(page);
    assert.equal(await page.getByRole("link", { name: "Second demo" }).count(), 0);
    assert.equal((await server.call(server.facts.member.key, "demo-2.0")).status, 503);
    assert.deepEqual(page.problems, []);
  });
});

test("a list that was filtered shows the same after a reload and after going back", async () => {
  const page = await openAs(browser, server, server.facts.admin, "/admin/models");
  await pictured(page, "catalog-filter", async () => {
    await page.getByRole("searchbox", { name: "Search by slug or name" }).fill("claude");
    await page.getByRole("link", { name: "demo-fast" }).waitFor({ state: "detached" });
    await page.waitForURL(/q=claude/);
    await page.reload();
    await page.getByRole("link", { name: "claude-demo" }).click();
    await page.getByRole("heading", { name: "claude-demo" }).waitFor();
    await page.reload();
    await page.getByRole("heading", { name: "claude-demo" }).waitFor();
    await page.goBack();
    assert.equal(await page.getByRole("searchbox").inputValue(), "claude");
    assert.deepEqual(page.problems, []);
  });
});

async function grantToMember(slug) {
  const { models, users } = await server.ask(
    `query ($slug: String!, $email: String!) {
      models(search: $slug) { edges { node { id } } }
      users(search: $email) { edges { node { id } } }
    }`,
    { slug, email: server.facts.member.email },
  );
  await server.ask(`mutation ($input: GrantModelsInput!) { grantModels(input: $input) { grants { id } } }`, {
    input: { subject: { userId: users.edges[0].node.id }, modelIds: [models.edges[0].node.id] },
  });
}
