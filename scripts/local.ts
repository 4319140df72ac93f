/** The Worker on workerd on this machine, with its objects, KV, queue and cache kept in a folder. */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import { bundleWorker, root, wranglerConfig } from "./bundle.ts";

export interface LocalOptions {
  /** 0 takes any free port. */
  port: number;
  /** Where state lives between runs; relative to the project. Without it nothing is kept. */
  stateDir?: string;
  /** Variables and secrets, over those of wrangler.toml. */
  vars: Record<string, string>;
  /** Told each line the Worker writes to its console. */
  onLog?: (level: string, message: string) => void;
  /** The module to run; built from the sources unless given. */
  script?: string;
}

export interface LocalWorker {
  /** Without a trailing slash, e.g. `http://localhost:8787`. */
  url: string;
  /** The same Worker without the local server before it: what is sent arrives byte by byte. */
  directUrl: string;
  close(): Promise<void>;
}

const name = "vestibule";
const assetsName = `${name}-assets`;

/** Assets in a Worker of their own: beside ours, Miniflare would put its router before every request. */
function assetsWorkerOf(directory: string, compatibilityDate: string) {
  return { name: assetsName, modules: true, script: "export default {};", compatibilityDate, assets: { directory } };
}

async function optionsOf(
  { stateDir, vars }: Pick<LocalOptions, "stateDir" | "vars">,
  script: string | Promise<string>,
) {
  // Wrangler takes its time to load; meanwhile the Worker is built.
  const { unstable_getMiniflareWorkerOptions: workerOptionsOf } = await import("wrangler");
  // Module rules are for sources; what runs here is one module already.
  const { modulesRules: _, assets, ...workerOptions } = workerOptionsOf(wranglerConfig).workerOptions;
  // Somebody looks on: what is queued comes soon, not when a batch is worth its while.
  const consumers = Object.entries((workerOptions.queueConsumers ?? {}) as Record<string, object>);
  const queueConsumers = Object.fromEntries(
    consumers.map(([queue, options]) => [queue, { ...options, maxBatchTimeout: 0.2 }]),
  );
  const directory = stateDir === undefined ? undefined : resolve(root, stateDir, "workerd");
  if (directory !== undefined) await mkdir(directory, { recursive: true });
  return {
    log: new Log(LogLevel.WARN),
    cf: false,
    ...(directory === undefined ? {} : { resourcePersistencePath: directory }),
    workers: [
      {
        ...workerOptions,
        name,
        modules: true,
        script: await script,
        bindings: { ...(workerOptions.bindings as object), ...vars },
        serviceBindings: { ASSETS: assetsName },
        queueConsumers,
        unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
        stripCfConnectingIp: false,
      },
      assetsWorkerOf((assets as { directory: string }).directory, String(workerOptions.compatibilityDate)),
    ],
  };
}

/** In a folder of its own: another start, or the tests, may be building at the same time. */
export async function bundleApart(): Promise<string> {
  const outDir = await mkdtemp(join(tmpdir(), "vestibule-"));
  try {
    return await bundleWorker({ outDir });
  } finally {
    await rm(outDir, { recursive: true, force: true });
  }
}

export async function startLocal(options: LocalOptions): Promise<LocalWorker> {
  const { port, onLog } = options;
  const shared = await optionsOf(options, options.script ?? bundleApart());
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      ...shared,
      host: "127.0.0.1",
      port,
      ...(onLog ? { handleStructuredLogs: ({ level, message }) => onLog(level, message) } : {}),
    }),
  );
  try {
    const url = await miniflare.ready;
    const direct = await miniflare.unsafeGetDirectURL(name);
    return {
      url: `http://localhost:${url.port}`,
      directUrl: direct.origin,
      close: () => miniflare.dispose(),
    };
  } catch (error) {
    await miniflare.dispose();
    throw error;
  }
}
