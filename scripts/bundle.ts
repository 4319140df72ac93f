/** The Worker as wrangler would deploy it: one module. */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

export const root = fileURLToPath(new URL("..", import.meta.url));
export const wranglerConfig = join(root, "wrangler.toml");
const run = promisify(execFile);

/** @throws with wrangler's own words when the Worker does not build. */
export async function bundleWorker(options: { outDir?: string; minify?: boolean } = {}): Promise<string> {
  const outDir = options.outDir ?? join(root, "dist");
  const wrangler = join(root, "node_modules", "wrangler", "bin", "wrangler.js");
  const args = [wrangler, "deploy", "--dry-run", "--config", wranglerConfig, "--outdir", outDir];
  try {
    await run(process.execPath, options.minify ? [...args, "--minify"] : args, {
      cwd: root,
      env: { ...process.env, WRANGLER_SEND_METRICS: "false", CI: "true" },
    });
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    throw new Error(`The Worker does not build:\n${stdout}${stderr}`, { cause: error });
  }
  return readFile(join(outDir, "worker.js"), "utf8");
}
