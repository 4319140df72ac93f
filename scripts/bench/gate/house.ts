/** All contenders in one workerd, so that they share its one thread, each behind a socket of its own. */
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { unstable_getMiniflareWorkerOptions as workerOptionsOf } from "wrangler";
import { buildSnapshot } from "../../../src/model/compile/build-snapshot.ts";
import { readConfiguration } from "../../../src/model/transfer/configuration.ts";
import { root, wranglerConfig } from "../../paths.ts";
import { bundleFile } from "../load/bundle.ts";
import { loginService } from "../load/product.ts";
import { type Service, startWorkerd } from "../load/workerd.ts";

export interface StoreCalls {
  kv: number;
  cache: number;
  queue: number;
}

export interface House {
  /** Of the workerd that all live in. */
  pid: number;
  urlOf(contender: string): string;
  /** What `constants` sets from now on. */
  setConstants(headers: readonly (readonly [name: string, value: string])[]): Promise<void>;
  /** The gate's calls to its stores so far. */
  storeCalls(): Promise<StoreCalls>;
  close(): Promise<void>;
}

const workers = join(root, "scripts", "bench", "gate", "workers");
const sample = join(root, "scripts", "sample", "login-page.json");
const secret = () => randomBytes(32).toString("base64url");

/** The sample configuration's snapshot, as it would stand in KV. */
export async function readSnapshot(): Promise<string> {
  const publishedAt = new Date().toISOString();
  const read = readConfiguration(JSON.parse(await readFile(sample, "utf8")), { at: publishedAt });
  if ("problems" in read) throw new Error(JSON.stringify(read.problems));
  return JSON.stringify(buildSnapshot(read.resources, { tenant: "default", version: 1, publishedAt }));
}

/** `others`: more builds of the gate to compare, by name. */
export async function startHouse(originUrl: string, others: Readonly<Record<string, string>> = {}): Promise<House> {
  const { compatibilityDate, compatibilityFlags } = workerOptionsOf(wranglerConfig).workerOptions;
  if (typeof compatibilityDate !== "string") throw new Error("wrangler.toml names no compatibility_date");
  const contender = async (file: string): Promise<Service> => ({
    modules: { "worker.js": await bundleFile(join(workers, file)) },
    text: { ORIGIN: originUrl },
  });
  const settings = { ORIGIN: originUrl, COOKIE_KEYS: `k1:${secret()}`, STAMP_KEY: secret() };
  const gate = await loginService({ text: settings, stores: "stores" });
  const builds = Object.entries(others).map(async ([name, script]) => [
    name,
    await loginService({ text: settings, stores: "stores", script }),
  ]);
  const contenders: Record<string, Service> = {
    gate,
    ...Object.fromEntries(await Promise.all(builds)),
    bare: await contender("bare.ts"),
    constants: await contender("constant-headers.ts"),
    growthbook: {
      ...(await contender("growthbook.ts")),
      stores: { KV_GB_PAYLOAD: { kind: "kvNamespace" as const, service: "stores:GrowthBookKv" } },
    },
    growthbookMemory: await contender("growthbook.ts"),
  };
  const workerd = await startWorkerd({
    compatibilityDate,
    compatibilityFlags: Array.isArray(compatibilityFlags) ? compatibilityFlags : [],
    services: {
      ...contenders,
      stores: {
        modules: { "worker.js": await bundleFile(join(workers, "stores.ts")) },
        text: { SNAPSHOT: await readSnapshot() },
      },
    },
    sockets: {
      ...Object.fromEntries(Object.keys(contenders).map((name) => [name, name])),
      setConstants: "constants:Control",
      storeCalls: "stores",
    },
  });
  return {
    pid: workerd.pid,
    urlOf: workerd.urlOf,
    async setConstants(headers) {
      await fetch(workerd.urlOf("setConstants"), { method: "POST", body: JSON.stringify(headers) });
    },
    async storeCalls() {
      return (await (await fetch(workerd.urlOf("storeCalls"))).json()) as StoreCalls;
    },
    close: workerd.close,
  };
}
