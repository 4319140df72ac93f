/** Rates of two groups, and one rate's interval, for a single look. */
import { criticalValue, logTwoSided } from "./normal.ts";

/** How many of how many. */
export interface Proportion {
  successes: number;
  trials: number;
}

export interface Interval {
  low: number;
  high: number;
}

/** The pooled two-proportion z-test, two-sided. Groups that cannot differ do not: p is 1. */
export function compareProportions(a: Proportion, b: Proportion): { z: number; p: number } {
  const rate = (a.successes + b.successes) / (a.trials + b.trials);
  const variance = rate * (1 - rate) * (1 / a.trials + 1 / b.trials);
  if (!(variance > 0) || !Number.isFinite(variance)) return { z: 0, p: 1 };
  const z = (a.successes / a.trials - b.successes / b.trials) / Math.sqrt(variance);
  return { z, p: Math.exp(logTwoSided(z)) };
}

/** Wilson's score interval (1927): holds its level at rates near 0 and 1 too, and never leaves [0, 1]. */
export function wilsonInterval({ successes, trials }: Proportion, alpha = 0.05): Interval {
  if (trials === 0) return { low: 0, high: 1 };
  const square = criticalValue(alpha / 2) ** 2;
  const rate = successes / trials;
  const center = (rate + square / (2 * trials)) / (1 + square / trials);
  const half = Math.sqrt((square / trials) * (rate * (1 - rate) + square / (4 * trials))) / (1 + square / trials);
  return {
    low: successes === 0 ? 0 : Math.max(0, center - half),
    high: successes === trials ? 1 : Math.min(1, center + half),
  };
}
