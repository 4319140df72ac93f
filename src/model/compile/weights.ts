/** Percentages and weights as the engine's ranges, bound for bound as Amplitude compiles them. */
import type { Allocation, Segment } from "../../engine/flag.ts";

/** Both bounds of the variant hash, `floor(hash / 100)`: the last range ends at one, starts are taken from the other. */
const END = 42949673;
const START = 42949672;
/** How many values the variant hash has. */
export const variantHashes = END;

export interface Weight {
  variant: string;
  /** Relative to the sum of all. */
  weight: number;
}

/**
 * The ranges of `floor(hash / 100)` that `weights` take, in their order; a weight of 0 takes none.
 * Neighbours may overlap by 1 or 2: the first that holds a value wins.
 */
export function distributions(weights: readonly Weight[]): Allocation["distributions"] {
  const total = weights.reduce((sum, { weight }) => sum + weight, 0);
  let before = 0;
  return weights
    .filter(({ weight }) => weight > 0)
    .map(({ variant, weight }) => {
      const start = Math.floor((before * START) / total);
      before += weight;
      return { variant, range: [start, Math.ceil((before * END) / total)] as const };
    });
}

/**
 * The part of an engine segment that splits its subjects: `percentage` (0–100) of them by `weights`, the rest `off`.
 * Where nothing is left to chance there is no bucket, so that a subject without an id gets the variant too.
 */
export function split(options: {
  percentage: number;
  weights: readonly Weight[];
  selector: readonly string[];
  salt: string;
}): Pick<Segment, "bucket" | "variant"> {
  const shares = distributions(options.weights);
  const [first, ...others] = shares;
  if (first === undefined || options.percentage <= 0) return { variant: "off" };
  if (others.length === 0 && options.percentage >= 100) return { variant: first.variant };
  return {
    bucket: {
      selector: options.selector,
      salt: options.salt,
      allocations: [{ range: [0, options.percentage], distributions: shares }],
    },
    variant: "off",
  };
}
