/** `npm run check`: format and lint (import floors, cycles and floating promises among the rules), types, bundle size. */
import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { bundleWorker, root } from "./bundle.ts";

/** The whole Worker, gzipped. */
const maxBundleBytes = 80 * 1024;

function run(label: string, command: string, ...args: string[]): boolean {
  console.log(`\n${label}`);
  const { status } = spawnSync(join(root, "node_modules", ".bin", command), args, { cwd: root, stdio: "inherit" });
  return status === 0;
}

async function checkSize(): Promise<boolean> {
  console.log("\nBundle size");
  const outDir = join(tmpdir(), `vestibule-size-${process.pid}`);
  try {
    const script = await bundleWorker({ outDir, minify: true });
    const bytes = gzipSync(script, { level: 9 }).length;
    console.log(`${bytes} bytes gzipped of ${maxBundleBytes} allowed`);
    return bytes <= maxBundleBytes;
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
    run("Types of the Worker and its tests", "tsc", "--project", "."),
    run("Types of the scripts and the whole-product tests", "tsc", "--project", "scripts"),
    await checkSize(),
  ];
  return results.every(Boolean);
}

if (import.meta.main && !(await check())) process.exitCode = 1;
