/** `npm run check`: format and lint (import floors, cycles and floating promises among the rules), types, bundle size. */
import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { bundleWorker, root } from "./bundle.ts";

/** Gzipped: what every isolate that serves a log-in has to evaluate and run, and all that is uploaded. */
const maxLoginPathBytes = 56 * 1024;
const maxBundleBytes = 232 * 1024;

function run(label: string, command: string, ...args: string[]): boolean {
  console.log(`\n${label}`);
  const { status } = spawnSync(join(root, "node_modules", ".bin", command), args, { cwd: root, stdio: "inherit" });
  return status === 0;
}

async function bundleLoginPath(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: ["gate/gate.ts", "assignment/sources.ts", "settings.ts"].map((file) => join(root, "src", file)),
    outdir: tmpdir(),
    bundle: true,
    splitting: true,
    minify: true,
    format: "esm",
    target: "esnext",
    conditions: ["workerd", "worker"],
    external: ["cloudflare:*", "node:*"],
    write: false,
  });
  return outputFiles.map(({ text }) => text).join("");
}

async function checkSize(): Promise<boolean> {
  console.log("\nBundle size");
  const outDir = join(tmpdir(), `vestibule-size-${process.pid}`);
  try {
    const sizes = [
      { what: "the way of a log-in", script: await bundleLoginPath(), allowed: maxLoginPathBytes },
      { what: "the whole Worker", script: await bundleWorker({ outDir, minify: true }), allowed: maxBundleBytes },
    ];
    return sizes
      .map(({ what, script, allowed }) => {
        const bytes = gzipSync(script, { level: 9 }).length;
        console.log(`${what}: ${bytes} bytes gzipped of ${allowed} allowed`);
        return bytes <= allowed;
      })
      .every(Boolean);
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
