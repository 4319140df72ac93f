/**
 * The snapshot ladder: memory while fresh → stale memory, refreshed behind → KV → this colo's cache copy → nothing.
 * Steady state touches no store: it returns the value itself, not a promise.
 */
import { snapshotKey } from "../model/snapshot.ts";
import { type CompiledSnapshot, compileSnapshot } from "./compiled.ts";

/** A snapshot larger than this would cost more to parse than a decision may take. */
const maxBytes = 8 * 1024 * 1024;
/** Older memory than this is used only when KV does not answer: an isolate may sleep for hours. */
const staleMs = 10 * 60_000;
/** A refresh that has not ended by then is given up, and the next request starts another. */
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
}

interface Held {
  snapshot: CompiledSnapshot | null;
  /** When KV last said that this is the newest. */
  checkedAtMs: number;
  refreshStartedAtMs: number;
}

const cacheAddress = (tenant: string) => `https://snapshot.vestibule.invalid/${encodeURIComponent(tenant)}`;

async function readText(body: ReadableStream<Uint8Array>): Promise<string> {
  const reader = body.getReader();
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });
  let text = "";
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    size += value.byteLength;
    if (size > maxBytes) {
      await reader.cancel("too large");
      throw new Error(`snapshot larger than ${maxBytes} bytes`);
    }
    text += decoder.decode(value, { stream: true });
  }
}

function hasVersion(metadata: unknown): metadata is { version: number } {
  return typeof metadata === "object" && metadata !== null && "version" in metadata;
}

const reasonOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

export interface SnapshotReaderOptions {
  freshMs: number;
  /** How long KV may be slow before the next rung is tried beside it. */
  hedgeMs: number;
  now: () => number;
}

export function createSnapshotReader({ freshMs, hedgeMs, now }: SnapshotReaderOptions): SnapshotReader {
  const memory = new Map<string, Held>();

  /** Readers never step back a version: an older answer (KV is eventually consistent) leaves memory as it is. */
  function keep(tenant: string, snapshot: CompiledSnapshot | null): CompiledSnapshot | null {
    const held = memory.get(tenant);
    const newest = held?.snapshot && (!snapshot || snapshot.version < held.snapshot.version) ? held.snapshot : snapshot;
    memory.set(tenant, { snapshot: newest, checkedAtMs: now(), refreshStartedAtMs: 0 });
    return newest;
  }

  async function fromKv(request: SnapshotRequest): Promise<CompiledSnapshot | null> {
    const { tenant, stores, guard } = request;
    return guard("kv", async () => {
      const found = await stores.kv.getWithMetadata(snapshotKey(tenant), { type: "stream", cacheTtl: 30 });
      const held = memory.get(tenant)?.snapshot;
      if (!found.value) return keep(tenant, null);
      if (held && hasVersion(found.metadata) && found.metadata.version === held.version) {
        await found.value.cancel();
        return keep(tenant, held);
      }
      const text = await readText(found.value);
      const snapshot = keep(tenant, compileSnapshot(text, tenant));
      if (snapshot && snapshot !== held) {
        const copy = new Response(text, { headers: { "cache-control": `max-age=${cacheSeconds}` } });
        request.defer(guard("cache", () => stores.cache.put(cacheAddress(tenant), copy)).catch(() => {}));
      }
      return snapshot;
    });
  }

  async function fromCache({ tenant, stores, guard }: SnapshotRequest): Promise<CompiledSnapshot> {
    const copy = await guard("cache", () => stores.cache.match(cacheAddress(tenant)));
    if (!copy?.body) throw new Error("no copy in the cache");
    const snapshot = compileSnapshot(await readText(copy.body), tenant);
    // Used, but not remembered as checked: the next request asks KV again.
    const kept = keep(tenant, snapshot);
    memory.set(tenant, { snapshot: kept, checkedAtMs: now() - freshMs, refreshStartedAtMs: 0 });
    return kept ?? snapshot;
  }

  /** What is left when KV fails: memory however old, then this colo's copy. */
  async function fallBack(request: SnapshotRequest): Promise<CompiledSnapshot> {
    return memory.get(request.tenant)?.snapshot ?? fromCache(request);
  }

  /** KV first; the next rung when KV fails, or beside it once KV has been slow for half the budget. */
  async function climb(request: SnapshotRequest): Promise<CompiledSnapshot | null> {
    const kv = fromKv(request);
    const failed = kv.then(
      () => new Promise<never>(() => {}),
      (error) => request.onFailure(reasonOf(error)),
    );
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
    read(request) {
      const held = memory.get(request.tenant);
      if (!held) return climb(request);
      const age = now() - held.checkedAtMs;
      if (age < freshMs) return held.snapshot;
      if (age > staleMs || held.snapshot === null) return climb(request);
      if (now() - held.refreshStartedAtMs > refreshMs) {
        held.refreshStartedAtMs = now();
        request.defer(fromKv(request).catch((error) => request.onFailure(reasonOf(error))));
      }
      return held.snapshot;
    },
  };
}
