/** Keeps a flood of one warning from becoming a flood of messages. */
const windowMs = 10_000;
const perWindow = 20;

export interface Limiter {
  /** Whether this one may be written. */
  admit(key: string): boolean;
}

export function createLimiter(now: () => number): Limiter {
  const counts = new Map<string, number>();
  let windowStartMs = 0;
  return {
    admit(key) {
      if (now() - windowStartMs > windowMs) {
        counts.clear();
        windowStartMs = now();
      }
      const count = (counts.get(key) ?? 0) + 1;
      counts.set(key, count);
      return count <= perWindow;
    },
  };
}
