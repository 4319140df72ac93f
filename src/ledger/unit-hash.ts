/** What is decided by a unit's hash, each by a salt of its own, so that none tells anything about another. */
import { murmur3 } from "../engine/murmur3.ts";

/** Which of an experiment's shards counts it. */
export function shardOf(unit: string, shards: number): number {
  return shards === 1 ? 0 : murmur3(`shard/${unit}`) % shards;
}

/** Whether it is in a slice of one in 2^`halvings`; what is in a slice is in every larger one. */
export function isInSlice(unit: string, halvings: number): boolean {
  return halvings === 0 || murmur3(`slice/${unit}`) < 2 ** (32 - halvings);
}

/** Two bits that nothing depends on. */
export function placeboOf(unit: string): readonly [0 | 1, 0 | 1] {
  const hash = murmur3(`placebo/${unit}`);
  return [(hash & 1) as 0 | 1, ((hash >>> 1) & 1) as 0 | 1];
}
