/** `npm test`: the check, then every test, browser tests too. Arguments go to vitest, and then the check is left out. */
import { spawnSync } from "node:child_process";
import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { check } from "./check.ts";
import { root } from "./paths.ts";

const results = join(root, "test-results", "results.json");

async function countTests(): Promise<{ passed: number; failed: number; skipped: number }> {
  try {
    const { numPassedTests, numFailedTests, numPendingTests } = JSON.parse(await readFile(results, "utf8"));
    return { passed: numPassedTests, failed: numFailedTests, skipped: numPendingTests };
  } catch {
    return { passed: 0, failed: 0, skipped: 0 };
  }
}

const selection = process.argv.slice(2);
const holds = selection.length > 0 || (await check());

await mkdir(join(root, "test-results"), { recursive: true });
await rm(results, { force: true });
const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${results}`];
const { status } = spawnSync(
  process.execPath,
  [
    join(root, "node_modules", "vitest", "vitest.mjs"),
    "run",
    "--config",
    "test/vitest.config.ts",
    ...reporters,
    ...selection,
  ],
  { cwd: root, stdio: "inherit" },
);

const { passed, failed, skipped } = await countTests();
if (!holds) console.error("\nThe check failed: see above.");
console.log(`\nTests: ${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
if (!holds || status !== 0 || passed === 0) process.exitCode = 1;
