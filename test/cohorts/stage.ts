/**
 * A tenant's cohorts on the SQLite of an object of their own, before sources, KV, queue and control plane that do as the
 * test wants, with its clock, its alarm and its power cuts: support for tests in workerd.
 */
import { env as bindings } from "cloudflare:workers";
import { vi } from "vitest";
import { createKeeper, type Keeper } from "../../src/cohorts/keeper.ts";
import { hashMember } from "../../src/cohorts/member-hash.ts";
import { decodeShard, shardOf } from "../../src/cohorts/shard.ts";
import type { SourceLimits } from "../../src/cohorts/source/source-limits.ts";
import type { CohortDefinition, CohortIdType, CohortStatus } from "../../src/model/cohort.ts";
import type { QueueMessage } from "../../src/model/log-entry.ts";
import { type CohortIndex, cohortShardKey, snapshotKey } from "../../src/model/snapshot.ts";
import { type HeldObject, withHeldObject } from "../alarms/held-object.ts";

/** How a store answers: `hang` never does; `vanish` does what is asked without saying so. */
export type Mode = "work" | "fail" | "hang" | "vanish";

export const tenant = "acme";
export const minuteMs = 60_000;

export type Source = (request: Request) => Response | Promise<Response>;

export interface CohortStage {
  keeper: Keeper;
  storage: DurableObjectStorage;
  /** By path at `https://data.example.com`. */
  sources: Map<string, Source>;
  /** Requests to sources, in their order. */
  asked: Request[];
  kv: {
    mode: Mode;
    /** After so many puts all of them hang. */
    mostPuts: number;
    held: Map<string, Uint8Array<ArrayBuffer>>;
    puts: string[];
    deletes: string[];
  };
  queue: { mode: Mode; sent: QueueMessage[] };
  control: { mode: Mode; heard: { number: number; index: CohortIndex }[] };
  /** Warnings and errors on the console. */
  warned: string[];
  sync(...cohorts: CohortDefinition[]): void;
  status(id: string): CohortStatus;
  /** The index that the control plane heard of last. */
  index(): CohortIndex;
  /** Cohorts of a subject, by that index and what KV holds. */
  lookUp(idType: CohortIdType, id: string): readonly string[];
  /** Shards that KV has. */
  shardKeys(): string[];
  /** Lets time go by; alarms ring. */
  pass(ms: number): Promise<void>;
  alarmAt(): number | null;
  /** The power goes, and comes back. Whatever was under way is never heard of again. */
  restart(): Promise<void>;
}

export function cohort(id: string, fields: Partial<CohortDefinition> = {}): CohortDefinition {
  return {
    id: `coh_${id}`,
    name: id,
    id_type: "user",
    source: { type: "url", url: `https://data.example.com/${id}`, format: "ndjson" },
    refresh_minutes: 60,
    created_at: "2030-01-01T00:00:00.000Z",
    updated_at: "2030-01-01T00:00:00.000Z",
    ...fields,
  };
}

export const pushed = (id: string, fields: Partial<CohortDefinition> = {}): CohortDefinition =>
  cohort(id, { source: { type: "push" }, ...fields });

export const lines = (ids: Iterable<string>): string => Array.from(ids, (id) => `${JSON.stringify(id)}\n`).join("");

/** A body that comes in pieces, without a turn of the event loop between them: no clock runs ahead of it. */
export function streamOf(text: string): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  let at = 0;
  return new ReadableStream({
    type: "bytes",
    pull(controller) {
      if (at < bytes.length) controller.enqueue(bytes.slice(at, at + 64 * 1024));
      at += 64 * 1024;
      if (at < bytes.length) return;
      controller.close();
      controller.byobRequest?.respond(0);
    },
  });
}

export const answering = (ids: Iterable<string>): Source => {
  const body = lines(ids) || "\n";
  return () => new Response(streamOf(body));
};

export const range = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, at) => `user-${from + at}`);

const limits: SourceLimits = { bytes: 1e9, members: 1_000_000, totalMs: 15 * minuteMs, stallMs: 30_000 };

// A test passes hours, and its object may share a processor with many.
vi.setConfig({ testTimeout: 60_000 });

export async function withStage(
  test: (stage: CohortStage) => Promise<void>,
  options: { limits?: Partial<SourceLimits> } = {},
): Promise<void> {
  const { COHORTS } = bindings as unknown as { COHORTS: DurableObjectNamespace };
  let stage: CohortStage | undefined;
  await withHeldObject(
    COHORTS,
    async () => stage?.keeper.ring(),
    async (object) => {
      stage = raise(object, { ...limits, ...options.limits });
      await object.settle();
      await test(stage);
    },
  );
}

function raise({ storage, warned, life, pass, alarmAt, cutPower }: HeldObject, own: SourceLimits): CohortStage {
  let revision = 0;
  const never = new Promise<never>(() => {});

  /** Does `effect` as the store's mode says. Of a life that is over, no answer arrives. */
  async function answer<T>(mode: Mode, ofLife: number, effect: () => T): Promise<T> {
    await Promise.resolve();
    if (mode === "hang") return never;
    if (mode === "fail") throw new Error("down");
    const value = effect();
    return mode === "vanish" || ofLife !== life() ? never : value;
  }

  function begin(): Keeper {
    const ofLife = life();
    const kv = {
      put: (key: string, value: Uint8Array<ArrayBuffer>) =>
        answer(stage.kv.puts.length >= stage.kv.mostPuts ? "hang" : stage.kv.mode, ofLife, () => {
          stage.kv.puts.push(key);
          stage.kv.held.set(key, value.slice());
        }),
      get: (key: string) =>
        answer(stage.kv.mode, ofLife, () => {
          const value = stage.kv.held.get(key);
          return value === undefined ? null : JSON.parse(new TextDecoder().decode(value));
        }),
      delete: (key: string) =>
        answer(stage.kv.mode, ofLife, () => {
          stage.kv.deletes.push(key);
          stage.kv.held.delete(key);
        }),
    } as unknown as KVNamespace;
    const queue = {
      send: (message: QueueMessage) => answer(stage.queue.mode, ofLife, () => void stage.queue.sent.push(message)),
    } as unknown as Queue;
    return createKeeper({
      storage,
      kv,
      queue,
      announce: (_, number, index) =>
        answer(stage.control.mode, ofLife, () => {
          const before = stage.control.heard.at(-1)?.number ?? 0;
          if (number > before) stage.control.heard.push({ number, index });
          return Math.max(number, before);
        }),
      async fetch(url, init) {
        const { signal: _, ...rest } = init;
        const request = new Request(url, rest);
        stage.asked.push(request);
        const source = stage.sources.get(new URL(url).pathname.slice(1));
        const response = await (source?.(request) ?? new Response("none", { status: 404 }));
        return ofLife === life() ? response : never;
      },
      allowed: ["data.example.com"],
      limits: own,
      now: Date.now,
      random: () => 1,
    });
  }

  const stage: CohortStage = {
    keeper: undefined as unknown as Keeper,
    storage,
    sources: new Map(),
    asked: [],
    kv: { mode: "work", mostPuts: Number.POSITIVE_INFINITY, held: new Map(), puts: [], deletes: [] },
    queue: { mode: "work", sent: [] },
    control: { mode: "work", heard: [] },
    warned,
    sync(...cohorts) {
      stage.keeper.sync({ tenant, revision: ++revision, cohorts });
    },
    status(id) {
      const status = stage.keeper.status()[`coh_${id}`];
      if (status === undefined) throw new Error(`no cohort ${id}`);
      return status;
    },
    index() {
      const last = stage.control.heard.at(-1);
      if (last === undefined) throw new Error("no index yet");
      return last.index;
    },
    lookUp(idType, id) {
      const { bits, generations } = stage.index();
      const hash = new Uint32Array(2);
      hashMember(idType, id, hash, 0);
      const [low = 0, high = 0] = hash;
      const shard = shardOf(high, bits);
      const key = cohortShardKey(tenant, generations[shard] ?? 0, shard);
      const bytes = stage.kv.held.get(key);
      if (bytes === undefined) throw new Error(`KV lacks ${key}`);
      return decodeShard(bytes.buffer).find(high, low);
    },
    shardKeys: () => [...stage.kv.held.keys()].filter((key) => key !== snapshotKey(tenant)),
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
