/** A tenant's log on the SQLite of an object of its own, its clock, its alarm and its power cuts in the test's hands. */
import { runInDurableObject } from "cloudflare:test";
import { env as bindings } from "cloudflare:workers";
import { vi } from "vitest";
import { createKeeper, type Keeper } from "../../src/logs/keeper.ts";
import type { LogLimits } from "../../src/logs/limits.ts";
import type { LogStreamDefinition, LogStreamDelivery } from "../../src/model/log-stream.ts";
import { tenant } from "./entry.ts";

export const minuteMs = 60_000;
export const dayMs = 24 * 60 * minuteMs;
export const startMs = Date.parse("2030-01-01T00:00:00Z");

/** How a receiver answers, by its address; what throws or hangs is a receiver that does. */
export type Receiver = (request: Request) => Response | Promise<Response>;

export interface LogStage {
  keeper: Keeper;
  /** By path at `https://logs.example.com`. */
  receivers: Map<string, Receiver>;
  /** Requests to receivers in their order, with the time and the `log_id` of the entries in each. */
  sent: { path: string; at: number; request: Request; body: string; ids: string[] }[];
  /** `log_id` of the entries that a receiver has taken, in their order. */
  taken(path: string): string[];
  sync(...streams: LogStreamDefinition[]): void;
  delivery(id: string): LogStreamDelivery;
  storage: DurableObjectStorage;
  /** Warnings and errors on the console. */
  warned: string[];
  /** `log_id` of all entries, in the order in which they came. */
  held(): string[];
  /** Lets time go by; alarms ring. */
  pass(ms: number): Promise<void>;
  alarmAt(): number | null;
  /** The power goes, and comes back. Whatever was under way is never heard of again. */
  restart(): Promise<void>;
}

export function stream(id: string, fields: Partial<LogStreamDefinition> = {}): LogStreamDefinition {
  return {
    id: `lst_${id}`,
    name: id,
    type: "http",
    status: "active",
    filters: [],
    activated_at: "2030-01-01T00:00:00.000Z",
    created_at: "2030-01-01T00:00:00.000Z",
    updated_at: "2030-01-01T00:00:00.000Z",
    secrets: {},
    ...fields,
    sink: {
      http_endpoint: `https://logs.example.com/${id}`,
      http_content_type: "application/x-ndjson",
      http_content_format: "JSONLINES",
      ...fields.sink,
    },
  };
}

export const taking: Receiver = () => new Response(null, { status: 204 });
export const failing: Receiver = () => new Response("try later", { status: 500 });
export const hanging: Receiver = () => new Promise<never>(() => {});

// A test passes days, and its object may share a processor with many.
vi.setConfig({ testTimeout: 60_000 });

let count = 0;

export async function withStage(
  test: (stage: LogStage) => Promise<void>,
  options: { limits?: Partial<LogLimits> } = {},
): Promise<void> {
  const namespace = (bindings as unknown as { LOGBOOK: DurableObjectNamespace }).LOGBOOK;
  const stub = namespace.get(namespace.idFromName(`stage-${++count}`));
  await runInDurableObject(stub, async (_, state) => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "Date"], now: startMs });
    const warned: string[] = [];
    vi.spyOn(console, "warn").mockImplementation((line) => void warned.push(line));
    vi.spyOn(console, "error").mockImplementation((line) => void warned.push(line));
    try {
      await test(await raise(state, warned, { retentionMs: 30 * dayMs, bytes: 1024 ** 3, ...options.limits }));
    } finally {
      vi.useRealTimers();
      vi.restoreAllMocks();
      await state.storage.deleteAlarm();
    }
  });
}

async function raise(state: DurableObjectState, warned: string[], limits: LogLimits): Promise<LogStage> {
  let alarm: number | null = null;
  let ringing: Promise<void> | undefined;
  let life = 0;
  const methods = Object.getPrototypeOf(state.storage) as DurableObjectStorage;
  vi.spyOn(methods, "setAlarm").mockImplementation(async (at) => {
    alarm = Number(at);
  });
  vi.spyOn(methods, "deleteAlarm").mockImplementation(async () => {
    alarm = null;
  });
  vi.spyOn(methods, "getAlarm").mockImplementation(async () => alarm);

  let revision = 0;
  const never = new Promise<never>(() => {});

  function begin(): Keeper {
    const ofLife = ++life;
    return createKeeper({
      storage: state.storage,
      limits,
      rest: async () => {},
      async fetch(url, { signal: _, ...init }) {
        const path = new URL(url).pathname.slice(1);
        const body = String(init.body);
        const ids = [...body.matchAll(/"log_id":"([^"]*)"/g)].map(([, id = ""]) => id);
        const request = new Request(url, init);
        stage.sent.push({ path, at: Date.now() - startMs, request, body, ids });
        const response = await (stage.receivers.get(path)?.(request) ?? new Response("none", { status: 404 }));
        if (response.ok) stage.taken(path).push(...ids);
        return ofLife === life ? response : never;
      },
      allowed: ["logs.example.com"],
      now: Date.now,
      random: () => 1,
    });
  }

  const settle = () => vi.advanceTimersByTimeAsync(0);

  function ring(): void {
    if (alarm === null || alarm > Date.now() || ringing !== undefined) return;
    alarm = null;
    const ofLife = life;
    ringing = stage.keeper.ring().finally(() => {
      if (ofLife === life) ringing = undefined;
    });
  }

  const taken = new Map<string, string[]>();
  const stage: LogStage = {
    keeper: undefined as unknown as Keeper,
    receivers: new Map(),
    sent: [],
    taken(path) {
      if (!taken.has(path)) taken.set(path, []);
      return taken.get(path) as string[];
    },
    sync(...streams) {
      stage.keeper.sync({ tenant, revision: ++revision, streams });
    },
    delivery(id) {
      const delivery = stage.keeper.deliveries()[`lst_${id}`];
      if (delivery === undefined) throw new Error(`no stream ${id}`);
      return delivery;
    },
    storage: state.storage,
    warned,
    held: () =>
      [...state.storage.sql.exec<{ log_id: string }>("SELECT log_id FROM entry ORDER BY seq")].map(
        ({ log_id }) => log_id,
      ),
    async pass(ms) {
      const until = Date.now() + ms;
      let step = 20;
      for (;;) {
        ring();
        await settle();
        const now = Date.now();
        if (now >= until) return;
        // While something is under way, in short steps: what follows from it may set the alarm.
        const isBusy = vi.getTimerCount() > 0 || ringing !== undefined;
        step = isBusy ? Math.min(step * 2, 500) : 20;
        const next = alarm === null ? until : Math.max(alarm, now + 1);
        await vi.advanceTimersByTimeAsync(Math.min(next, until, isBusy ? now + step : until) - now);
      }
    },
    alarmAt: () => alarm,
    async restart() {
      const now = Date.now();
      vi.clearAllTimers();
      vi.setSystemTime(now);
      ringing = undefined;
      stage.keeper = begin();
      await settle();
    },
  };
  stage.keeper = begin();
  await settle();
  return stage;
}
