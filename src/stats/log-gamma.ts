/** The logarithm of the gamma function, and the part of it that is left when its large terms have cancelled. */

/** Of Stirling's series 1/12z − 1/360z³ + …, Bernoulli numbers B₂ₖ / 2k(2k − 1); the rest is below 1e-17 from `enough` on. */
const series = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156, -3617 / 122400] as const;
const enough = 12;

const halfLogOfTwoPi = 0.9189385332046728;

/**
 * ln Γ(z) less Stirling's (z − ½) ln z − z + ½ ln 2π, for z > 0. Differences of ln Γ at a million must be right to
 * 1e-9, while ln Γ itself is of size 1e7 there, a millionth of whose last digit is not: who needs one takes the large
 * terms apart by hand and adds this.
 */
export function stirlingRest(z: number): number {
  let rest = 0;
  let x = z;
  // ln Γ(x) = ln Γ(x + 1) − ln x
  for (; x < enough; x++) rest += (x + 0.5) * Math.log1p(1 / x) - 1;
  const square = 1 / (x * x);
  let sum = 0;
  for (let term = series.length - 1; term >= 0; term--) sum = sum * square + (series[term] ?? 0);
  return rest + sum / x;
}

/** For z > 0. */
export function logGamma(z: number): number {
  // Below ½ the large terms of either sign would take each other's digits.
  if (z < 0.5) return logGamma(z + 1) - Math.log(z);
  return (z - 0.5) * Math.log(z) - z + halfLogOfTwoPi + stirlingRest(z);
}
