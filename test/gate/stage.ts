/** A gate before an origin that remembers what reached it: support for tests in workerd. */
import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { vi } from "vitest";
import { Address } from "../../src/assignment/address.ts";
import { createSources, type Sources } from "../../src/assignment/sources.ts";
import { createGate, type Gate, type GateBindings } from "../../src/gate/gate.ts";
import { buildSnapshot } from "../../src/model/compile/build-snapshot.ts";
import type { QueueMessage } from "../../src/model/log-entry.ts";
import type { Resources } from "../../src/model/resources.ts";
import { type Snapshot, snapshotKey } from "../../src/model/snapshot.ts";
import type { Tenant } from "../../src/model/tenant.ts";
import { readSettings, type Variables } from "../../src/settings.ts";
import { bindings } from "../all-workers.ts";
import { resources } from "../model/resources.ts";

/** The platform's own, for tests that break some of them. */
export const realStores = {
  kv: bindings.SNAPSHOTS,
  queue: bindings.EVENTS,
  cache: caches.default,
};
export type Stores = typeof realStores;

export const cookieKey = (kid: string) => `${kid}:${kid.padEnd(43, "k")}`;
const ampleMs = 1_000;
export const host = "login.example.com";
const chrome = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/149.0.0.0 Safari/537.36";

/** What the origin got. */
export interface Seen {
  method: string;
  url: string;
  headers: Headers;
  body: Uint8Array;
  atMs: number;
}

export interface Visit {
  response: Response;
  seen: Seen;
  elapsedMs: number;
  /** `x-experiment-<name>` as the origin got it. */
  stamp(name: string): string | null;
}

export interface Stage {
  gate: Gate;
  /** What this isolate has in memory. */
  sources: Sources;
  tenant: Tenant;
  /** Replace any of them by a faulty one, at any time. */
  stores: Stores;
  /** A new isolate: nothing in memory, all circuits closed. */
  restart(budgetMs?: number): void;
  /** Of a decision. Ample, so that a busy machine fails no test; those that wait for it to end take a short one. */
  budgetMs: number;
  /** The gate's clock; timers follow the real one. */
  clock: { nowMs: number };
  /** All requests that reached the origin, and what it answers: a page, unless a test says otherwise. */
  origin: { seen: Seen[]; answer: (seen: Seen) => Response | Promise<Response> };
  /** What went onto the queue. */
  queued: QueueMessage[];
  /** Lines on the console. */
  logged: string[];
  /** One request through the gate, exactly as given. Waits for what is left to do after the answer if `settle`. */
  send(request: Request, settle?: boolean): Promise<Visit>;
}

export interface StageOptions {
  vars?: Partial<Record<"COOKIE_KEYS" | "TENANTS" | "SNAPSHOT_FRESH_SECONDS", string>>;
  /** The tenant's settings beside host and origin. */
  tenant?: Record<string, unknown>;
}

/** Call `vi.unstubAllGlobals()` when done: the stage takes the isolate's `fetch`, `caches` and `console`. */
export function createStage({ vars = {}, tenant = {} }: StageOptions = {}): Stage {
  const clock = { nowMs: Date.now() };
  const stores = { ...realStores };
  const queued: QueueMessage[] = [];
  const logged: string[] = [];
  const origin: Stage["origin"] = {
    seen: [],
    answer: () => new Response("<!doctype html><title>Log in</title>", { headers: { "content-type": "text/html" } }),
  };
  stores.queue = {
    sendBatch: async (batch: { body: QueueMessage }[]) => void queued.push(...batch.map(({ body }) => body)),
  } as unknown as Queue;
  const env: GateBindings & Variables = {
    get SNAPSHOTS() {
      return stores.kv;
    },
    get EVENTS() {
      return stores.queue;
    },
    COOKIE_KEYS: cookieKey("k1"),
    STAMP_KEY: "s".repeat(43),
    TENANTS: JSON.stringify({ acme: { hosts: [host], origin: "https://id.example.com", ...tenant } }),
    ...vars,
  };
  const settings = readSettings(env);
  if (settings.errors.length > 0) throw new Error(settings.errors.join("\n"));
  const first = settings.routes[0]?.tenant;
  if (!first) throw new Error("a stage needs a tenant");
  function build(decisionBudgetMs: number): Pick<Stage, "gate" | "sources"> {
    const now = () => clock.nowMs;
    const sources = createSources({ ...settings, decisionBudgetMs, now, random: () => 0.5 });
    return { sources, gate: createGate({ settings: { ...settings, decisionBudgetMs }, sources, now }) };
  }

  const log = (line: string) => logged.push(line);
  vi.stubGlobal("console", { debug: log, info: log, log, warn: log, error: log });

  vi.stubGlobal("caches", {
    get default() {
      return stores.cache;
    },
  });
  vi.stubGlobal("fetch", async (input: RequestInfo, init?: RequestInit) => {
    const atMs = performance.now();
    const request = new Request(input, init);
    const seen = {
      atMs,
      method: request.method,
      url: request.url,
      headers: request.headers,
      body: new Uint8Array(await request.arrayBuffer()),
    };
    origin.seen.push(seen);
    return origin.answer(seen);
  });

  const stage: Stage = {
    ...build(ampleMs),
    budgetMs: ampleMs,
    tenant: first,
    stores,
    clock,
    origin,
    queued,
    logged,
    restart(budgetMs = ampleMs) {
      stage.budgetMs = budgetMs;
      Object.assign(stage, build(budgetMs));
    },
    async send(request, settle = true) {
      const ctx = createExecutionContext();
      const before = origin.seen.length;
      const startedAtMs = performance.now();
      const response = await stage.gate.handle(request, new Address(request.url), stage.tenant, env, ctx);
      const elapsedMs = performance.now() - startedAtMs;
      if (settle) await waitOnExecutionContext(ctx);
      const seen = origin.seen[before];
      if (!seen) throw new Error("the request did not reach the origin");
      return { response, seen, elapsedMs, stamp: (name) => seen.headers.get(`x-experiment-${name}`) };
    },
  };
  return stage;
}

/** Puts a snapshot into KV: one built from resources, or as it is written. */
export async function publish(of: Partial<Resources> | Snapshot = {}, version = 1, tenant = "acme"): Promise<Snapshot> {
  const snapshot =
    "schema" in of ? of : buildSnapshot(resources(of), { tenant, version, publishedAt: "2025-01-31T12:00:00.000Z" });
  const metadata = { version: snapshot.version };
  await realStores.kv.put(snapshotKey(tenant), JSON.stringify(snapshot), { metadata });
  return snapshot;
}

/** Empties KV and this colo's cache. */
export async function clearStores(tenants: readonly string[] = ["acme", "beta"]): Promise<void> {
  for (const tenant of tenants) {
    await realStores.kv.delete(snapshotKey(tenant));
    await realStores.cache.delete(`https://snapshot.vestibule.invalid/${tenant}`);
  }
}

/** A browser's navigation; `headers` add to and replace its own. */
export function navigation(path = "/login", headers: Record<string, string> = {}): Request {
  return new Request(`https://${host}${path}`, {
    redirect: "manual",
    headers: {
      accept: "text/html,application/xhtml+xml",
      "sec-fetch-dest": "document",
      "sec-fetch-mode": "navigate",
      "user-agent": chrome,
      ...headers,
    },
  });
}

/** A browser that keeps its cookies from one visit to the next. */
export function createBrowser(stage: Stage) {
  const cookies = new Map<string, string>();
  return {
    cookies,
    async open(path = "/login", init: { headers?: Record<string, string>; settle?: boolean } = {}): Promise<Visit> {
      const header = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
      const request = navigation(path, { ...(header ? { cookie: header } : {}), ...init.headers });
      const visit = await stage.send(request, init.settle);
      for (const line of visit.response.headers.getSetCookie()) {
        const [pair = "", ...attributes] = line.split("; ");
        const [name = "", value = ""] = [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)];
        if (attributes.includes("Max-Age=0")) cookies.delete(name);
        else cookies.set(name, value);
      }
      return visit;
    },
  };
}
