/** Workers as they are measured: one minified module each. */
import { build } from "esbuild";

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
