import { availableParallelism } from "node:os";
import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

/** Rooms that do no I/O; their tests run in Node. */
const pure = ["engine", "stats", "model", "diagnosis"];

/** Most of a file's time is waiting for its workerd, so that one for each core of a small machine is not too many. */
const sideBySide = Math.max(2, availableParallelism() - 1);

/** No test is about time: on a machine that is busy with something else, properties may take theirs. */
const testTimeout = 60_000;

export default defineConfig({
  test: {
    root: new URL("..", import.meta.url).pathname,
    projects: [
      {
        extends: true,
        test: {
          name: "pure",
          environment: "node",
          maxWorkers: sideBySide,
          testTimeout,
          include: pure.map((room) => `test/${room}/**/*.test.ts`),
        },
      },
      {
        extends: true,
        plugins: [cloudflareTest({ wrangler: { configPath: "test/wrangler.toml" } })],
        test: {
          name: "workerd",
          maxWorkers: sideBySide,
          testTimeout,
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
          testTimeout,
          hookTimeout: 120_000,
          fileParallelism: false,
          // Whole stacks and a browser, by themselves: what they wait for takes its time where others work.
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
