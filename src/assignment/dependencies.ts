/** Every call to something that may fail goes through here: one circuit breaker for each, failures and slowness counted. */
import { type Breaker, BreakerOpenError, type BreakerState, createBreaker } from "./breaker.ts";

export const dependencyNames = ["kv", "cache", "queue", "crypto", "jwks"] as const;
export type DependencyName = (typeof dependencyNames)[number];

/** Nobody waits for the queue: it is used behind the answer, and a send that takes its time is no fault. */
const waitedFor = (dependency: DependencyName) => dependency !== "queue";

const worstFirst: readonly BreakerState[] = ["open", "half_open", "closed"];

/** Nothing is awaited longer than this, not even after the answer is on its way. */
const giveUpMs = 5_000;

export interface Dependencies {
  /**
   * Runs the call unless its circuit is open. A call that a visitor waits for and that takes longer than `slowMs` counts
   * as failed at that moment, whether it ever answers or not; the caller waits on, within its own budget, and is let go
   * after `giveUpMs`.
   * @param part which of several that fail each by itself, with a circuit of its own: an address from the settings
   * @throws {BreakerOpenError} at once while the circuit is open.
   */
  guard<T>(dependency: DependencyName, call: () => Promise<T>, part?: string): Promise<T>;
  /** Of a dependency with parts the worst. */
  states(): Record<DependencyName, BreakerState>;
}

export interface DependencyOptions {
  now: () => number;
  random: () => number;
  slowMs: number;
  onOpen(dependency: DependencyName, part: string | undefined): void;
}

export function createDependencies({ now, random, slowMs, onOpen }: DependencyOptions): Dependencies {
  const create = (name: DependencyName, part?: string) =>
    createBreaker({ now, random, onOpen: () => onOpen(name, part) });
  const byName = <T>(of: (name: DependencyName) => T) =>
    Object.fromEntries(dependencyNames.map((name) => [name, of(name)])) as Record<DependencyName, T>;
  const breakers = byName((name) => create(name));
  const parts = byName(() => new Map<string, Breaker>());

  function breakerOf(name: DependencyName, part: string | undefined): Breaker {
    if (part === undefined) return breakers[name];
    const known = parts[name].get(part);
    if (known !== undefined) return known;
    const breaker = create(name, part);
    parts[name].set(part, breaker);
    return breaker;
  }

  function stateOf(name: DependencyName): BreakerState {
    const states = [breakers[name], ...parts[name].values()].map((breaker) => breaker.state());
    return worstFirst.find((state) => states.includes(state)) ?? "closed";
  }

  return {
    async guard(dependency, call, part) {
      const end = breakerOf(dependency, part).admit();
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
    states: () => byName(stateOf),
  };
}
