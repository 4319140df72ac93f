/** The whole Worker with several tenants, before origins that remember what reached them: support for tests in workerd. */
import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { vi } from "vitest";
import type { VestibuleEvent } from "../../src/model/event.ts";
import type { QueueMessage } from "../../src/model/log-entry.ts";
import worker, { type Env } from "../../src/worker.ts";
import { realStores, type Seen } from "./stage.ts";

const key = "A".repeat(43);

export interface WorkerHarness {
  /** The bindings; replace any of them by a faulty one at any time. */
  env: Record<string, unknown>;
  stores: { kv: unknown; queue: unknown; cache: unknown };
  seen: Seen[];
  queued: QueueMessage[];
  /** Lines on the console. */
  logged: string[];
  /** One request, and what became of it at the origin. Waits for what is left to do after the answer if `settle`. */
  send(request: Request, settle?: boolean): Promise<WorkerVisit>;
}

export interface WorkerVisit {
  response: Response;
  seen: Seen;
  /** `x-experiment-<name>` as the origin got it. */
  stamp(name: string): string | null;
  events: VestibuleEvent[];
}

/** Call `vi.unstubAllGlobals()` when done. Each is a new isolate: nothing in memory. */
export function createWorkerHarness(vars: Record<string, unknown>): WorkerHarness {
  const queued: QueueMessage[] = [];
  const seen: Seen[] = [];
  const logged: string[] = [];
  const sendBatch = async (batch: { body: QueueMessage }[]) => void queued.push(...batch.map(({ body }) => body));
  const stores: WorkerHarness["stores"] = { kv: realStores.kv, queue: { sendBatch }, cache: realStores.cache };
  const behind = async () => new Response("from behind");
  const env = {
    get SNAPSHOTS() {
      return stores.kv;
    },
    get EVENTS() {
      return stores.queue;
    },
    COHORTS: {},
    MANAGEMENT: { answer: behind, tend: behind },
    DASHBOARD: { show: behind },
    COOKIE_KEYS: `k1:${key}`,
    STAMP_KEY: key,
    ...vars,
  };
  const log = (line: string) => logged.push(line);
  vi.stubGlobal("console", { debug: log, info: log, log, warn: log, error: log });
  vi.stubGlobal("caches", {
    get default() {
      return stores.cache;
    },
  });
  vi.stubGlobal("fetch", async (input: RequestInfo, init?: RequestInit) => {
    const request = new Request(input, init);
    const { method, url, headers } = request;
    seen.push({ method, url, headers, body: new Uint8Array(await request.arrayBuffer()), atMs: performance.now() });
    return new Response("<!doctype html><title>Log in</title>", {
      headers: { "content-type": "text/html", "x-origin": "yes" },
    });
  });
  return {
    env,
    stores,
    seen,
    queued,
    logged,
    async send(request, settle = true) {
      const ctx = createExecutionContext();
      const [before, queuedBefore] = [seen.length, queued.length];
      const response = await worker.fetch(request as Parameters<typeof worker.fetch>[0], env as unknown as Env, ctx);
      if (settle) await waitOnExecutionContext(ctx);
      const reached = seen[before];
      if (!reached) throw new Error(`the request did not reach an origin: ${response.status}`);
      const events = queued.slice(queuedBefore).flatMap((one) => (one.kind === "event" ? [one.event] : []));
      return { response, seen: reached, events, stamp: (name) => reached.headers.get(`x-experiment-${name}`) };
    },
  };
}
