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

/** Tells how a call ended. Only the first word counts: a call that was slow stays slow, whatever it answers. */
export type EndOfCall = (ok: boolean) => void;

export interface Breaker {
  /** Null while no call may be made. Once the pause is over it lets a single probe through. */
  admit(): EndOfCall | null;
  state(): BreakerState;
}

export interface BreakerOptions {
  now: () => number;
  /** 0 to 1, for the jitter. */
  random: () => number;
  /** Told when the circuit opens from closed. */
  onOpen?: () => void;
  /** A probe unanswered for so long is forgotten, since its request may be gone, and another is let through. */
  probeMs?: number;
}

/** Opens at ≥ 20 calls in 10 s of which ≥ 50% failed; probes once after 1 s, then 2, 4 … 30 s, each ± 20%. */
export function createBreaker({ now, random, onOpen, probeMs = 2_000 }: BreakerOptions): Breaker {
  const buckets = Array.from({ length: bucketCount }, () => ({ second: -1, calls: 0, failures: 0 }));
  let openUntilMs = 0;
  let pauseMs = 0;
  let probe: { sinceMs: number } | null = null;
  /** Counts openings and closings: a call that began before one says nothing about now. */
  let era = 0;

  function bucket(second: number) {
    const found = buckets[second % bucketCount];
    if (!found) throw new Error("unreachable: the index is within the ring");
    if (found.second !== second) Object.assign(found, { second, calls: 0, failures: 0 });
    return found;
  }

  function open(): void {
    const wasClosed = pauseMs === 0;
    pauseMs = wasClosed ? firstPauseMs : Math.min(pauseMs * 2, longestPauseMs);
    // The jitter lies below the longest pause, never above it.
    openUntilMs = now() + Math.min(pauseMs * (0.8 + 0.4 * random()), longestPauseMs);
    probe = null;
    era++;
    if (wasClosed) onOpen?.();
  }

  function close(): void {
    pauseMs = 0;
    probe = null;
    era++;
    for (const each of buckets) each.second = -1;
  }

  function count(ok: boolean): void {
    const second = Math.floor(now() / bucketMs);
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
  }

  return {
    admit() {
      const began = era;
      let ended = false;
      const once = (end: EndOfCall): EndOfCall => {
        return (ok) => {
          if (!ended && began === era) end(ok);
          ended = true;
        };
      };
      if (pauseMs === 0) return once(count);
      const at = now();
      if (at < openUntilMs || (probe && at - probe.sinceMs < probeMs)) return null;
      const mine = { sinceMs: at };
      probe = mine;
      return once((ok) => {
        if (ok) close();
        else if (probe === mine) open();
      });
    },
    state() {
      if (pauseMs === 0) return "closed";
      return now() < openUntilMs ? "open" : "half_open";
    },
  };
}
