/** Values worked out elsewhere to 40 digits, and what the sample ratio's reference lists, to 1e-9 relative. */
import { expect, test } from "vitest";
import { goodnessOfFit, homogeneity, logSurvival, stratified, survival } from "../../src/stats/chi-square.ts";
import { holm } from "../../src/stats/holm.ts";
import { logGamma } from "../../src/stats/log-gamma.ts";
import { criticalValue } from "../../src/stats/normal.ts";
import { unitsToSeeDeviation, unitsToSeeDifference } from "../../src/stats/power.ts";
import { compareProportions, wilsonInterval } from "../../src/stats/proportions.ts";
import { logBayesFactor, sequentialP } from "../../src/stats/sequential-test.ts";

function expectClose(actual: number, wanted: number, relative = 1e-9): void {
  expect(Math.abs(actual - wanted), `${actual} for ${wanted}`).toBeLessThanOrEqual(relative * Math.abs(wanted));
}

test.each([
  { observed: [1000, 1200], shares: [0.5, 0.5], p: 2.00786561242648e-5 },
  { observed: [135, 115], shares: [0.5, 0.5], p: 0.205903210732068 },
  { observed: [310, 98], shares: [0.75, 0.25], p: 0.647434185701797 },
  { observed: [500, 500, 600], shares: [0.34, 0.33, 0.33], p: 0.000592637931527318 },
  { observed: [0, 10, 10], shares: [0.34, 0.33, 0.33], p: 0.00579062440342319 },
  { observed: [502, 498], shares: [0.5, 0.5], p: 0.899343188561366 },
  { observed: [600, 400], shares: [0.5, 0.5], p: 2.53962858947086e-10 },
  { observed: [9463, 7681], shares: [0.5, 0.5], p: 3.50219227304859e-42 },
])("chi-square of $observed against $shares", ({ observed, shares, p }) => {
  expectClose(goodnessOfFit(observed, shares).p, p);
  // Shares are relative, and the order of cells says nothing.
  const backwards = goodnessOfFit(observed.toReversed(), shares.map((share) => share * 3).toReversed());
  expectClose(backwards.p, p);
});

test("survival keeps its digits where a cumulative probability has none left", () => {
  expectClose(survival(10.83, 1), 0.000998686379180259);
  expectClose(survival(200, 1), 2.08848758376254e-45);
  expectClose(survival(1400, 1), 2.10101451626422e-306);
  expectClose(survival(1040, 1000), 0.184691149098744);
  expectClose(survival(2012.976, 1997), 0.396404975842448);
  expectClose(survival(2698.465, 1505), 8.37989515633088e-71);
  expectClose(survival(21_000, 20_000), 4.27587245505965e-7);
});

test("its logarithm goes on where floats end", () => {
  expect(survival(2000, 1)).toBe(0);
  expectClose(logSurvival(2000, 1), -1004.02674195895);
  expectClose(logSurvival(1_000_000, 1), -500007.133547632);
  expect(logSurvival(0, 3)).toBe(0);
  expect(logSurvival(Number.POSITIVE_INFINITY, 3)).toBe(Number.NEGATIVE_INFINITY);
});

test("what should get nobody and gets somebody fits with no probability; what gets nobody either is no cell", () => {
  expect(goodnessOfFit([50, 50, 1], [1, 1, 0])).toMatchObject({ statistic: Number.POSITIVE_INFINITY, p: 0 });
  expect(goodnessOfFit([60, 40, 0], [1, 1, 0])).toEqual(goodnessOfFit([60, 40], [1, 1]));
  expect(goodnessOfFit([10], [1])).toMatchObject({ df: 0, p: 1 });
  expect(goodnessOfFit([0, 0], [1, 1])).toMatchObject({ statistic: 0, df: 1, p: 1 });
});

test("epochs add up: a change of weights is no mismatch in either, though the total is one against the last weights", () => {
  const epochs = [goodnessOfFit([5020, 4980], [50, 50]), goodnessOfFit([6010, 3990], [60, 40])];
  expect(stratified(epochs)).toMatchObject({ df: 2 });
  expect(stratified(epochs).p).toBeGreaterThan(0.5);
  expect(goodnessOfFit([11_030, 8970], [60, 40]).p).toBeLessThan(1e-30);
});

test.each([
  { observed: [5200, 4800], shares: [0.5, 0.5], logBf: 3.65388066574255, p: 0.0258904613503479 },
  { observed: [510_000, 490_000], shares: [0.5, 0.5], logBf: 195.725356299283, p: 9.94392386899163e-86 },
  { observed: [9300, 700], shares: [0.9, 0.1], logBf: 25.9304319318475, p: 5.47717350468494e-12 },
  { observed: [5000, 5000], shares: [0.5, 0.5], logBf: -0.346586090279936, p: 1 },
  { observed: [1000, 1200], shares: [0.5, 0.5], logBf: 1.54012215808968, p: 0.214354914640661 },
  { observed: [3, 0, 1], shares: [0.9998, 0.0001, 0.0001], logBf: -0.000299895006996775, p: 1 },
  { observed: [50_000_000, 49_950_000], shares: [0.5, 0.5], logBf: 7.9000075038829, p: 0.000370740758453412 },
])("sequential test of $observed against $shares", ({ observed, shares, logBf, p }) => {
  expectClose(logBayesFactor(observed, shares), logBf);
  if (p < 1) expectClose(sequentialP(logBf), p);
  else expect(sequentialP(logBf)).toBe(1);
});

test("the sequential test of nothing says nothing, and of the impossible everything", () => {
  expect(logBayesFactor([0, 0], [0.5, 0.5])).toBeCloseTo(0, 15);
  expect(logBayesFactor([5, 5, 1], [1, 1, 0])).toBe(Number.POSITIVE_INFINITY);
  expect(sequentialP(Number.POSITIVE_INFINITY)).toBe(0);
  expect(logBayesFactor([5, 7, 0], [1, 1, 0])).toBe(logBayesFactor([5, 7], [1, 1]));
});

test.each([
  [0.001, 6.90717888538385],
  [0.5, 0.5723649429247],
  [7.3, 7.14789252302225],
  [100, 359.134205369575],
  [10_000, 82099.7174964424],
  [1e10, 220258509288.811],
])("ln Γ(%f)", (z, wanted) => {
  expectClose(logGamma(z), wanted, 1e-13);
});

test.each([
  [0.5, 0],
  [0.2, 0.841621233572914],
  [0.025, 1.95996398454005],
  [0.0005, 3.29052673149193],
  [1e-10, 6.36134090240406],
])("the normal's critical value of %f", (tail, wanted) => {
  expect(criticalValue(tail)).toBeCloseTo(wanted, 9);
});

test.each([
  [0.001, 4268661.70129731],
  [0.003, 474295.74458859],
  [0.005, 170746.468051892],
  [0.01, 42686.6170129731],
])("units to see half the traffic off by %f", (deviation, units) => {
  expectClose(unitsToSeeDeviation({ share: 0.5, deviation }), units);
});

test("units of each group to tell 10% from 12% at the usual level", () => {
  // 3839, rounded up, by the unpooled formula of the textbooks.
  expect(unitsToSeeDifference({ rate: 0.1, difference: 0.02 })).toBeCloseTo(3838.102, 3);
});

test("two rates: z² is the chi-square of their 2×2 table", () => {
  const { z, p } = compareProportions({ successes: 480, trials: 1000 }, { successes: 530, trials: 1000 });
  const table = homogeneity([480, 530], [1000, 1000]);
  expectClose(z ** 2, table.statistic);
  expectClose(p, table.p);
  expect(z).toBeLessThan(0);
  expect(homogeneity([48, 53, 51], [100, 100, 100])).toMatchObject({ df: 2 });
  expect(homogeneity([48, 53, 0], [100, 100, 0])).toMatchObject({ df: 1 });
  for (const [a, b] of [
    [0, 0],
    [100, 100],
  ] as const) {
    expect(compareProportions({ successes: a, trials: 100 }, { successes: b, trials: 100 }).p).toBe(1);
    expect(homogeneity([a, b], [100, 100]).p).toBe(1);
  }
  expect(compareProportions({ successes: 0, trials: 0 }, { successes: 5, trials: 10 }).p).toBe(1);
});

test("Wilson's interval", () => {
  const { low, high } = wilsonInterval({ successes: 10, trials: 100 });
  expect(low).toBeCloseTo(0.05522913706, 10);
  expect(high).toBeCloseTo(0.1743656615, 10);
  expect(wilsonInterval({ successes: 0, trials: 20 })).toMatchObject({ low: 0 });
  expect(wilsonInterval({ successes: 20, trials: 20 })).toMatchObject({ high: 1 });
  expect(wilsonInterval({ successes: 0, trials: 0 })).toEqual({ low: 0, high: 1 });
});

test("Holm's correction", () => {
  expect(holm([0.01, 0.04, 0.03, 0.005])).toEqual([0.03, 0.06, 0.06, 0.02]);
  expect(holm([0.7, 0.8])).toEqual([1, 1]);
  expect(holm([])).toEqual([]);
});
