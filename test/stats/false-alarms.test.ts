/** What is looked at every hour for 14 days, of experiments in which nothing is wrong. */
import { expect, test } from "vitest";
import { goodnessOfFit } from "../../src/stats/chi-square.ts";
import { differenceSequence, rateSequence } from "../../src/stats/confidence-sequence.ts";
import { logBayesFactor, sequentialP } from "../../src/stats/sequential-test.ts";
import { createRandom } from "../engine/random.ts";

const hours = 14 * 24;
const random = createRandom(2011);
const bits = () => random(2 ** 32);

function ones(word: number): number {
  let count = word - ((word >>> 1) & 0x55555555);
  count = (count & 0x33333333) + ((count >>> 2) & 0x33333333);
  return (((count + (count >>> 4)) & 0x0f0f0f0f) * 0x01010101) >>> 24;
}

/** Units of each variation in an hour of 128 visitors: exactly binomial, as each bit is a fair coin. */
function hourOf(share: 0.5 | 0.25): [number, number] {
  let first = 0;
  for (let word = 0; word < 4; word++) first += ones(share === 0.5 ? bits() : bits() & bits());
  return [first, 128 - first];
}

test("2,000 A/A experiments whose weights change midway: the sequential test alarms in less than 1% of them", {
  timeout: 60_000,
}, () => {
  const experiments = 2_000;
  let alarms = 0;
  let fixedAlarms = 0;
  for (let experiment = 0; experiment < experiments; experiment++) {
    const epochs = [
      { shares: [0.5, 0.5], share: 0.5 as const, counts: [0, 0] },
      { shares: [0.25, 0.75], share: 0.25 as const, counts: [0, 0] },
    ];
    let highest = 0;
    let lowest = 1;
    for (let hour = 0; hour < hours; hour++) {
      const epoch = epochs[hour < hours / 2 ? 0 : 1] as (typeof epochs)[0];
      epoch.counts = hourOf(epoch.share).map((count, cell) => count + (epoch.counts[cell] ?? 0));
      const evidence = epochs.reduce((sum, { counts, shares }) => sum + logBayesFactor(counts, shares), 0);
      highest = Math.max(highest, evidence);
      if (hour < hours / 2) lowest = Math.min(lowest, goodnessOfFit(epoch.counts, epoch.shares).p);
    }
    if (sequentialP(highest) < 0.01) alarms++;
    if (lowest < 0.01) fixedAlarms++;
  }
  expect(alarms / experiments).toBeLessThan(0.01);
  // The chi-square is made for one look: this is what looking at it hourly does, and that alarms can be seen here.
  expect(fixedAlarms / experiments).toBeGreaterThan(0.05);
});

test("intervals hold the truth at every look together, as often as they say", { timeout: 60_000 }, () => {
  const experiments = 500;
  const truth = 1 / 16;
  let rateMisses = 0;
  let differenceMisses = 0;
  for (let experiment = 0; experiment < experiments; experiment++) {
    const groups = [0, 0].map(() => ({ successes: 0, trials: 0 }));
    let holdsRate = true;
    let holdsDifference = true;
    for (let hour = 0; hour < hours; hour++) {
      for (const group of groups) {
        group.trials += 64;
        group.successes += ones(bits() & bits() & bits() & bits()) + ones(bits() & bits() & bits() & bits());
      }
      const [first, second] = groups as [(typeof groups)[0], (typeof groups)[0]];
      const rate = rateSequence(first);
      holdsRate &&= rate.low <= truth && truth <= rate.high;
      const difference = differenceSequence(first, second);
      holdsDifference &&= difference === null || (difference.low <= 0 && 0 <= difference.high);
    }
    if (!holdsRate) rateMisses++;
    if (!holdsDifference) differenceMisses++;
  }
  expect(rateMisses / experiments).toBeLessThan(0.05);
  expect(differenceMisses / experiments).toBeLessThan(0.05);
});

test("and they say something once there is something to say", () => {
  const difference = differenceSequence({ successes: 1200, trials: 10_000 }, { successes: 1000, trials: 10_000 });
  expect(difference?.low).toBeGreaterThan(0);
  expect(differenceSequence({ successes: 4, trials: 10_000 }, { successes: 1000, trials: 10_000 })).toBeNull();
  expect(rateSequence({ successes: 0, trials: 0 })).toEqual({ low: 0, high: 1 });
  const { low, high } = rateSequence({ successes: 500, trials: 10_000 });
  expect(low).toBeGreaterThan(0.04);
  expect(high).toBeLessThan(0.06);
  expect(rateSequence({ successes: 0, trials: 1000 })).toMatchObject({ low: 0 });
  expect(rateSequence({ successes: 1000, trials: 1000 })).toMatchObject({ high: 1 });
});
