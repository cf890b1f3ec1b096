// axe and the browser's own complaints on every main dialog, while it is open.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { dialogs } from "./dialogs.mjs";
import { startFurnished } from "./furnished.mjs";
import { openAs, pictured, settled, startBrowser } from "./harness.mjs";
import { faults } from "./looks.mjs";

let server;
let ids;
let address;
let browser;
before(async () => {
  [{ server, ids, address }, browser] = await Promise.all([startFurnished(), startBrowser()]);
});
after(async () => {
  await browser?.close();
  await server?.stop();
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
