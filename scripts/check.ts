/** `npm run check`: format and lint (import floors, cycles and floating promises among the rules), types, bundle sizes. */
import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { bundleAll } from "./bundle.ts";
import { root } from "./paths.ts";
import { type Part, parts } from "./workers.ts";

/** Of each Worker, gzipped: what its isolates have to load and evaluate before they do anything. */
const maxBundleBytes: Readonly<Record<Part, number>> = {
  login: 90 * 1024,
  dashboard: 80 * 1024,
  management: 80 * 1024,
  control: 80 * 1024,
  records: 80 * 1024,
};

function run(label: string, command: string, ...args: string[]): boolean {
  console.log(`\n${label}`);
  const { status } = spawnSync(join(root, "node_modules", ".bin", command), args, { cwd: root, stdio: "inherit" });
  return status === 0;
}

async function checkSizes(): Promise<boolean> {
  console.log("\nBundle sizes");
  try {
    const bundles = await bundleAll();
    const sizes = parts.map((part) => {
      const bytes = gzipSync(bundles[part], { level: 9 }).length;
      console.log(`${part}: ${bytes} bytes gzipped of ${maxBundleBytes[part]} allowed`);
      return bytes <= maxBundleBytes[part];
    });
    return sizes.every(Boolean);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return false;
  }
}

/** Whether everything holds; all of it is run and shown either way. */
export async function check(): Promise<boolean> {
  const { name } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  console.log(`Checking ${name}`);
  const results = [
    run("Format and lint", "biome", "check", "--error-on-warnings", "--colors=off", "."),
    run("Types of the Workers and their tests", "tsc", "--project", "."),
    run("Types of the scripts and the whole-product tests", "tsc", "--project", "scripts"),
    await checkSizes(),
  ];
  return results.every(Boolean);
}

if (import.meta.main && !(await check())) process.exitCode = 1;
