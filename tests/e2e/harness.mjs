// A really started server and a real browser for the journeys beside this file.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const pictures = join(root, "test-results/screenshots");

/**
 * Starts `sluicegate demo` on a free port with an empty data folder and waits until it answers.
 * `facts` are those of its `demo.json`: who may sign in, keys, models. `output()` is what it printed; `restart()` keeps
 * port and data; `stop()` removes both.
 */
export async function startServer({ args = [], env = {} } = {}) {
  const data = await mkdtemp(join(tmpdir(), "sluicegate-"));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const lines = [];
  let child;

  async function start() {
    child = spawn(join(root, ".venv/bin/sluicegate"), ["demo", "--port", String(port), ...args], {
      cwd: data,
      env: { ...unsettled(process.env), SLUICEGATE_DATA_DIR: data, ...env },
    });
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => lines.push(String(chunk)));
    await untilHealthy(url, child, () => lines.join(""));
  }

  async function halt() {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill("SIGTERM");
    const impatience = setTimeout(() => child.kill("SIGKILL"), 15_000);
    await gone;
    clearTimeout(impatience);
  }

  await start();
  return {
    url,
    data,
    facts: JSON.parse(await readFile(join(data, "demo.json"), "utf8")),
    output: () => lines.join(""),
    restart: async () => {
      await halt();
      await start();
    },
    stop: async () => {
      await halt();
      await rm(data, { recursive: true, force: true });
    },
  };
}

/** Starts Chromium. `page()` opens one in a fresh profile; its `problems` are the errors that it met. */
export async function startBrowser() {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      // The sandbox cannot start as root, which containers and build machines are.
      ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
      "--disable-gpu",
      "--disable-quic",
      "--disable-dev-shm-usage",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
  return {
    page: async ({ url, colorScheme = "light", viewport = { width: 1280, height: 900 }, ...more } = {}) => {
      const context = await browser.newContext({
        baseURL: url,
        colorScheme,
        viewport,
        locale: "en-GB",
        timezoneId: "UTC",
        reducedMotion: "reduce",
        ...more,
      });
      const page = await context.newPage();
      page.problems = [];
      page.on("pageerror", (error) => page.problems.push(String(error)));
      page.on("console", (message) => {
        if (message.type() === "error") page.problems.push(message.text());
      });
      page.setDefaultTimeout(10_000);
      return page;
    },
    close: () => browser.close(),
  };
}

/** What axe finds against WCAG 2.2 AA, one readable line per node; empty is what a test wants. */
export async function violations(page) {
  if (!(await page.evaluate(() => "axe" in window))) {
    // Evaluated, not added as a script element: the content security policy would rightly refuse that.
    await page.evaluate(await axeSource());
  }
  return page.evaluate(async () => {
    const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
    const found = await window.axe.run(document, { runOnly: { type: "tag", values: tags } });
    return found.violations.flatMap((rule) =>
      rule.nodes.map((node) => `${rule.id}: ${node.target.join(" ")}: ${node.failureSummary ?? rule.help}`),
    );
  });
}

/** Saves a picture under test-results/screenshots and answers its path. */
export async function picture(page, name) {
  await mkdir(pictures, { recursive: true });
  const path = join(pictures, `${name.replaceAll(/[^\w-]+/g, "-")}.png`);
  await page.screenshot({ path, fullPage: true });
  return path;
}

/** Runs the body of a test and keeps a picture of the page when it fails. */
export async function pictured(page, name, body) {
  try {
    return await body();
  } catch (error) {
    await picture(page, `failed-${name}`);
    throw error;
  }
}

// What a developer has set for a server of their own must not leak into a test's.
function unsettled(env) {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith("SLUICEGATE_")));
}

let axe;
async function axeSource() {
  axe ??= await readFile(join(root, "node_modules/axe-core/axe.min.js"), "utf8");
  return axe;
}

async function freePort() {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  await once(probe, "close");
  return port;
}

async function untilHealthy(url, child, output) {
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; ) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}:\n${output()}`);
    const answer = await fetch(`${url}/healthz`).catch(() => null);
    await answer?.arrayBuffer();
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  child.kill("SIGKILL");
  throw new Error(`the server did not become healthy within a minute:\n${output()}`);
}
