/** Brings the newest snapshot into KV: at once, and again until it is there. */
import type { Job } from "../alarms/alarm.ts";
import { within } from "../alarms/deadline.ts";
import { answerMs, createRetried } from "../alarms/retried.ts";
import { maxSnapshotBytes, snapshotKey } from "../model/snapshot.ts";
import { guardAfter } from "./guard.ts";
import type { Facts } from "./store.ts";

/** KV takes one write a second of a key. */
const putIntervalMs = 1_000;
/** So long after the end of an object's life, what it had on its way has landed or never will. */
const settledMs = 60_000;

/** A snapshot as it is stored. */
export interface Built {
  version: number;
  text: string;
  bytes: number;
}

export interface PublisherOptions {
  kv: KVNamespace;
  facts(): Partial<Facts>;
  remember(facts: Partial<Facts>): void;
  /** That of the newest version. */
  built(): Built;
  now: () => number;
  random: () => number;
  /** Told that the publisher, of itself, has something to do. */
  onWanted(): void;
}

export function createPublisher(options: PublisherOptions): Job {
  const { kv, facts, remember, built, now, random, onWanted } = options;
  const key = () => snapshotKey(facts().tenant ?? "");
  let lastPutAt = Date.parse(facts().published?.at ?? "") || 0;
  /** Whether this life of the object has looked at what KV holds. */
  let isCompared = false;
  /** Whether a put may be on its way whose end was not seen, such as one of an earlier life. */
  let isInDoubt = isPending(facts());
  /** Puts that were given up on, and have not ended. */
  let unended = 0;
  if (facts().hasUnended) remember({ hasUnended: false, confirmAt: now() + settledMs });

  function wantedAt(): number | null {
    return isPending(facts()) ? guardAfter(facts()) : (facts().confirmAt ?? null);
  }

  /**
   * Readers never step back a version. So where KV is ahead of us, as it may be of an object restored from an earlier
   * point, or where the namespace has been used before, the newest version becomes one above it.
   */
  async function compare(): Promise<void> {
    const held = await within(answerMs, kv.getWithMetadata(key(), { type: "text" }));
    const { version, text, bytes } = built();
    const labelled = versionIn(held.metadata);
    isCompared = true;
    if (held.value === text) {
      // Ours: the object stopped between the put and the note of it.
      if (labelled === version) note({ version, bytes }, facts().confirmAt ?? null);
      return;
    }
    const ahead = Math.max(labelled, versionIn(parsed(held.value)));
    if (ahead >= version) remember({ version: ahead + 1 });
  }

  /** @param confirmAt as the fact, unless a put is on its way still */
  function note({ version, bytes }: Pick<Built, "version" | "bytes">, confirmAt: number | null): void {
    remember({
      published: { version, at: new Date(now()).toISOString(), bytes },
      confirmAt: isInDoubt ? now() + settledMs : confirmAt,
    });
    isInDoubt = false;
  }

  async function put(): Promise<void> {
    const waitMs = Math.min(lastPutAt + putIntervalMs - now(), putIntervalMs);
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    const startedAt = now();
    lastPutAt = startedAt;
    const { version, text, bytes } = built();
    try {
      await within(answerMs, kv.put(key(), text, { metadata: { version } }), {
        onGivenUp() {
          unended++;
          remember({ hasUnended: true });
        },
        onLate() {
          unended--;
          // It may have landed on a newer one.
          remember({ hasUnended: unended > 0, confirmAt: now() });
          if (!isPending(facts())) onWanted();
        },
      });
    } catch (error) {
      isInDoubt = true;
      throw error;
    }
    const { confirmAt = null } = facts();
    note({ version, bytes }, confirmAt !== null && confirmAt <= startedAt ? null : confirmAt);
  }

  async function work(): Promise<void> {
    for (;;) {
      const isDue = isPending(facts()) || (facts().confirmAt ?? Number.POSITIVE_INFINITY) <= now();
      if (!isDue) return;
      if (isCompared) await put();
      else await compare();
    }
  }

  return createRetried({
    failure: () => ({ message: "snapshot not published yet", tenant: facts().tenant }),
    wantedAt,
    work,
    retry: () => facts().publishing ?? null,
    rememberRetry: (publishing) => remember({ publishing }),
    now,
    random,
  });
}

/** Whether something is committed that KV is not known to hold. */
export function isPending({ version = 0, published }: Partial<Facts>): boolean {
  return version > 0 && published?.version !== version;
}

/** 0 where there is none that could be counted on from. */
function versionIn(value: unknown): number {
  const version = (value as { version?: unknown } | null | undefined)?.version;
  return Number.isSafeInteger(version) && version !== Number.MAX_SAFE_INTEGER ? (version as number) : 0;
}

function parsed(text: string | null): unknown {
  if (text === null || text.length > maxSnapshotBytes) return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
