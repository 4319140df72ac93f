/**
 * A circuit breaker driven by timestamps alone: timers die with the request that set them in a Worker, and every
 * published breaker we tried needs one to close again.
 */

const bucketMs = 1_000;
const bucketCount = 10;
const minCalls = 20;
const failureShare = 0.5;
const firstPauseMs = 1_000;
const longestPauseMs = 30_000;

export type BreakerState = "closed" | "open" | "half_open";

export class BreakerOpenError extends Error {
  constructor(dependency: string) {
    super(`circuit of ${dependency} is open`);
    this.name = "BreakerOpenError";
  }
}

export interface Breaker {
  /**
   * Whether a call may be made now. Once the pause is over it lets a single probe through; the caller must report its
   * end with `record`.
   */
  admit(): boolean;
  record(ok: boolean): void;
  state(): BreakerState;
}

export interface BreakerOptions {
  now: () => number;
  /** 0 to 1, for the jitter. */
  random: () => number;
  /** Told when the circuit opens from closed. */
  onOpen?: () => void;
  /** A probe unanswered for so long counts as failed. */
  probeMs?: number;
}

/** Opens at ≥ 20 calls in 10 s of which ≥ 50% failed; probes once after 1 s, then 2, 4 … 30 s, each ± 20%. */
export function createBreaker({ now, random, onOpen, probeMs = 2_000 }: BreakerOptions): Breaker {
  const buckets = Array.from({ length: bucketCount }, () => ({ second: -1, calls: 0, failures: 0 }));
  let openUntilMs = 0;
  let pauseMs = 0;
  let probeSinceMs = 0;

  function bucket(second: number) {
    const found = buckets[second % bucketCount];
    if (!found) throw new Error("unreachable: the index is within the ring");
    if (found.second !== second) Object.assign(found, { second, calls: 0, failures: 0 });
    return found;
  }

  function open(): void {
    const wasClosed = pauseMs === 0;
    pauseMs = wasClosed ? firstPauseMs : Math.min(pauseMs * 2, longestPauseMs);
    openUntilMs = now() + pauseMs * (0.8 + 0.4 * random());
    probeSinceMs = 0;
    if (wasClosed) onOpen?.();
  }

  return {
    admit() {
      if (pauseMs === 0) return true;
      const at = now();
      if (at < openUntilMs) return false;
      if (probeSinceMs > 0 && at - probeSinceMs < probeMs) return false;
      probeSinceMs = at;
      return true;
    },
    record(ok) {
      const at = now();
      if (pauseMs > 0) {
        // A call that began before the circuit opened says nothing about now.
        if (probeSinceMs === 0) return;
        if (!ok) return open();
        pauseMs = 0;
        probeSinceMs = 0;
        for (const each of buckets) each.second = -1;
        return;
      }
      const second = Math.floor(at / bucketMs);
      const current = bucket(second);
      current.calls++;
      if (ok) return;
      current.failures++;
      let calls = 0;
      let failures = 0;
      for (const each of buckets) {
        if (each.second <= second - bucketCount || each.second < 0) continue;
        calls += each.calls;
        failures += each.failures;
      }
      if (calls >= minCalls && failures / calls >= failureShare) open();
    },
    state() {
      if (pauseMs === 0) return "closed";
      return now() < openUntilMs ? "open" : "half_open";
    },
  };
}
