// Writes src/routeTree.gen.ts from the files under src/routes; the type check needs it before any build.
import { join } from "node:path";
import { Generator, getConfig } from "@tanstack/router-generator";

const root = join(import.meta.dirname, "..");
const config = getConfig(
  {
    target: "react",
    routesDirectory: join(root, "src/routes"),
    generatedRouteTree: join(root, "src/routeTree.gen.ts"),
  },
  root,
);
await new Generator({ config, root }).run();
