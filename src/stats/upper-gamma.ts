/** The upper regularised incomplete gamma function Q(a, x) = Γ(a, x) / Γ(a), as its logarithm: floats end at 1e-308, counts do not. */

import { stirlingRest } from "./log-gamma.ts";
import { log1pRest } from "./log1p-rest.ts";

const epsilon = 2 ** -53;
const logOfTwoPi = 1.8378770664093453;

/** ln Q(a, x) for a > 0 and x ≥ 0. */
export function logUpperGamma(a: number, x: number): number {
  if (Number.isNaN(x)) return Number.NaN;
  if (x <= 0) return 0;
  if (x === Number.POSITIVE_INFINITY) return Number.NEGATIVE_INFINITY;
  // Where Q is the smaller part it is computed itself, never as what the other part leaves of one.
  return x < a + 1 ? Math.log1p(-lowerSeries(a, x)) : logPrefix(a, x) + Math.log(upperFraction(a, x));
}

/** ln (x^a e^−x / Γ(a)), its large terms cancelled beforehand. */
function logPrefix(a: number, x: number): number {
  const stirling = 0.5 * (Math.log(a) - logOfTwoPi) - stirlingRest(a);
  const distance = (x - a) / a;
  return a * log1pRest(distance) + stirling;
}

/** P(a, x) = x^a e^−x / Γ(a) · Σ xⁿ / (a (a + 1) … (a + n)) */
function lowerSeries(a: number, x: number): number {
  let term = 1 / a;
  let sum = term;
  for (let n = 1; term > sum * epsilon; n++) {
    term *= x / (a + n);
    sum += term;
  }
  return Math.exp(logPrefix(a, x)) * sum;
}

/** Γ(a, x) / (x^a e^−x) as a continued fraction, by Lentz's method (NIST DLMF 8.9.2). */
function upperFraction(a: number, x: number): number {
  let b = x + 1 - a;
  let c = Number.POSITIVE_INFINITY;
  let d = 1 / b;
  let fraction = d;
  for (let n = 1, factor = 0; Math.abs(factor - 1) > epsilon; n++) {
    const numerator = -n * (n - a);
    b += 2;
    d = 1 / (numerator * d + b);
    c = b + numerator / c;
    factor = c * d;
    fraction *= factor;
    if (n > 100_000) break;
  }
  return fraction;
}
