/** Takes the measurements inside workerd, whose V8 is another than Node's and compresses pointers. */
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import type { InterleaveOptions } from "../interleave.ts";
import type { Measurement } from "./measure.ts";

async function bundleWorker(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL("worker.ts", import.meta.url))],
    bundle: true,
    write: false,
    format: "esm",
    target: "esnext",
    conditions: ["workerd", "worker", "browser"],
    logLevel: "error",
  });
  return outputFiles[0]?.text ?? "";
}

/** One measurement after the other. Local workerd lets time pass within a request, which deployed Workers do not. */
export async function* measureInWorkerd(options: InterleaveOptions): AsyncGenerator<Measurement> {
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      modules: true,
      script: await bundleWorker(),
      compatibilityDate: "2026-10-01",
      compatibilityFlags: ["nodejs_compat"],
    }),
  );
  try {
    for (;;) {
      const response = await miniflare.dispatchFetch(
        `http://bench/?options=${encodeURIComponent(JSON.stringify(options))}`,
      );
      if (!response.ok) throw new Error(await response.text());
      const measurement = (await response.json()) as Measurement | null;
      if (measurement === null) return;
      yield measurement;
    }
  } finally {
    await miniflare.dispose();
  }
}
