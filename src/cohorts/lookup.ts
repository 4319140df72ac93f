/**
 * The cohorts that a subject is in, by the published index: memory, else one KV read for each kind of id. Keys are never
 * written twice, so that what is in memory never goes stale. Whatever cannot be read is a failure, never "in none".
 */
import type { CohortIdType } from "../model/cohort.ts";
import { memo } from "../model/memo.ts";
import { type CohortIndex, cohortShardKey } from "../model/snapshot.ts";
import { hashMember } from "./member-hash.ts";
import { decodeShard, type Shard, shardOf } from "./shard.ts";

/** Of a shard: some twenty times of what one usually has. More would be no shard, and would take too long to read. */
const maxShardBytes = 4 * 1024 * 1024;
const defaultMaxBytes = 16 * 1024 * 1024;
const cacheSeconds = 24 * 3600;
/** For a key that was missing, since KV remembers that too: it may be late in coming, but not by much. */
const missingCacheSeconds = 30;
/** What KV has under a key and is no shard is not looked at again for so long. */
const spareMs = 10_000;
const mostSpared = 1_000;
/** A read under way is joined only while it is this young: its request may be gone, and the read with it. */
const joinMs = 1_000;

export interface CohortLookup {
  tenant: string;
  index: CohortIndex;
  deviceId: string | null;
  userId: string | null;
  kv: KVNamespace;
  /** Runs a call behind KV's circuit breaker; rejects at once while that is open. */
  guard: <T>(dependency: "kv", call: () => Promise<T>) => Promise<T>;
  /** Keeps work alive after the answer: a read that comes late serves the next one. */
  defer?(work: Promise<unknown>): void;
}

export interface CohortReader {
  /**
   * Ids of the cohorts; at once when memory has the shards, else a promise.
   * @throws (by rejecting) when a shard cannot be read.
   */
  read(lookup: CohortLookup): string[] | Promise<string[]>;
}

const idTypesOf = memo((index: CohortIndex) => new Set(Object.values(index.ready).map(({ id_type }) => id_type)));

/** Null when there is more than a shard may have: the rest is not read. */
async function readBytes(body: ReadableStream<Uint8Array>): Promise<ArrayBuffer | null> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.byteLength;
    if (size > maxShardBytes) return null;
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes.buffer;
}

const reasonOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

export function createCohortReader({
  now,
  maxBytes = defaultMaxBytes,
}: {
  now: () => number;
  /** Of all shards in memory together. */
  maxBytes?: number;
}): CohortReader {
  /** By key, the one used last at the end. */
  const memory = new Map<string, Shard>();
  let heldBytes = 0;
  const underWay = new Map<string, { sinceMs: number; shard: Promise<Shard> }>();
  /** Keys under which there is nothing, or no shard. That is no fault of KV's, which all else needs. */
  const unreadable = new Map<string, { untilMs: number; reason: string }>();
  const hash = new Uint32Array(2);

  function keep(key: string, shard: Shard): void {
    if (shard.bytes > maxBytes || memory.has(key)) return;
    memory.set(key, shard);
    heldBytes += shard.bytes;
    for (const [oldest, { bytes }] of memory) {
      if (heldBytes <= maxBytes) break;
      memory.delete(oldest);
      heldBytes -= bytes;
    }
  }

  async function fetchShard(key: string, { kv, guard }: CohortLookup): Promise<Shard> {
    const spared = unreadable.get(key);
    if (spared && now() < spared.untilMs) throw new Error(spared.reason);
    const cacheTtl = spared ? missingCacheSeconds : cacheSeconds;
    const bytes = await guard("kv", async () => {
      const found = await kv.get(key, { type: "stream", cacheTtl });
      return found === null ? undefined : readBytes(found);
    });
    try {
      if (bytes === undefined) throw new Error("it is not there");
      if (bytes === null) throw new Error(`it has more than ${maxShardBytes} bytes`);
      const shard = decodeShard(bytes);
      unreadable.delete(key);
      keep(key, shard);
      return shard;
    } catch (error) {
      const reason = `${key}: ${reasonOf(error)}`;
      if (unreadable.size >= mostSpared) unreadable.clear();
      unreadable.set(key, { untilMs: now() + spareMs, reason });
      throw new Error(reason);
    }
  }

  function shardAt(key: string, lookup: CohortLookup): Shard | Promise<Shard> {
    const held = memory.get(key);
    if (held) {
      memory.delete(key);
      memory.set(key, held);
      return held;
    }
    const joined = underWay.get(key);
    if (joined && now() - joined.sinceMs < joinMs) return joined.shard;
    const shard = fetchShard(key, lookup);
    underWay.set(key, { sinceMs: now(), shard });
    const end = () => {
      if (underWay.get(key)?.shard === shard) underWay.delete(key);
    };
    const ended = shard.then(end, end);
    lookup.defer?.(ended);
    return shard;
  }

  function find(idType: CohortIdType, id: string, lookup: CohortLookup) {
    const { tenant, index } = lookup;
    hashMember(idType, id, hash, 0);
    const [low = 0, high = 0] = hash;
    const place = shardOf(high, index.bits);
    const shard = shardAt(cohortShardKey(tenant, index.generations[place] ?? 0, place), lookup);
    return shard instanceof Promise ? shard.then((read) => read.find(high, low)) : shard.find(high, low);
  }

  return {
    read(lookup) {
      const { index, userId, deviceId } = lookup;
      const idTypes = idTypesOf(index);
      const ofUser = userId !== null && idTypes.has("user") ? find("user", userId, lookup) : [];
      const ofDevice = deviceId !== null && idTypes.has("device") ? find("device", deviceId, lookup) : [];
      const all = (lists: readonly (readonly string[])[]) =>
        lists.flat().filter((id) => Object.hasOwn(index.ready, id));
      return ofUser instanceof Promise || ofDevice instanceof Promise
        ? Promise.all([ofUser, ofDevice]).then(all)
        : all([ofUser, ofDevice]);
    },
  };
}
