/** Workers as wrangler would deploy them: one module each. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { glob, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { root } from "./paths.ts";
import { type Part, type WorkerFile, withWorkers } from "./workers.ts";

const run = promisify(execFile);

export type Bundles = Readonly<Record<Part, string>>;

/** @throws with wrangler's own words when the Worker does not build. */
async function bundleWorker({ part, configPath }: WorkerFile, folder: string): Promise<[Part, string]> {
  const wrangler = join(root, "node_modules", "wrangler", "bin", "wrangler.js");
  // In a folder of its own: another start, or the tests, may be building at the same time.
  const outDir = join(folder, part);
  try {
    await run(process.execPath, [wrangler, "deploy", "--dry-run", "--config", configPath, "--outdir", outDir], {
      cwd: root,
      env: { ...process.env, WRANGLER_SEND_METRICS: "false", CI: "true" },
    });
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    throw new Error(`The Worker ${part} does not build:\n${stdout}${stderr}`, { cause: error });
  }
  return [part, await readFile(join(outDir, `${part === "login" ? "worker" : part}.js`), "utf8")];
}

async function bundleWorkers(workers: readonly WorkerFile[]): Promise<Bundles> {
  const folder = await mkdtemp(join(tmpdir(), "vestibule-bundles-"));
  try {
    const bundles = await Promise.all(workers.map((worker) => bundleWorker(worker, folder)));
    return Object.fromEntries(bundles) as Bundles;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Of all that bundles are made of. */
async function hashSources(): Promise<string> {
  const sources = await Array.fromAsync(glob("src/**/*.{ts,tsx}", { cwd: root }));
  const others = ["wrangler.toml", "tsconfig.json", "package-lock.json", "scripts/workers.ts", "scripts/bundle.ts"];
  const hash = createHash("sha256");
  for (const path of [...sources.sort(), ...others]) {
    const content = await readFile(join(root, path));
    hash.update(`${path}\0${content.length}\0`);
    hash.update(content);
  }
  return hash.digest("hex");
}

/**
 * All Workers. Built once for as long as nothing has changed: five take their time, which whoever starts waits for.
 * @throws with wrangler's own words when one does not build
 */
export async function bundleAll(): Promise<Bundles> {
  const cache = join(root, "node_modules", ".cache", "vestibule");
  const file = join(cache, `workers-${await hashSources()}.json`);
  try {
    return JSON.parse(await readFile(file, "utf8"));
  } catch {
    // Not built yet.
  }
  const bundles = await withWorkers(bundleWorkers);
  await mkdir(cache, { recursive: true });
  // Another start may be reading, or writing the same.
  const written = `${file}.${process.pid}`;
  await writeFile(written, JSON.stringify(bundles));
  await rename(written, file);
  const earlier = (await readdir(cache)).map((name) => join(cache, name)).filter((other) => other.endsWith(".json"));
  await Promise.all(earlier.filter((other) => other !== file).map((other) => rm(other, { force: true })));
  return bundles;
}
