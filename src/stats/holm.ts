/**
 * Holm's step-down correction (1979): each p-value as it is after so many questions. Those below a level are
 * significant there, all together wrong no more often than one of them alone would be.
 */
export function holm(pValues: readonly number[]): number[] {
  const order = pValues.map((p, at) => ({ p, at })).sort((a, b) => a.p - b.p);
  const adjusted = pValues.map(() => 1);
  let highest = 0;
  order.forEach(({ p, at }, rank) => {
    highest = Math.max(highest, Math.min(1, p * (order.length - rank)));
    adjusted[at] = highest;
  });
  return adjusted;
}
