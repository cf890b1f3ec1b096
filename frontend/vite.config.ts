import { readdirSync, readFileSync } from "node:fs";
import { tanstackRouter } from "@tanstack/router-plugin/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { precompress } from "./vite/precompress.ts";

const server = "http://127.0.0.1:8080";
const shell = `${import.meta.dirname}/src/features/shell`;
// What stands beside every page.
const icons = new Set(
  readdirSync(shell).flatMap(
    (file) => readFileSync(`${shell}/${file}`, "utf8").match(/Icon[A-Z]\w+/g) ?? [],
  ),
);

export default defineConfig({
  root: import.meta.dirname,
  plugins: [
    tanstackRouter({
      target: "react",
      routesDirectory: `${import.meta.dirname}/src/routes`,
      generatedRouteTree: `${import.meta.dirname}/src/routeTree.gen.ts`,
      autoCodeSplitting: true,
    }),
    react(),
    precompress(),
  ],
  resolve: { alias: { "@": `${import.meta.dirname}/src` } },
  build: {
    outDir: "../backend/sluicegate/console/dist",
    emptyOutDir: true,
    manifest: true,
    rolldownOptions: {
      output: {
        codeSplitting: {
          // What every page needs goes into a few files; on its own it would be cut into dozens of small ones.
          groups: [
            {
              name: "framework",
              test: /node_modules\/(?:react|react-dom|scheduler|clsx|use-sync-external-store|@tanstack\/(?!.*virtual)[\w-]+)\//,
              priority: 2,
            },
            {
              name: "ui",
              test: /node_modules\/(?:@floating-ui|@mantine\/(?:core\/esm\/core|hooks)|@mantine\/core\/esm\/components\/(?:Badge|Box|Button|Card|CloseButton|Group|Input|InputBase|Loader|Menu|NativeSelect|Paper|Popover|Portal|SegmentedControl|Skeleton|Stack|Text|Title|Transition|UnstyledButton)\/)/,
              priority: 1,
            },
            {
              name: "icons",
              test: (id) => icons.has(/icons-react\/.*\/(\w+)\.mjs$/.exec(id)?.[1] ?? ""),
            },
          ],
        },
      },
    },
  },
  server: {
    proxy: {
      "/graphql": server,
      "/auth": server,
      "/events": server,
      "/export": server,
      "/gateway": server,
      "/v1": server,
    },
  },
  test: {
    environment: "happy-dom",
    include: ["src/**/*.test.{ts,tsx}"],
    setupFiles: ["src/test/setup.ts"],
    css: false,
    // Files share their modules, which takes a third of the time; what a test leaves behind, setup.ts clears.
    isolate: false,
    restoreMocks: true,
    testTimeout: 40_000,
  },
});
