// A really started server and a real browser for the journeys beside this file.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
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
    await untilHealthy(url, join(data, "demo.json"), child, () => lines.join(""));
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
  const facts = JSON.parse(await readFile(join(data, "demo.json"), "utf8"));
  return {
    url,
    data,
    facts,
    /** Asks the API as the automation of an administrator, as scripts do; answers the data. */
    ask: (query, variables) => ask(url, facts.admin_token, query, variables),
    /** Calls a model with a gateway key, streamed; answers status, code of a refusal, and what was said. */
    call: (key, model, prompt) => call(url, key, model, prompt),
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
      page.setDefaultTimeout(20_000);
      return page;
    },
    close: () => browser.close(),
  };
}

/** Fills in the sign-in page, which has to be on screen. */
export async function signIn(page, { email, password }) {
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
}

/** Opens an address of a server as somebody, in a profile of their own. */
export async function openAs(browser, server, who, path, options = {}) {
  const page = await browser.page({ url: server.url, ...options });
  await page.goto(path);
  await signIn(page, who);
  // The address may be that of the page before it is that of the sign-in, so that it alone tells too little.
  await page.getByRole("heading", { name: "Sign in", exact: true }).waitFor({ state: "detached" });
  await page.waitForURL((url) => url.pathname !== "/sign-in");
  return page;
}

/** Waits until a page shows what it is about, with nothing loading any more. */
export async function settled(page) {
  await page.getByRole("heading", { level: 1 }).first().waitFor();
  await page.waitForFunction(() => !document.querySelector('[aria-label="Loading"], [aria-busy="true"]'));
}

/** What axe finds against WCAG 2.2 AA `within` a selector, one readable line per node; empty is what a test wants. */
export async function violations(page, within = "html") {
  if (!(await page.evaluate(() => "axe" in window))) {
    // Evaluated, not added as a script element: the content security policy would rightly refuse that.
    await page.evaluate(await axeSource());
  }
  return page.evaluate(async (selector) => {
    const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
    const found = await window.axe.run(selector, { runOnly: { type: "tag", values: tags } });
    return found.violations.flatMap((rule) =>
      rule.nodes.map((node) => `${rule.id}: ${node.target.join(" ")}: ${node.failureSummary ?? rule.help}`),
    );
  }, within);
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

async function ask(url, token, query, variables = {}) {
  const answer = await fetch(`${url}/graphql`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await answer.json();
  if (errors) throw new Error(`the API refused: ${JSON.stringify(errors)}`);
  return data;
}

async function call(url, key, model, prompt = "Say hello.") {
  const answer = await fetch(`${url}/gateway/openai/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ model, stream: true, messages: [{ role: "user", content: prompt }] }),
  });
  const body = await answer.text();
  if (answer.status !== 200) return { status: answer.status, code: JSON.parse(body).error.code, text: "" };
  const events = body.split("\n\n").filter((event) => event.startsWith("data: "));
  const whole = events.at(-1) === "data: [DONE]";
  const chunks = events.slice(0, -1).map((event) => JSON.parse(event.slice("data: ".length)));
  const text = chunks.map((chunk) => chunk.choices[0]?.delta?.content ?? "").join("");
  return { status: 200, code: null, whole, pieces: chunks.length, text };
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

async function untilHealthy(url, facts, child, output) {
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; ) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}:\n${output()}`);
    // Written by a server that has its port: before that, somebody else could answer there.
    const answer = existsSync(facts) ? await fetch(`${url}/healthz`).catch(() => null) : null;
    await answer?.arrayBuffer();
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  child.kill("SIGKILL");
  throw new Error(`the server did not become healthy within a minute:\n${output()}`);
}
