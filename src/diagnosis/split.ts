/** Counts by epoch against the shares of that epoch: what "a sample ratio mismatch" means here. */

import type { Thresholds } from "../model/diagnosis-thresholds.ts";
import type { Epoch } from "../model/epoch-history.ts";
import { type ChiSquare, goodnessOfFit, stratified } from "../stats/chi-square.ts";
import { logBayesFactor } from "../stats/sequential-test.ts";

/** Counts of one epoch, by variation; what has no share in it and no count is not there. */
export interface Stratum {
  epoch: number;
  shares: Readonly<Record<string, number>>;
  counts: Readonly<Record<string, number>>;
}

export type Verdict = "not_enough_data" | "green" | "yellow" | "red";

export interface SplitTest {
  /** Over the epochs with enough units. */
  chiSquare: ChiSquare;
  /** Over all epochs: it needs no minimum. */
  logBayesFactor: number;
  units: number;
  /** The most that a variation got beyond or below its share, in parts of all units. */
  deviation: number;
  verdict: Verdict;
}

interface Counted {
  epoch: number;
  variation_id: string;
}

/** Rows added up by epoch and variation; epochs whose shares nobody knows are left out. */
export function strataOf<Row extends Counted>(
  rows: readonly Row[],
  epochs: readonly Epoch[],
  count: (row: Row) => number,
): Stratum[] {
  const byEpoch = Map.groupBy(rows, ({ epoch }) => epoch);
  return epochs.flatMap(({ epoch, shares }) => {
    if (shares === null) return [];
    const counts: Record<string, number> = Object.fromEntries(Object.keys(shares).map((id) => [id, 0]));
    for (const row of byEpoch.get(epoch) ?? []) {
      const more = count(row);
      if (more > 0) counts[row.variation_id] = (counts[row.variation_id] ?? 0) + more;
    }
    return [{ epoch, shares, counts }];
  });
}

export function testSplit(strata: readonly Stratum[], thresholds: Thresholds): SplitTest {
  const cells = strata.map(cellsOf);
  const tested = cells.filter(({ units, shares }) => {
    const expected = shares.filter((share) => share > 0).map((share) => share * units);
    return expected.length > 1 && Math.min(...expected) >= thresholds.min_expected;
  });
  const chiSquare = stratified(tested.map(({ observed, shares }) => goodnessOfFit(observed, shares)));
  const units = total(cells, (each) => each.units);
  const deviation = deviationOf(strata, units);
  const isEnough = tested.length > 0 && total(tested, (each) => each.units) >= thresholds.min_units;
  return {
    chiSquare,
    logBayesFactor: sum(cells.map(({ observed, shares }) => logBayesFactor(observed, shares))),
    units,
    deviation,
    verdict: isEnough ? verdictOf(chiSquare.p, deviation, thresholds) : "not_enough_data",
  };
}

/** Red is what is both unlikely and large enough to matter; a million units make a trifle unlikely. */
function verdictOf(p: number, deviation: number, { red_p, yellow_p, min_deviation }: Thresholds): Verdict {
  if (p < red_p && deviation >= min_deviation) return "red";
  return p < yellow_p ? "yellow" : "green";
}

/** All epochs' counts as if the shares of the last had held throughout: what a single test of the totals does. */
export function pooled(strata: readonly Stratum[]): Stratum[] {
  const last = strata.at(-1);
  if (last === undefined) return [];
  return [{ ...last, counts: totalsOf(strata) }];
}

export function totalsOf(strata: readonly Stratum[]): Record<string, number> {
  const totals: Record<string, number> = {};
  for (const { counts } of strata) {
    for (const [id, count] of Object.entries(counts)) totals[id] = (totals[id] ?? 0) + count;
  }
  return totals;
}

/** With `more` units by variation, counted in the last epoch. */
export function withMore(strata: readonly Stratum[], more: Readonly<Record<string, number>>): Stratum[] {
  return strata.map((stratum, index) =>
    index < strata.length - 1 ? stratum : { ...stratum, counts: totalsOf([stratum, { ...stratum, counts: more }]) },
  );
}

function cellsOf({ shares, counts }: Stratum) {
  const ids = [...new Set([...Object.keys(shares), ...Object.keys(counts)])];
  const observed = ids.map((id) => counts[id] ?? 0);
  return { observed, shares: ids.map((id) => shares[id] ?? 0), units: sum(observed) };
}

function deviationOf(strata: readonly Stratum[], units: number): number {
  if (units === 0) return 0;
  const beyond: Record<string, number> = {};
  for (const stratum of strata) {
    const own = sum(Object.values(stratum.counts));
    for (const id of new Set([...Object.keys(stratum.shares), ...Object.keys(stratum.counts)])) {
      const excess = Math.abs((stratum.counts[id] ?? 0) - own * (stratum.shares[id] ?? 0));
      beyond[id] = (beyond[id] ?? 0) + excess;
    }
  }
  return Math.max(0, ...Object.values(beyond)) / units;
}

export function total<Row>(rows: readonly Row[], count: (row: Row) => number): number {
  return sum(rows.map(count));
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
