// A cap is lowered below what was spent: the person, the administrators and a webhook hear of it, and calls stop.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { openAs, pictured, settled, startBrowser, startServer } from "./harness.mjs";

let server;
let browser;
let receiver;
const received = [];
before(async () => {
  receiver = createServer((request, response) => {
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      received.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
      response.writeHead(204).end();
    });
  }).listen(0, "127.0.0.1");
  await once(receiver, "listening");
  [server, browser] = await Promise.all([
    startServer({ env: { SLUICEGATE_ALLOW_PRIVATE_WEBHOOKS: "true" } }),
    startBrowser(),
  ]);
});
after(async () => {
  await browser?.close();
  await server?.stop();
  receiver?.close();
});

async function until(what, isSo) {
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; ) {
    if (await isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  assert.fail(`not within a minute: ${what}`);
}

test("a cap below what was spent is told of once, everywhere, and stops calls", async () => {
  const { admin, member, models } = server.facts;
  assert.equal((await server.call(member.key, models[0])).status, 200);
  const page = await openAs(browser, server, admin, "/admin/alerts");
  await pictured(page, "budget-alert", async () => {
    await page.getByRole("button", { name: "Add webhook" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name").fill("Pager");
    await dialog.getByLabel("Address").fill(`http://127.0.0.1:${receiver.address().port}/in`);
    await dialog.getByRole("button", { name: "Add webhook" }).click();
    const secret = await dialog.getByLabel("Your new secret").inputValue();
    await dialog.getByRole("button", { name: "Done" }).click();
    await page.getByRole("button", { name: "Send a test to Pager" }).click();
    await dialog.getByText("Pager took the test message and answered with status 204.").waitFor();
    await page.keyboard.press("Escape");

    await page.getByRole("link", { name: "Budgets" }).click();
    await page.getByLabel("Whose").selectOption("Groups, each member");
    const row = page.getByRole("row", { name: /Engineering/ });
    await until("the call is settled", async () => {
      await page.reload();
      await settled(page);
      return !(await row.innerText()).includes("$0.00 of $25.00");
    });
    await row.getByRole("button", { name: "Edit budget of Engineering" }).click();
    await dialog.getByLabel("Daily cap").fill("0.000001");
    await dialog.getByRole("button", { name: "Save budget" }).click();
    await dialog.getByRole("button", { name: "Save budget" }).waitFor({ state: "hidden" }).catch(() => {});
    await page.keyboard.press("Escape");
    await row.getByText("Used up: calls are refused").waitFor();
    assert.equal((await server.call(member.key, models[0])).code, "budget_exceeded");

    await until("the webhook hears of it", () => received.length >= 2);
    const alert = received[1];
    const signed = `${alert.headers["x-sluicegate-timestamp"]}.${alert.body}`;
    const expected = `v1=${createHmac("sha256", secret).update(signed).digest("hex")}`;
    assert.equal(alert.headers["x-sluicegate-signature"], expected);
    const { type, data } = JSON.parse(alert.body);
    assert.deepEqual(
      [type, data.threshold_percent, data.window, data.cap_usd, data.blocked, data.set_by.label],
      ["budget.threshold_reached", 100, "day", "0.000001", true, "Engineering"],
    );

    await page.getByRole("link", { name: "Alerts and webhooks" }).click();
    const log = page.getByRole("table", { name: "Delivery log" });
    await log.getByRole("row", { name: /Alert.*Delivered.*204.*1 try/s }).waitFor();

    const hers = await openAs(browser, server, member, "/alerts");
    await hers.getByText("100 % of your daily cap is spent").waitFor();
    await hers.getByRole("link", { name: "Alerts, 1 new one" }).waitFor();
    await hers.getByRole("button", { name: "Mark all as read" }).click();
    await hers.getByRole("link", { name: "Alerts, 1 new one" }).waitFor({ state: "detached" });

    await page.getByRole("link", { name: "Overview" }).click();
    await page.getByRole("table", { name: "Budgets used up now" }).getByText("Engineering").waitFor();
    // Time enough for the job to look again.
    await new Promise((resolve) => setTimeout(resolve, 12_000));
    assert.equal(received.length, 2);
    assert.deepEqual(page.problems, []);
    assert.deepEqual(hers.problems, []);
  });
});

test("what a page of usage shows is what its file has, to the cent", async () => {
  const page = await openAs(browser, server, server.facts.admin, "/admin/usage?days=90");
  await pictured(page, "usage-files", async () => {
    await settled(page);
    const spend = await page.getByRole("region", { name: "Spend", exact: true }).locator("[title^='$']").getAttribute("title");
    const files = { "Token consumption": "cost_usd", Breakdown: "cost_usd", "Recent calls": "cost_usd" };
    for (const [region, column] of Object.entries(files)) {
      const href = await page
        .getByRole("region", { name: region })
        .getByRole("link", { name: "CSV" })
        .getAttribute("href");
      const text = await page.evaluate(async (path) => (await fetch(path)).text(), href);
      const [head, ...lines] = text.trim().split("\r\n");
      const place = head.split(",").indexOf(column);
      const nanos = lines.reduce((sum, line) => sum + toNanos(line.split(",").at(place - head.split(",").length)), 0n);
      assert.equal(nanos, toNanos(spend.slice(1)), region);
    }
    await page.getByLabel("Result of the calls").selectOption("Failed");
    await page.getByText("No call matches").waitFor();
    assert.match(page.url(), /outcome=UPSTREAM_ERROR/);
    assert.deepEqual(page.problems, []);
  });
});

test("a chart lays the days before under its own, until that is switched off", async () => {
  const page = await openAs(browser, server, server.facts.admin, "/admin/usage?days=7");
  await pictured(page, "usage-before", async () => {
    await settled(page);
    const file = await page.getByRole("region", { name: "Token consumption" }).getByRole("link", { name: "CSV" }).getAttribute("href");
    const { before, now } = await costsOfBoth(page, file);

    const trend = page.getByRole("region", { name: "Activity trend" });
    await trend.getByText("Spend", { exact: true }).first().click();
    const entry = trend.getByRole("button", { name: "Spend before" });
    assert.equal(await entry.getAttribute("aria-pressed"), "true");
    const tip = trend.locator(".recharts-tooltip-wrapper");
    // Right of the axis' figures.
    const leftmost = { x: 86, y: 60 };
    await trend.locator(".recharts-wrapper").hover({ position: leftmost });
    await tip.getByText(/^before: /).waitFor();
    const shown = await tip.innerText();
    for (const { day, cost } of [now[0], before[0]]) {
      assert.ok(shown.includes(day) && shown.includes(cost), `${day} ${cost} in ${shown}`);
    }

    await entry.click();
    assert.equal(await entry.getAttribute("aria-pressed"), "false");
    await trend.locator(".recharts-wrapper").hover({ position: leftmost });
    await tip.getByText(now[0].cost).waitFor();
    assert.ok(!(await tip.innerText()).includes("before"));
    assert.deepEqual(page.problems, []);
  });
});

/** The days of a file and as many before it, as a chart names them. */
async function costsOfBoth(page, file) {
  const address = new URL(file, page.url());
  const now = await costsOf(page, address);
  for (const name of ["from", "to"]) {
    const day = new Date(`${address.searchParams.get(name)}T00:00:00Z`);
    day.setUTCDate(day.getUTCDate() - now.length);
    address.searchParams.set(name, day.toISOString().slice(0, 10));
  }
  return { now, before: await costsOf(page, address) };
}

async function costsOf(page, address) {
  const text = await page.evaluate(async (url) => (await fetch(url)).text(), address.href);
  const [, ...lines] = text.trim().split("\r\n");
  const days = new Intl.DateTimeFormat("en-US", { timeZone: "UTC", weekday: "short", month: "short", day: "numeric" });
  return lines
    .map((line) => line.split(","))
    .map((cells) => ({ day: days.format(new Date(cells[0])), cost: dollars(Number(cells.at(-1))) }));
}

function toNanos(usd) {
  const [whole, fraction = ""] = usd.split(".");
  return BigInt(whole) * 1_000_000_000n + BigInt(fraction.padEnd(9, "0"));
}

/** As the console writes them: parts of a dollar keep more digits. */
function dollars(cost) {
  const maximumFractionDigits = cost === 0 || cost >= 1 ? 2 : cost >= 0.01 ? 4 : 6;
  return new Intl.NumberFormat("en-US", {
    style: "currency",
    currency: "USD",
    minimumFractionDigits: 2,
    maximumFractionDigits,
  }).format(cost);
}
