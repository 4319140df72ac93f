/**
 * ln(1 + x) − x for x > −1, to full precision where x is small: there both are the same but for the digits that matter.
 */
export function log1pRest(x: number): number {
  if (Math.abs(x) > 0.3) return Math.log1p(x) - x;
  // With r = x / (2 + x): ln(1 + x) = 2 (r + r³/3 + r⁵/5 + …), and x = 2r + rx.
  const r = x / (2 + x);
  const square = r * r;
  let sum = 0;
  let power = square;
  for (let odd = 3; power > 1e-18; odd += 2) {
    sum += power / odd;
    power *= square;
  }
  return r * (2 * sum - x);
}
