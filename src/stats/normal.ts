import { logUpperGamma } from "./upper-gamma.ts";

const logOfTwoPi = 1.8378770664093453;

/** ln P(|Z| ≥ z) of a standard normal Z. */
export function logTwoSided(z: number): number {
  return logUpperGamma(0.5, (z * z) / 2);
}

/** The z ≥ 0 that a standard normal exceeds with probability `tail`, of at most ½. */
export function criticalValue(tail: number): number {
  const wanted = Math.log(2 * tail);
  let z = 0;
  // ln P is concave: past the first step Newton's way comes down to the root from above, and stops where it would rise.
  for (let step = 0; step < 100; step++) {
    const logP = logTwoSided(z);
    const slope = -2 * Math.exp(-(z * z + logOfTwoPi) / 2 - logP);
    const next = z - (logP - wanted) / slope;
    if (step > 0 && next >= z) break;
    z = next;
  }
  return z;
}
