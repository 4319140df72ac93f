/** Pearson's chi-square: do counts fit the shares they should have, or the same shares in all columns? */
import { logUpperGamma } from "./upper-gamma.ts";

export interface ChiSquare {
  statistic: number;
  df: number;
  /** 0 below 1e-308, where `logP` still tells. */
  p: number;
  /** Natural logarithm of p. */
  logP: number;
}

/** ln P(χ² ≥ statistic) */
export function logSurvival(statistic: number, df: number): number {
  return logUpperGamma(df / 2, statistic / 2);
}

/** P(χ² ≥ statistic) */
export function survival(statistic: number, df: number): number {
  return Math.exp(logSurvival(statistic, df));
}

/** Without a degree of freedom nothing could have differed: p is 1. */
export function chiSquareOf(statistic: number, df: number): ChiSquare {
  const logP = df < 1 ? 0 : logSurvival(statistic, df);
  return { statistic, df, p: Math.exp(logP), logP };
}

/**
 * Goodness of fit: `observed` counts against `shares`, which need not add up to one. What should have no share and
 * has counts fits with no probability at all; what has neither is no cell.
 */
export function goodnessOfFit(observed: readonly number[], shares: readonly number[]): ChiSquare {
  const total = sum(observed);
  const whole = sum(shares);
  let statistic = 0;
  let cells = 0;
  observed.forEach((count, cell) => {
    const expected = (total * (shares[cell] ?? 0)) / whole;
    if (expected > 0) statistic += (count - expected) ** 2 / expected;
    else if (count > 0) statistic = Number.POSITIVE_INFINITY;
    if ((shares[cell] ?? 0) > 0) cells++;
  });
  return chiSquareOf(statistic, cells - 1);
}

/** Tests of independent strata as one: statistics and degrees of freedom add up. */
export function stratified(tests: readonly ChiSquare[]): ChiSquare {
  return chiSquareOf(sum(tests.map(({ statistic }) => statistic)), sum(tests.map(({ df }) => df)));
}

/** Of `successes` among `trials`, by column: is the rate the same in all? A column without trials says nothing. */
export function homogeneity(successes: readonly number[], trials: readonly number[]): ChiSquare {
  const all = sum(trials);
  const rate = sum(successes) / all;
  const used = trials.filter((n) => n > 0).length;
  if (used < 2 || rate === 0 || rate === 1) return chiSquareOf(0, used < 2 ? 0 : used - 1);
  let statistic = 0;
  trials.forEach((n, column) => {
    if (n > 0) statistic += ((successes[column] ?? 0) - n * rate) ** 2 / (n * rate * (1 - rate));
  });
  return chiSquareOf(statistic, used - 1);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
