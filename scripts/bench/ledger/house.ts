/** Shards, log and a bare object in one workerd, on disk. */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unstable_getMiniflareWorkerOptions as workerOptionsOf } from "wrangler";
import { root, wranglerConfig } from "../../paths.ts";
import { readSnapshot } from "../gate/house.ts";
import { bundleFile } from "../load/bundle.ts";
import { startWorkerd } from "../load/workerd.ts";

const secret = () => randomBytes(32).toString("base64url");

export interface House {
  pid: number;
  url: string;
  /** @throws on any status but a success */
  ask<T>(path: string): Promise<T>;
  close(): Promise<void>;
}

export async function startHouse(): Promise<House> {
  const { compatibilityDate, compatibilityFlags } = workerOptionsOf(wranglerConfig).workerOptions;
  const disk = await mkdtemp(join(tmpdir(), "vestibule-bench-objects-"));
  const bench = join(root, "scripts", "bench");
  const workerd = await startWorkerd({
    disk,
    compatibilityDate: String(compatibilityDate),
    compatibilityFlags: Array.isArray(compatibilityFlags) ? compatibilityFlags : [],
    services: {
      ledger: {
        modules: { "worker.js": await bundleFile(join(bench, "ledger", "workers", "ledger.ts")) },
        text: { ORIGIN: "https://id.example.com", COOKIE_KEYS: `k1:${secret()}`, STAMP_KEY: secret() },
        stores: {
          SNAPSHOTS: { kind: "kvNamespace", service: "stores:Kv" },
          EVENTS: { kind: "queue", service: "stores:Queue" },
        },
        objects: { CONTROL: "Control", COHORTS: "Cohorts", LOGBOOK: "Logbook", LEDGER: "Ledger", BARE: "Bare" },
      },
      stores: {
        modules: { "worker.js": await bundleFile(join(bench, "gate", "workers", "stores.ts")) },
        text: { SNAPSHOT: await readSnapshot() },
      },
    },
    sockets: { ledger: "ledger" },
  });
  const url = workerd.urlOf("ledger");
  return {
    pid: workerd.pid,
    url,
    async ask(path) {
      const response = await fetch(`${url}${path}`);
      if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
      const text = await response.text();
      return (text.startsWith("{") ? JSON.parse(text) : text) as never;
    },
    async close() {
      await workerd.close();
      await rm(disk, { recursive: true });
    },
  };
}
