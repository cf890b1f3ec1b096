// Fails when the built console has grown past what a first visit may cost; sizes are gzip, as sent.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const dist = join(import.meta.dirname, "../../backend/sluicegate/console/dist");
const budgets = { first: 250, lazy: 60, charts: 150 };
const manifest = JSON.parse(await readFile(join(dist, ".vite/manifest.json"), "utf8"));

const weights = new Map();
async function weigh(file) {
  if (!weights.has(file)) {
    weights.set(file, gzipSync(await readFile(join(dist, file)), { level: 9 }).length / 1000);
  }
  return weights.get(file);
}

/** A chunk's scripts and styles together with everything that it imports at once. */
function filesOf(key, seen = new Set()) {
  if (seen.has(key)) return new Set();
  seen.add(key);
  const chunk = manifest[key];
  const own = [chunk.file, ...(chunk.css ?? [])].filter((file) => /\.(?:js|css)$/.test(file));
  return new Set([...own, ...(chunk.imports ?? []).flatMap((next) => [...filesOf(next, seen)])]);
}

async function total(files) {
  let sum = 0;
  for (const file of files) sum += await weigh(file);
  return sum;
}

const entry = Object.keys(manifest).find((key) => manifest[key].isEntry);
const home = Object.keys(manifest).find((key) => key.startsWith("src/routes/_app/index.tsx?"));
const layout = Object.keys(manifest).find((key) => key.startsWith("src/routes/_app.tsx?"));
const first = new Set([entry, layout, home].filter(Boolean).flatMap((key) => [...filesOf(key)]));

const rows = [["first load", await total(first), budgets.first]];
for (const [key, chunk] of Object.entries(manifest)) {
  if (!chunk.isDynamicEntry || key === home || key === layout) continue;
  const charts = /chart/.test(key);
  const extra = [...filesOf(key)].filter((file) => !first.has(file));
  const name = key.replace(/^src\//, "").replace(/\?.*$/, "");
  rows.push([name, await total(extra), charts ? budgets.charts : budgets.lazy]);
}

let failed = false;
for (const [name, size, budget] of rows.sort((a, b) => b[1] - a[1])) {
  const over = size > budget;
  failed ||= over;
  process.stdout.write(
    `${over ? "OVER" : "ok  "} ${size.toFixed(1).padStart(7)} of ${String(budget).padStart(3)} kB  ${name}\n`,
  );
}
process.exitCode = failed ? 1 : 0;
