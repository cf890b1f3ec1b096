// An identity provider for the journeys: the one of the Python tests, as a process.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const tests = join(dirname(fileURLToPath(import.meta.url)), "..");

/** `url` is its address; `set` changes who signs in there next (`person`), or with which `error` people come back. */
export async function startIssuer() {
  const child = spawn(join(tests, "../.venv/bin/python"), ["-m", "fakes.oidc_issuer_process"], {
    cwd: tests,
    env: { ...process.env, PYTHONPATH: tests },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const { value: url } = await lines.next();
  return {
    url,
    clientId: "gate",
    clientSecret: "only the issuer: knows/it+",
    set: async (changes) => {
      child.stdin.write(`${JSON.stringify(changes)}\n`);
      await lines.next();
    },
    stop: async () => {
      const gone = once(child, "exit");
      child.stdin.end();
      await gone;
    },
  };
}
