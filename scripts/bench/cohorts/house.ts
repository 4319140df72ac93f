/** Vestibule in workerd with its objects on disk, for tenants that differ in their experiment alone. */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unstable_getMiniflareWorkerOptions as workerOptionsOf } from "wrangler";
import type { CohortStatus } from "../../../src/model/cohort.ts";
import { type Snapshot, snapshotKey } from "../../../src/model/snapshot.ts";
import { createManagement, type Management } from "../../management.ts";
import { root, wranglerConfig } from "../../paths.ts";
import { type Origin, startOrigin } from "../gate/origin.ts";
import { bundleFile } from "../load/bundle.ts";
import { productServices } from "../load/product.ts";
import { startWorkerd } from "../load/workerd.ts";
import { type Kv, type Source, startKv, startSource } from "./servers.ts";

const token = "a-token-for-the-bench";
/** An isolate on Cloudflare has no more. */
const heapMb = 128;
const secret = () => randomBytes(32).toString("base64url");

export interface House {
  pid: number;
  /** Where visitors come, whatever host they name. */
  url: string;
  source: Source;
  kv: Kv;
  origin: Origin;
  manage(tenant: string): Management;
  /** Most that workerd has had in memory, in MB; null where the system does not tell. */
  peakMb(): number | null;
  close(): Promise<void>;
}

/** A tenant's host is `<tenant>.test`; who is who is told by its cookie `device`. */
export async function startHouse(tenants: readonly string[]): Promise<House> {
  const { compatibilityDate, compatibilityFlags } = workerOptionsOf(wranglerConfig).workerOptions;
  const [source, kv, origin] = await Promise.all([startSource(), startKv(), startOrigin()]);
  const disk = await mkdtemp(join(tmpdir(), "vestibule-bench-objects-"));
  const tenantOf = (name: string) => ({ hosts: [`${name}.test`], origin: origin.url, device_cookie: "device" });
  const workerd = await startWorkerd({
    compatibilityDate: String(compatibilityDate),
    compatibilityFlags: Array.isArray(compatibilityFlags) ? compatibilityFlags : [],
    services: {
      ...(await productServices({
        ADMIN_HOSTS: "127.0.0.1",
        ADMIN_TOKEN: token,
        TENANTS: JSON.stringify(Object.fromEntries(tenants.map((name) => [name, tenantOf(name)]))),
        COOKIE_KEYS: `k1:${secret()}`,
        STAMP_KEY: secret(),
        MANAGEMENT_RATE: "100000",
        COHORT_HOSTS: source.origin,
      })),
      queue: {
        modules: { "worker.js": await bundleFile(join(root, "scripts/bench/control/workers/queue.ts")) },
        text: {},
      },
    },
    externals: { kv: kv.address },
    disk,
    heapMb,
    sockets: { vestibule: "login" },
  });
  const url = workerd.urlOf("vestibule");
  return {
    pid: workerd.pid,
    url,
    source,
    kv,
    origin,
    manage: (tenant) => createManagement({ url, token, tenant }),
    peakMb() {
      try {
        const [, kilobytes] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${workerd.pid}/status`, "utf8")) ?? [];
        return kilobytes === undefined ? null : Number(kilobytes) / 1024;
      } catch {
        return null;
      }
    },
    async close() {
      await workerd.close();
      await Promise.all([source.close(), kv.close(), origin.close()]);
      await rm(disk, { recursive: true });
    },
  };
}

const askAgainMs = 50;

/** Asks until there is an answer. */
export async function until<T>(ask: () => Promise<T | undefined> | T | undefined): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await new Promise((resolve) => setTimeout(resolve, askAgainMs));
  }
}

export function snapshotOf({ kv }: House, tenant: string): Snapshot | undefined {
  const held = kv.read(snapshotKey(tenant));
  return held && JSON.parse(held.toString());
}

/** Once it is over. @throws when it has failed */
export async function untilFetched({ send }: Management, cohort: string): Promise<CohortStatus> {
  const status = await until(async () => {
    const { status: now }: { status: CohortStatus } = await send("GET", `/cohorts/${cohort}`);
    return ["never", "refreshing"].includes(now.state) ? undefined : now;
  });
  if (status.error !== null) throw new Error(status.error);
  return status;
}

/** Waits until the snapshot in KV points at these members. */
export async function untilLookedUp(house: House, tenant: string, cohort: string, refreshedAt: string): Promise<void> {
  await until(
    () => (snapshotOf(house, tenant)?.cohorts?.ready[cohort]?.refreshed_at ?? "") >= refreshedAt || undefined,
  );
}
