/**
 * Intervals that may be looked at any time: with probability 1 − alpha they hold the truth at every look together, so
 * that stopping when one says something is no fault.
 */
import { logGamma } from "./log-gamma.ts";
import type { Interval, Proportion } from "./proportions.ts";

/**
 * Of a rate: every p against which the evidence never came to 1/alpha, which by Ville's inequality the true one stays
 * under for ever with probability 1 − alpha. The evidence is the likelihood of all rates alike over that of p
 * (Robbins, "Statistical methods related to the law of the iterated logarithm", 1970; the multinomial of Lindon & Malek,
 * arXiv 2011.03567, has it for k = 2). Exact from the first unit on.
 */
export function rateSequence({ successes, trials }: Proportion, alpha = 0.05): Interval {
  if (trials === 0) return { low: 0, high: 1 };
  const failures = trials - successes;
  const mixture = logGamma(successes + 1) + logGamma(failures + 1) - logGamma(trials + 2);
  const isTenable = (p: number) => {
    const logLikelihood =
      (successes === 0 ? 0 : successes * Math.log(p)) + (failures === 0 ? 0 : failures * Math.log1p(-p));
    return mixture - logLikelihood < -Math.log(alpha);
  };
  const rate = successes / trials;
  return {
    low: successes === 0 ? 0 : boundary(0, rate, isTenable),
    high: failures === 0 ? 1 : boundary(1, rate, isTenable),
  };
}

/** The last tenable value on the way from one that is to one that is not. */
function boundary(untenable: number, tenable: number, isTenable: (p: number) => boolean): number {
  let outside = untenable;
  let inside = tenable;
  for (let step = 0; step < 60; step++) {
    const middle = (outside + inside) / 2;
    if (isTenable(middle)) inside = middle;
    else outside = middle;
  }
  return inside;
}

/** Where the interval of a difference is made the narrowest: at so many units of both groups together. */
const tunedForUnits = 10_000;

/**
 * Of the difference of two groups' rates, first less second: the asymptotic confidence sequence of Robbins' normal
 * mixture (Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas, "Time-uniform central limit theory and asymptotic
 * confidence sequences", Annals of Statistics 2024, arXiv 2103.06476, theorem 2.2 and, for randomised experiments,
 * section 3). Sound once each group has some successes and failures; before that there is none to be had: null.
 */
export function differenceSequence(first: Proportion, second: Proportion, alpha = 0.05): Interval | null {
  if (![first, second].every(isEnough)) return null;
  const units = first.trials + second.trials;
  const variance = (varianceOf(first) + varianceOf(second)) * units;
  const reach = -2 * Math.log(alpha);
  const rhoSquared = (reach + Math.log(reach + 1)) / tunedForUnits;
  const mixed = units * rhoSquared + 1;
  const half = Math.sqrt(((2 * variance * mixed) / (units * units * rhoSquared)) * Math.log(Math.sqrt(mixed) / alpha));
  const difference = first.successes / first.trials - second.successes / second.trials;
  return { low: Math.max(-1, difference - half), high: Math.min(1, difference + half) };
}

const minOfEach = 5;

function isEnough({ successes, trials }: Proportion): boolean {
  return successes >= minOfEach && trials - successes >= minOfEach;
}

function varianceOf({ successes, trials }: Proportion): number {
  const rate = successes / trials;
  return (rate * (1 - rate)) / trials;
}
