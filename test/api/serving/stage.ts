/** The Worker before apps that fetch: a tenant with a client and a server deployment. Support for tests in workerd. */
import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { createHash } from "node:crypto";
import { buildSnapshot } from "../../../src/model/compile/build-snapshot.ts";
import type { VestibuleEvent } from "../../../src/model/event.ts";
import type { QueueMessage } from "../../../src/model/log-entry.ts";
import type { Resources } from "../../../src/model/resources.ts";
import { type CohortIndex, snapshotKey } from "../../../src/model/snapshot.ts";
import worker from "../../../src/worker.ts";
import { bindings, type Env, joined } from "../../all-workers.ts";
import { cookieKey } from "../../gate/stage.ts";
import { flag, resources } from "../../model/resources.ts";

export const host = "login.example.com";
/** Of deployments `dep_Client`, `dep_Server` and `dep_Empty`; the flags that `published` has are enabled in the first two. */
export const keys = { client: "client-key-of-tests", server: "server-key-of-tests", empty: "client-key-without-flags" };

const times = { created_at: "2025-01-01T00:00:00Z", updated_at: "2025-01-01T00:00:00Z" };
const deployment = (name: string, type: "client" | "server", key: string) => ({
  ...times,
  id: `dep_${name}`,
  name,
  type,
  key_hash: createHash("sha256").update(key).digest("base64url"),
});
export const deployments = [
  deployment("Client", "client", keys.client),
  deployment("Server", "server", keys.server),
  deployment("Empty", "client", keys.empty),
];
export const everywhere = ["dep_Client", "dep_Server"];

type AskInit = RequestInit & { key?: string | null; cf?: Record<string, unknown>; settle?: boolean };

export interface FetchStage {
  tenant: string;
  env: Env;
  queued: QueueMessage[];
  /** Takes what was queued since it was last asked. */
  takeEvents(): VestibuleEvent[];
  /** The same of the codes of warnings for the tenant's log. */
  takeWarnings(): (string | undefined)[];
  /** The answer, once what is left to do after it is done if `settle`. */
  ask(path: string, init?: AskInit): Promise<Response>;
  publish(of?: Partial<Resources>, options?: { version?: number; cohorts?: CohortIndex }): Promise<void>;
  /** Another isolate, which has nothing in memory; every read of KV fails from now on if `isDown`. */
  restart(options?: { isDown?: boolean }): void;
  /** Every read of KV fails from now on, or no longer. */
  setDown(isDown: boolean): void;
}

let count = 0;

export function createFetchStage(
  options: { tenant?: Record<string, unknown>; vars?: Partial<Record<keyof Env, unknown>> } = {},
): FetchStage {
  const tenant = `fetch-${++count}-${crypto.randomUUID().slice(0, 8)}`;
  const queued: QueueMessage[] = [];
  let isDown = false;
  const fail = async () => {
    throw new Error("the store is down");
  };
  const create = () =>
    joined({
      ...bindings,
      get SNAPSHOTS() {
        return isDown ? { getWithMetadata: fail, get: fail } : bindings.SNAPSHOTS;
      },
      EVENTS: {
        sendBatch: async (batch: { body: QueueMessage }[]) => void queued.push(...batch.map(({ body }) => body)),
      },
      COOKIE_KEYS: cookieKey("k1"),
      STAMP_KEY: "s".repeat(43),
      TENANTS: JSON.stringify({ [tenant]: { hosts: [host], origin: "https://id.example.com", ...options.tenant } }),
      ...options.vars,
    } as unknown as Env);
  const stage: FetchStage = {
    tenant,
    env: create(),
    queued,
    takeEvents: () => queued.splice(0).flatMap((message) => (message.kind === "event" ? message.event : [])),
    takeWarnings: () =>
      queued.splice(0).flatMap((message) => (message.kind === "log" ? [message.entry.details.code] : [])),
    async ask(path, { key = keys.client, cf, settle = true, ...init } = {}) {
      const headers = new Headers(init.headers);
      if (key !== null && !headers.has("authorization")) headers.set("authorization", `Api-Key ${key}`);
      const request = new Request(`https://${host}${path}`, { ...init, headers });
      if (cf !== undefined) Object.defineProperty(request, "cf", { value: cf });
      const ctx = createExecutionContext();
      const response = await worker.fetch(request as Parameters<typeof worker.fetch>[0], stage.env, ctx);
      if (settle) await waitOnExecutionContext(ctx);
      return response;
    },
    async publish(of = {}, { version = 1, cohorts } = {}) {
      const enabled = resources({ feature_flags: [flag({ deployments: everywhere })], deployments, ...of });
      const publishedAt = "2025-01-31T12:00:00.000Z";
      const snapshot = buildSnapshot(enabled, { tenant, version, publishedAt, cohorts });
      await bindings.SNAPSHOTS.put(snapshotKey(tenant), JSON.stringify(snapshot), { metadata: { version } });
    },
    restart({ isDown: down = false } = {}) {
      isDown = down;
      stage.env = create();
    },
    setDown(down) {
      isDown = down;
    },
  };
  return stage;
}
