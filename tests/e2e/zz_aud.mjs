import { readFile, writeFile, mkdir } from "node:fs/promises";
import { startBrowser, signIn, settled } from "./harness.mjs";
const facts = JSON.parse(await readFile("/tmp/aud/s/demo.json", "utf8"));
const server = { url: "http://127.0.0.1:7801" };
const who = process.argv[2] ?? "admin";
const paths = process.argv.slice(5);
const [w, scheme] = [Number(process.argv[3] ?? 1440), process.argv[4] ?? "light"];
const browser = await startBrowser();
const page = await browser.page({ url: server.url, colorScheme: scheme, viewport: { width: w, height: 900 } });
await page.goto("/");
await signIn(page, facts[who]);
await page.waitForURL((u) => u.pathname !== "/sign-in");
const dir = `/tmp/aud/shots/${who}-${w}-${scheme}`;
await mkdir(dir, { recursive: true });
for (const p of paths) {
  try {
    await page.goto(p);
    await settled(page);
    await page.waitForTimeout(600);
    const name = p.replaceAll(/[^\w-]+/g, "_") || "root";
    await page.screenshot({ path: `${dir}/${name}.png`, fullPage: true });
    const text = await page.evaluate(() => document.querySelector("main")?.innerText ?? document.body.innerText);
    await writeFile(`${dir}/${name}.txt`, text);
    const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    console.log(p, text.length, "overflow", over, page.problems.splice(0).join(" | "));
  } catch (e) { console.log(p, "FAIL", String(e).slice(0, 200)); }
}
await browser.close();
