/** Token buckets, kept in memory: each key may go on at a steady rate, and save up for a burst. */

/** How fast a bucket fills, and how much it holds. */
export interface Allowance {
  perSecond: number;
  burst: number;
}

/** What is left of an allowance; times as the `X-RateLimit-…` and `Retry-After` headers give them. */
export interface Rate {
  isExceeded: boolean;
  limit: number;
  remaining: number;
  /** When the bucket is full again, in seconds since 1970. */
  resetAt: number;
  /** Seconds until the next is let through. */
  retryAfter: number;
}

export interface RateLimiter {
  take(key: string): Rate;
  /** Undoes a `take` that was let through. */
  giveBack(key: string): void;
}

/** More keys than this, and those whose bucket is full are forgotten, which changes nothing for them. */
const keysToSweepAt = 1_000;
const sweepPauseMs = 1_000;
/** Still more, and all begin anew: rather that than memory that grows with a flood. */
const mostKeys = 10_000;

/** @param now in milliseconds */
export function createRateLimiter({ perSecond, burst }: Allowance, now: () => number): RateLimiter {
  const intervalMs = 1_000 / perSecond;
  const burstMs = burst * intervalMs;
  /** When each bucket is full again; a bucket that is full is in here or not. */
  const fullAt = new Map<string, number>();

  let sweptAt = Number.NEGATIVE_INFINITY;

  function makeRoom(at: number): void {
    if (fullAt.size >= keysToSweepAt && at - sweptAt >= sweepPauseMs) {
      sweptAt = at;
      for (const [key, time] of fullAt) if (time <= at) fullAt.delete(key);
    }
    if (fullAt.size >= mostKeys) fullAt.clear();
  }

  return {
    take(key) {
      const at = now();
      if (!fullAt.has(key)) makeRoom(at);
      const before = Math.max(fullAt.get(key) ?? 0, at);
      const waitMs = before + intervalMs - at - burstMs;
      const isExceeded = waitMs > 0;
      const after = isExceeded ? before : before + intervalMs;
      fullAt.set(key, after);
      return {
        isExceeded,
        limit: burst,
        // Rounded first: an interval such as 1000 / 3 ms does not add up to whole seconds.
        remaining: Math.max(0, Math.floor(Number(((burstMs - (after - at)) / intervalMs).toFixed(6)))),
        resetAt: Math.ceil(after / 1_000),
        retryAfter: isExceeded ? Math.ceil(waitMs / 1_000) : 0,
      };
    },
    giveBack(key) {
      const time = fullAt.get(key);
      if (time !== undefined) fullAt.set(key, time - intervalMs);
    },
  };
}
