/** Stores that count what they are asked, and fail as a test wants: support for tests of the ladder. */
import { type Snapshot, snapshotKey } from "../../src/model/snapshot.ts";
import {
  createSnapshotReader,
  type SnapshotReader,
  type SnapshotRequest,
  type SnapshotStores,
} from "../../src/snapshot/reader.ts";

export const hang = () => new Promise<never>(() => {});
export const fail = () => Promise.reject(new Error("down"));
export const throwAtOnce = (): never => {
  throw new Error("broken");
};

type Get = () => Promise<{ value: string | Uint8Array | null; metadata: unknown }>;

export interface Shelf {
  /** How KV answers. */
  kv: Get;
  /** What is in the cache: a copy, or a way to fail. */
  cache: string | null | (() => Promise<never>);
  asked: { kv: number; match: number; put: number };
  stores: SnapshotStores;
  clock: { nowMs: number };
  failures: string[];
  reader: SnapshotReader;
  read(tenant?: string): ReturnType<SnapshotReader["read"]>;
  /** Waits for all that was deferred. */
  settle(): Promise<void>;
}

export const freshMs = 30_000;
export const hedgeMs = 20;

export function snapshotOf(version: number, changes: Partial<Snapshot> = {}): Snapshot {
  return {
    schema: 1,
    tenant: "acme",
    version,
    published_at: "2025-01-31T12:00:00.000Z",
    flags: [],
    experiments: [],
    deployments: [],
    ...changes,
  };
}
export const stored = (snapshot: Snapshot, metadata: unknown = { version: snapshot.version }): Get => {
  return async () => ({ value: JSON.stringify(snapshot), metadata });
};
export const nothing: Get = async () => ({ value: null, metadata: null });

export function createShelf(): Shelf {
  const deferred: Promise<unknown>[] = [];
  const asked = { kv: 0, match: 0, put: 0 };
  const clock = { nowMs: 1_000_000_000 };
  const kv = {
    async getWithMetadata(key: string) {
      asked.kv++;
      if (!key.startsWith(snapshotKey(""))) throw new Error(`no key of a snapshot: ${key}`);
      const { value, metadata } = await shelf.kv();
      return { value: value === null ? null : new Response(value).body, metadata };
    },
  };
  const cache = {
    async match() {
      asked.match++;
      if (typeof shelf.cache === "function") return shelf.cache();
      return shelf.cache === null ? undefined : new Response(shelf.cache);
    },
    async put(_: string, copy: Response) {
      asked.put++;
      if (typeof shelf.cache === "function") return shelf.cache();
      shelf.cache = await copy.text();
    },
  };
  const request = (tenant: string): SnapshotRequest => ({
    tenant,
    stores: shelf.stores,
    guard: async (_, call) => call(),
    defer: (work) => deferred.push(work),
    onFailure: (reason) => shelf.failures.push(reason),
  });
  const shelf: Shelf = {
    kv: nothing,
    cache: null,
    asked,
    stores: { kv, cache } as unknown as SnapshotStores,
    clock,
    failures: [],
    reader: createSnapshotReader({ freshMs, hedgeMs, now: () => clock.nowMs }),
    read: (tenant = "acme") => shelf.reader.read(request(tenant)),
    async settle() {
      while (deferred.length > 0) await deferred.shift();
    },
  };
  return shelf;
}
