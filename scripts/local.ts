/** The Workers on workerd on this machine, with their objects, KV, queue and cache kept in a folder. */
import { mkdir } from "node:fs/promises";
import { resolve } from "node:path";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import { secretNames } from "../src/settings.ts";
import { type Bundles, bundleAll } from "./bundle.ts";
import { root } from "./paths.ts";
import { type WorkerFile, withWorkers } from "./workers.ts";

export interface LocalOptions {
  /** 0 takes any free port. */
  port: number;
  /** Where state lives between runs; relative to the project. Without it nothing is kept. */
  stateDir?: string;
  /** Variables and secrets, over those of wrangler.toml. */
  vars: Record<string, string>;
  /** Told each line the Workers write to their consoles. */
  onLog?: (level: string, message: string) => void;
  /** Another Worker before log-ins than ours. */
  login?: string;
  /** Serves https with this key and certificate (PEM) instead of plain http. */
  certificate?: { key: string; cert: string };
}

export interface LocalWorker {
  /** Without a trailing slash, e.g. `http://localhost:8787`. */
  url: string;
  /** The same Worker without the local server before it: what is sent arrives byte by byte. */
  directUrl: string;
  close(): Promise<void>;
}

/** Assets in a Worker of their own: beside ours, Miniflare would put its router before every request. */
function assetsWorkerOf(name: string, directory: string, compatibilityDate: string) {
  return { name, modules: true, script: "export default {};", compatibilityDate, assets: { directory } };
}

async function workerOf({ part, name, configPath }: WorkerFile, bundles: Bundles, vars: Record<string, string>) {
  const { unstable_getMiniflareWorkerOptions: workerOptionsOf } = await import("wrangler");
  // Module rules are for sources; what runs here is one module already.
  const { modulesRules: _, assets, ...options } = workerOptionsOf(configPath).workerOptions;
  // Somebody looks on: what is queued comes soon, not when a batch is worth its while.
  const consumers = Object.entries((options.queueConsumers ?? {}) as Record<string, object>);
  const queueConsumers = Object.fromEntries(consumers.map(([queue, own]) => [queue, { ...own, maxBatchTimeout: 0.2 }]));
  const assetsName = `${name}-assets`;
  const { directory } = (assets ?? {}) as { directory?: string };
  const services = directory === undefined ? {} : { ASSETS: assetsName };
  const worker = {
    ...options,
    name,
    modules: true,
    script: bundles[part],
    bindings: { ...(options.bindings as object), ...(part === "login" ? vars : {}) },
    serviceBindings: { ...(options.serviceBindings as object), ...services },
    queueConsumers,
    ...(part === "login" ? { unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }] } : {}),
    stripCfConnectingIp: false,
  };
  if (directory === undefined) return [worker];
  return [worker, assetsWorkerOf(assetsName, directory, String(options.compatibilityDate))];
}

async function optionsOf({ stateDir, vars, login }: LocalOptions) {
  const built = await bundleAll();
  const bundles = login === undefined ? built : { ...built, login };
  // As they are deployed: secrets are the first Worker's alone.
  const isSecret = (name: string) => secretNames.some((secret) => secret === name);
  const variables = Object.fromEntries(Object.entries(vars).filter(([name]) => !isSecret(name)));
  const workers = await withWorkers((files) => Promise.all(files.map((file) => workerOf(file, bundles, vars))), {
    variables,
  });
  const directory = stateDir === undefined ? undefined : resolve(root, stateDir, "workerd");
  if (directory !== undefined) await mkdir(directory, { recursive: true });
  return {
    log: new Log(LogLevel.WARN),
    cf: false,
    ...(directory === undefined ? {} : { resourcePersistencePath: directory }),
    // The first is the one before everything.
    workers: workers.reverse().flat(),
  };
}

export async function startLocal(options: LocalOptions): Promise<LocalWorker> {
  const { port, onLog, certificate } = options;
  const shared = await optionsOf(options);
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      ...shared,
      host: "127.0.0.1",
      port,
      ...(certificate ? { https: true, httpsKey: certificate.key, httpsCert: certificate.cert } : {}),
      ...(onLog ? { handleStructuredLogs: ({ level, message }) => onLog(level, message) } : {}),
    }),
  );
  try {
    const url = await miniflare.ready;
    const direct = await miniflare.unsafeGetDirectURL();
    return {
      url: `${certificate ? "https" : "http"}://localhost:${url.port}`,
      directUrl: direct.origin,
      close: () => miniflare.dispose(),
    };
  } catch (error) {
    await miniflare.dispose();
    throw error;
  }
}
