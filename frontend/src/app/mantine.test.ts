import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

const sources = join(import.meta.dirname, "..");
const styles = join(sources, "../../node_modules/@mantine/core/styles");

it("loads the styles of every Mantine component in use", () => {
  const loaded = readFileSync(join(sources, "app/mantine.css"), "utf8");
  const missing = [...componentsInUse()].filter(
    (name) => existsSync(join(styles, `${name}.css`)) && !loaded.includes(`/${name}.css"`),
  );
  expect(missing).toEqual([]);
});

function componentsInUse(): Set<string> {
  const files = readdirSync(sources, { recursive: true, encoding: "utf8" });
  return new Set(
    files
      .filter((file) => file.endsWith(".tsx"))
      .flatMap((file) => {
        const text = readFileSync(join(sources, file), "utf8");
        const imported = /import \{([^}]*)\} from "@mantine\/core"/.exec(text)?.[1] ?? "";
        return imported.match(/\b[A-Z]\w*/g) ?? [];
      }),
  );
}
