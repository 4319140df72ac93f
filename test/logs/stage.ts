/** A tenant's log on the SQLite of an object of its own, its clock, its alarm and its power cuts in the test's hands. */
import { env as bindings } from "cloudflare:workers";
import { vi } from "vitest";
import { createKeeper, type Keeper } from "../../src/logs/keeper.ts";
import type { LogLimits } from "../../src/logs/limits.ts";
import type { LogStreamDefinition, LogStreamDelivery } from "../../src/model/log-stream.ts";
import { type HeldObject, startMs, withHeldObject } from "../alarms/held-object.ts";
import { tenant } from "./entry.ts";

export const minuteMs = 60_000;
export const dayMs = 24 * 60 * minuteMs;

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

export async function withStage(
  test: (stage: LogStage) => Promise<void>,
  options: { limits?: Partial<LogLimits> } = {},
): Promise<void> {
  const { LOGBOOK } = bindings as unknown as { LOGBOOK: DurableObjectNamespace };
  const limits = { retentionMs: 30 * dayMs, bytes: 1024 ** 3, ...options.limits };
  let stage: LogStage | undefined;
  await withHeldObject(
    LOGBOOK,
    async () => stage?.keeper.ring(),
    async (object) => {
      stage = raise(object, limits);
      await object.settle();
      await test(stage);
    },
  );
}

function raise({ storage, warned, life, pass, alarmAt, cutPower }: HeldObject, limits: LogLimits): LogStage {
  let revision = 0;
  const never = new Promise<never>(() => {});

  function begin(): Keeper {
    const ofLife = life();
    return createKeeper({
      storage,
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
        return ofLife === life() ? response : never;
      },
      allowed: ["logs.example.com"],
      now: Date.now,
      random: () => 1,
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
    storage,
    warned,
    held: () =>
      [...storage.sql.exec<{ log_id: string }>("SELECT log_id FROM entry ORDER BY seq")].map(({ log_id }) => log_id),
    pass,
    alarmAt,
    restart: () =>
      cutPower(() => {
        stage.keeper = begin();
      }),
  };
  stage.keeper = begin();
  return stage;
}
