/** How many units it takes to see something. */
import { criticalValue } from "./normal.ts";

export interface Level {
  /** How often a look may be wrong where there is nothing. */
  alpha: number;
  /** How often it shall be right where there is something. */
  power: number;
}

/**
 * Units of an experiment after which a variation that gets `share + deviation` instead of `share` is seen, by a
 * two-sided test at a single look.
 */
export function unitsToSeeDeviation(
  { share, deviation }: { share: number; deviation: number },
  { alpha, power }: Level = { alpha: 0.001, power: 0.8 },
): number {
  return (reach(alpha, power) / deviation) ** 2 * share * (1 - share);
}

/** Units of each of two groups after which their rates, `rate` and `rate + difference`, are told apart. */
export function unitsToSeeDifference(
  { rate, difference }: { rate: number; difference: number },
  { alpha, power }: Level = { alpha: 0.05, power: 0.8 },
): number {
  const other = rate + difference;
  return (reach(alpha, power) / difference) ** 2 * (rate * (1 - rate) + other * (1 - other));
}

function reach(alpha: number, power: number): number {
  return criticalValue(alpha / 2) + criticalValue(1 - power);
}
