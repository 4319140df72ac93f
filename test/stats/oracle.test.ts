/** A hundred thousand tables at random, against implementations that are not ours. */
import gammainc from "@stdlib/math-base-special-gammainc";
import gammaln from "@stdlib/math-base-special-gammaln";
import { expect, test } from "vitest";
import { goodnessOfFit, logSurvival, survival } from "../../src/stats/chi-square.ts";
import { logGamma } from "../../src/stats/log-gamma.ts";
import { logBayesFactor } from "../../src/stats/sequential-test.ts";
import { createRandom } from "../engine/random.ts";

const tables = 100_000;

/** Counts of 2 to 8 cells, near their shares in most tables and far from them in some. */
function* randomTables(count: number, seed: number): Generator<{ observed: number[]; shares: number[] }> {
  const random = createRandom(seed);
  for (let table = 0; table < count; table++) {
    const cells = 2 + random(7);
    const shares = Array.from({ length: cells }, () => 1 + random(100));
    const whole = shares.reduce((sum, share) => sum + share, 0);
    const total = 10 ** (1 + random(5));
    const noise = random(4) === 0 ? 0.5 : 3 / Math.sqrt(total);
    const observed = shares.map((share) =>
      Math.max(0, Math.round(((total * share) / whole) * (1 + noise * (random(2001) / 1000 - 1)))),
    );
    yield { observed, shares };
  }
}

function relativeError(actual: number, wanted: number): number {
  return wanted === 0 ? Math.abs(actual) : Math.abs(actual - wanted) / Math.abs(wanted);
}

test("chi-square's p of 100,000 tables", { timeout: 60_000 }, () => {
  let worst = 0;
  let compared = 0;
  for (const { observed, shares } of randomTables(tables, 7)) {
    const { statistic, df, p } = goodnessOfFit(observed, shares);
    const wanted = gammainc(statistic / 2, df / 2, true, true);
    // Where floats end there is nothing to compare relatively.
    if (wanted < 1e-300) continue;
    compared++;
    worst = Math.max(worst, relativeError(p, wanted));
  }
  expect(compared).toBeGreaterThan(tables / 2);
  expect(worst).toBeLessThan(1e-9);
});

test("survival at the degrees of freedom that epochs may add up to", { timeout: 60_000 }, () => {
  const random = createRandom(8);
  let worst = 0;
  for (let at = 0; at < 20_000; at++) {
    // From about 500 on this oracle is right to two digits only; golden.test.ts has values of 40 digits there.
    const df = 1 + random(at % 2 === 0 ? 20 : 400);
    const statistic = (df * random(4000)) / 1000;
    const wanted = gammainc(statistic / 2, df / 2, true, true);
    if (wanted >= 1e-300) worst = Math.max(worst, relativeError(survival(statistic, df), wanted));
    if (wanted > 1e-300 && wanted < 0.9) {
      worst = Math.max(worst, relativeError(logSurvival(statistic, df), Math.log(wanted)));
    }
  }
  expect(worst).toBeLessThan(1e-9);
});

test("the sequential test as the paper writes it, of tables small enough for that", { timeout: 60_000 }, () => {
  let worst = 0;
  for (const { observed, shares } of randomTables(tables, 9)) {
    const whole = shares.reduce((sum, share) => sum + share, 0);
    const n = observed.reduce((sum, count) => sum + count, 0);
    let wanted = gammaln(10_000) - gammaln(10_000 + n);
    observed.forEach((count, cell) => {
      const share = (shares[cell] ?? 0) / whole;
      wanted += gammaln(10_000 * share + count) - gammaln(10_000 * share) - count * Math.log(share);
    });
    // The paper's form loses digits in proportion to its terms.
    const lost = 1e-15 * gammaln(10_000 + n);
    worst = Math.max(
      worst,
      (Math.abs(logBayesFactor(observed, shares) - wanted) - 20 * lost) / Math.max(1, Math.abs(wanted)),
    );
  }
  expect(worst).toBeLessThan(1e-9);
});

test("ln Γ", () => {
  const random = createRandom(10);
  let worst = 0;
  for (let at = 0; at < 20_000; at++) {
    const z = (1 + random(1_000_000)) / 10 ** random(7);
    worst = Math.max(worst, Math.abs(logGamma(z) - gammaln(z)) / Math.max(1, Math.abs(gammaln(z))));
  }
  expect(worst).toBeLessThan(1e-13);
});
