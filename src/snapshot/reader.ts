/**
 * The snapshot ladder: memory while fresh → stale memory, refreshed behind → KV → this colo's cache copy → nothing.
 * Steady state touches no store: it returns the value itself, not a promise.
 */
import { maxSnapshotBytes, snapshotKey } from "../model/snapshot.ts";
import { type CompiledSnapshot, compileSnapshot } from "./compiled.ts";

/**
 * Memory older than this is used only when KV does not answer: an isolate may sleep for hours, and what was committed
 * must be at the gate within a minute, even where visitors are few.
 */
const staleForMs = (freshMs: number) => 2 * freshMs;
/** After a failure, and while a refresh is under way, KV is left alone for so long, and memory serves. */
const refreshMs = 5_000;
const cacheSeconds = 7 * 24 * 3600;

export interface SnapshotStores {
  kv: KVNamespace;
  cache: Cache;
}

/** Runs a call to a store behind its circuit breaker; rejects at once while that is open. */
export type Guard = <T>(dependency: "kv" | "cache", call: () => Promise<T>) => Promise<T>;

export interface SnapshotRequest {
  tenant: string;
  stores: SnapshotStores;
  guard: Guard;
  /** Keeps work alive after the answer. */
  defer(work: Promise<unknown>): void;
  /** Told of every failed refresh, with the reason. */
  onFailure(reason: string): void;
}

export interface SnapshotReader {
  /**
   * The tenant's snapshot; at once when memory has it, else a promise. Null: KV answered that there is none.
   * @throws (by rejecting) when no rung of the ladder has one.
   */
  read(request: SnapshotRequest): CompiledSnapshot | null | Promise<CompiledSnapshot | null>;
  /** By tenant, what this isolate holds. */
  held(): Record<string, HeldSnapshot>;
  /** Whether KV has answered for what is held; false while only the last good one is left. */
  isConfirmed(tenant: string): boolean;
}

export interface HeldSnapshot {
  /** Null: nothing is published. */
  version: number | null;
  /** Since KV last said so. */
  age_seconds: number;
  /** Of the cohorts that are looked up, the one whose members were confirmed longest ago; absent where there are none. */
  oldest_cohort?: { id: string; age_seconds: number };
}

interface Held {
  snapshot: CompiledSnapshot | null;
  /** When KV last said that this is the newest. */
  checkedAtMs: number;
  /** When KV may be asked for a newer one. */
  askAgainAtMs: number;
  /** Whether KV answered when it was last asked. */
  isConfirmed: boolean;
}

/** What KV said. `unchanged`: the version that memory has. */
type Found = "nothing" | "unchanged" | { bytes: Uint8Array<ArrayBuffer> | null };

const cacheAddress = (tenant: string) => `https://snapshot.vestibule.invalid/${encodeURIComponent(tenant)}`;

/** Null when there is more than a snapshot may have: the rest is not read. */
async function readBytes(body: ReadableStream<Uint8Array>): Promise<Uint8Array<ArrayBuffer> | null> {
  const reader = body.getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.byteLength;
    if (size > maxSnapshotBytes) {
      await reader.cancel("too large");
      return null;
    }
    chunks.push(value);
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}

/** @throws when the bytes are no snapshot of this tenant's. */
function compileBytes(bytes: Uint8Array | null, tenant: string): CompiledSnapshot {
  if (!bytes) throw new Error(`snapshot larger than ${maxSnapshotBytes} bytes`);
  return compileSnapshot(new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes), tenant);
}

function hasVersion(metadata: unknown): metadata is { version: number } {
  return typeof metadata === "object" && metadata !== null && "version" in metadata;
}

function oldestCohort(snapshot: CompiledSnapshot | null, nowMs: number): Pick<HeldSnapshot, "oldest_cohort"> {
  const ages = Object.entries(snapshot?.cohorts?.ready ?? {}).map(([id, { refreshed_at }]) => ({
    id,
    age_seconds: Math.round((nowMs - Date.parse(refreshed_at)) / 1000),
  }));
  const [oldest] = ages.sort((one, other) => other.age_seconds - one.age_seconds);
  return oldest === undefined ? {} : { oldest_cohort: oldest };
}

const reasonOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

export interface SnapshotReaderOptions {
  freshMs: number;
  /** How long KV may be slow before the next rung is tried beside it. */
  hedgeMs: number;
  now: () => number;
}

export function createSnapshotReader({ freshMs, hedgeMs, now }: SnapshotReaderOptions): SnapshotReader {
  const staleMs = staleForMs(freshMs);
  const memory = new Map<string, Held>();
  /** Tenants whose value in KV is no snapshot. That is no fault of KV's, which the other tenants need. */
  const unreadable = new Map<string, { untilMs: number; reason: string }>();

  /** Readers never step back a version: an older answer (KV is eventually consistent) leaves memory as it is. */
  function keep(
    tenant: string,
    snapshot: CompiledSnapshot | null,
    { checkedAtMs, isConfirmed } = { checkedAtMs: now(), isConfirmed: true },
  ): CompiledSnapshot | null {
    const held = memory.get(tenant);
    const newest = held?.snapshot && (!snapshot || snapshot.version < held.snapshot.version) ? held.snapshot : snapshot;
    memory.set(tenant, {
      snapshot: newest,
      checkedAtMs: Math.max(checkedAtMs, held?.checkedAtMs ?? 0),
      askAgainAtMs: 0,
      isConfirmed,
    });
    return newest;
  }

  async function askKv(request: SnapshotRequest, held: CompiledSnapshot | null): Promise<Found> {
    const { tenant, stores, guard } = request;
    return guard<Found>("kv", async () => {
      const found = await stores.kv.getWithMetadata(snapshotKey(tenant), { type: "stream", cacheTtl: 30 });
      if (!found.value) return "nothing";
      if (!held || !hasVersion(found.metadata) || found.metadata.version !== held.version) {
        return { bytes: await readBytes(found.value) };
      }
      await found.value.cancel();
      return "unchanged";
    });
  }

  async function fromKv(request: SnapshotRequest): Promise<CompiledSnapshot | null> {
    const { tenant, stores, guard } = request;
    const spared = unreadable.get(tenant);
    if (spared && now() < spared.untilMs) throw new Error(spared.reason);
    const held = memory.get(tenant)?.snapshot ?? null;
    const found = await askKv(request, held);
    if (found === "nothing" || found === "unchanged") return keep(tenant, held);
    const { bytes } = found;
    let snapshot: CompiledSnapshot;
    try {
      snapshot = compileBytes(bytes, tenant);
    } catch (error) {
      unreadable.set(tenant, { untilMs: now() + freshMs, reason: reasonOf(error) });
      throw error;
    }
    if (snapshot.faults.length > 0) {
      const { version, faults } = snapshot;
      console.warn(JSON.stringify({ message: "snapshot has faults", tenant, version, faults: faults.slice(0, 10) }));
    }
    const kept = keep(tenant, snapshot);
    if (kept === snapshot) {
      const copy = new Response(bytes, { headers: { "cache-control": `max-age=${cacheSeconds}` } });
      request.defer(guard("cache", () => stores.cache.put(cacheAddress(tenant), copy)).catch(() => {}));
    }
    return kept;
  }

  async function fromCache({ tenant, stores, guard }: SnapshotRequest): Promise<CompiledSnapshot> {
    const bytes = await guard("cache", async () => {
      const copy = await stores.cache.match(cacheAddress(tenant));
      return copy?.body ? readBytes(copy.body) : undefined;
    });
    if (bytes === undefined) throw new Error("no copy in the cache");
    const snapshot = compileBytes(bytes, tenant);
    // Used, but not remembered as checked: the next request asks KV again.
    return keep(tenant, snapshot, { checkedAtMs: now() - freshMs, isConfirmed: false }) ?? snapshot;
  }

  /** What is left when KV fails: memory however old, then this colo's copy. */
  async function fallBack(request: SnapshotRequest): Promise<CompiledSnapshot | null> {
    const held = memory.get(request.tenant);
    if (!held) return fromCache(request);
    held.askAgainAtMs = now() + refreshMs;
    held.isConfirmed = false;
    return held.snapshot;
  }

  /** KV first; the next rung when KV fails, or beside it once KV has been slow for half the budget. */
  async function climb(request: SnapshotRequest): Promise<CompiledSnapshot | null> {
    const kv = fromKv(request);
    const failed = kv.then(
      () => new Promise<never>(() => {}),
      (error) => request.onFailure(reasonOf(error)),
    );
    // A KV slower than the budget fills memory all the same: the request that asked may be over by then.
    request.defer(kv.catch(() => {}));
    let timer: ReturnType<typeof setTimeout> | undefined;
    const slow = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, hedgeMs);
    });
    try {
      return await Promise.any([kv, Promise.race([failed, slow]).then(() => fallBack(request))]);
    } catch (error) {
      throw error instanceof AggregateError ? (error.errors[0] ?? error) : error;
    } finally {
      clearTimeout(timer);
    }
  }

  return {
    held: () =>
      Object.fromEntries(
        [...memory].map(([tenant, { snapshot, checkedAtMs }]) => [
          tenant,
          {
            version: snapshot?.version ?? null,
            age_seconds: Math.round((now() - checkedAtMs) / 1000),
            ...oldestCohort(snapshot, now()),
          },
        ]),
      ),
    read(request) {
      const held = memory.get(request.tenant);
      if (!held) return climb(request);
      const age = now() - held.checkedAtMs;
      if (age < freshMs || now() < held.askAgainAtMs) return held.snapshot;
      if (age > staleMs || held.snapshot === null) return climb(request);
      held.askAgainAtMs = now() + refreshMs;
      request.defer(
        fromKv(request).catch((error) => {
          held.isConfirmed = false;
          request.onFailure(reasonOf(error));
        }),
      );
      return held.snapshot;
    },
    isConfirmed: (tenant) => memory.get(tenant)?.isConfirmed ?? false,
  };
}
