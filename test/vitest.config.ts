import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

/** Rooms that do no I/O; their tests run in Node. */
const pure = ["engine", "stats", "model"];

export default defineConfig({
  test: {
    root: new URL("..", import.meta.url).pathname,
    projects: [
      {
        extends: true,
        test: { name: "pure", environment: "node", include: pure.map((room) => `test/${room}/**/*.test.ts`) },
      },
      {
        extends: true,
        plugins: [cloudflareTest({ wrangler: { configPath: "wrangler.toml" } })],
        test: {
          name: "workerd",
          // Tests in workerd cannot listen.
          globalSetup: ["test/cohorts/source/source-server.ts"],
          include: ["test/**/*.test.ts"],
          exclude: [...pure, "e2e", "scripts"].map((room) => `test/${room}/**`),
        },
      },
      {
        extends: true,
        test: {
          name: "whole",
          environment: "node",
          include: ["test/{e2e,scripts}/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
