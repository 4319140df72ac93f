/** Every call to something that may fail goes through here: one circuit breaker for each, failures and slowness counted. */
import { type Breaker, BreakerOpenError, type BreakerState, createBreaker } from "./breaker.ts";

export const dependencyNames = ["kv", "cache", "queue", "crypto", "jwks"] as const;
export type DependencyName = (typeof dependencyNames)[number];

/** Nobody waits for the queue: it is used behind the answer, and a send that takes its time is no fault. */
const waitedFor = (dependency: DependencyName) => dependency !== "queue";

/** Nothing is awaited longer than this, not even after the answer is on its way. */
const giveUpMs = 5_000;

export interface Dependencies {
  /**
   * Runs the call unless its circuit is open. A call that a visitor waits for and that takes longer than `slowMs` counts
   * as failed at that moment, whether it ever answers or not; the caller waits on, within its own budget, and is let go
   * after `giveUpMs`.
   * @throws {BreakerOpenError} at once while the circuit is open.
   */
  guard<T>(dependency: DependencyName, call: () => Promise<T>): Promise<T>;
  states(): Record<DependencyName, BreakerState>;
}

export interface DependencyOptions {
  now: () => number;
  random: () => number;
  slowMs: number;
  onOpen(dependency: DependencyName): void;
}

export function createDependencies({ now, random, slowMs, onOpen }: DependencyOptions): Dependencies {
  const breakers = Object.fromEntries(
    dependencyNames.map((name) => [name, createBreaker({ now, random, onOpen: () => onOpen(name) })]),
  ) as Record<DependencyName, Breaker>;

  return {
    async guard(dependency, call) {
      const end = breakers[dependency].admit();
      if (!end) throw new BreakerOpenError(dependency);
      const slow = waitedFor(dependency) ? setTimeout(() => end(false), slowMs) : undefined;
      let giveUp: ReturnType<typeof setTimeout> | undefined;
      const tooLong = new Promise<never>((_, reject) => {
        giveUp = setTimeout(() => reject(new Error(`${dependency} did not answer in ${giveUpMs} ms`)), giveUpMs);
      });
      try {
        const value = await Promise.race([call(), tooLong]);
        end(true);
        return value;
      } catch (error) {
        end(false);
        throw error;
      } finally {
        clearTimeout(slow);
        clearTimeout(giveUp);
      }
    },
    states: () =>
      Object.fromEntries(dependencyNames.map((name) => [name, breakers[name].state()])) as Record<
        DependencyName,
        BreakerState
      >,
  };
}
