import { tanstackRouter } from "@tanstack/router-plugin/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { precompress } from "./vite/precompress.ts";

const server = "http://127.0.0.1:8080";

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
  },
  server: {
    proxy: {
      "/graphql": server,
      "/auth": server,
      "/gateway": server,
      "/v1": server,
    },
  },
  test: {
    environment: "happy-dom",
    include: ["src/**/*.test.{ts,tsx}"],
    setupFiles: ["src/test/setup.ts"],
    css: false,
    restoreMocks: true,
    testTimeout: 15_000,
  },
});
