/** Workers as they are measured: one minified module each. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { bundleWorker } from "../../bundle.ts";

/** A Worker that is only there to be compared with. */
export async function bundleFile(path: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [path],
    bundle: true,
    minify: true,
    format: "esm",
    target: "esnext",
    conditions: ["workerd", "worker"],
    external: ["cloudflare:*", "node:*"],
    write: false,
  });
  const [output] = outputFiles;
  if (!output) throw new Error(`${path} did not bundle`);
  return output.text;
}

/** Vestibule as it would be deployed. */
export async function bundleProduct(): Promise<string> {
  const outDir = await mkdtemp(join(tmpdir(), "vestibule-bench-"));
  try {
    return await bundleWorker({ outDir, minify: true });
  } finally {
    await rm(outDir, { recursive: true });
  }
}
