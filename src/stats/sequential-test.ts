/**
 * The sequential multinomial test of Lindon & Malek, "Anytime-Valid Inference for Multinomial Count Data"
 * (arXiv 2011.03567): may be looked at after every single unit, and is wrong no more often than it says.
 */

import { stirlingRest } from "./log-gamma.ts";
import { log1pRest } from "./log1p-rest.ts";

/** How sure the alternative is that shares are near the null's; the paper's and Optimizely's. */
export const defaultConcentration = 10_000;

/**
 * ln of the Bayes factor of Dirichlet(concentration · shares) over `shares` themselves:
 * ln Γ(Σα) − ln Γ(Σα + n) + Σ [ln Γ(αᵢ + xᵢ) − ln Γ(αᵢ)] − Σ xᵢ ln pᵢ. Written so, terms of size n ln n leave a
 * difference of size 1; by Stirling's formula, and with δᵢ by which αᵢ + xᵢ exceeds its expectation, they cancel on paper.
 * @param shares need not add up to one
 */
export function logBayesFactor(
  observed: readonly number[],
  shares: readonly number[],
  concentration = defaultConcentration,
): number {
  const n = observed.reduce((total, count) => total + count, 0);
  const whole = shares.reduce((total, share) => total + share, 0);
  const all = concentration + n;
  let cells = 0;
  let sum = stirlingRest(concentration) - stirlingRest(all);
  for (const [cell, count] of observed.entries()) {
    const share = (shares[cell] ?? 0) / whole;
    // What should have no share is seen under the alternative alone; what is not seen either is no cell.
    if (share === 0 && count > 0) return Number.POSITIVE_INFINITY;
    if (share === 0) continue;
    cells++;
    const alpha = concentration * share;
    const excess = (count - n * share) / (all * share);
    const logExcess = Math.log1p(excess);
    sum += all * share * (excess * logExcess + log1pRest(excess)) - 0.5 * logExcess;
    sum += stirlingRest(alpha + count) - stirlingRest(alpha);
  }
  return sum - 0.5 * (cells - 1) * Math.log1p(n / concentration);
}

/** @param highest the highest ln Bayes factor of all looks so far: a p-value that was once shown is never taken back */
export function sequentialP(highest: number): number {
  return Math.min(1, Math.exp(-highest));
}
