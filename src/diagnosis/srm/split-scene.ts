/** What the checks of a sample ratio mismatch share: who is asked at all, and how a test is shown. */
import type { Epoch } from "../../model/epoch-history.ts";
import type { Cell, LedgerCounts } from "../../model/ledger-counts.ts";
import { type CheckResult, type Finding, noLedger } from "../check.ts";
import { baseOf, epochsIn, plural, type Scene } from "../scene.ts";
import { type SplitTest, type Stratum, strataOf, sum, testSplit, totalsOf } from "../split.ts";

export interface SplitScene extends Scene {
  counts: LedgerCounts;
  /** Those within the window. */
  epochs: readonly Epoch[];
  /** Assigned by hash, within these epochs. */
  base: readonly Cell[];
}

/** A check of a split by chance: of none, or of one that nobody can count now, it says so. */
export function ofSplit(find: (scene: SplitScene) => Finding): (scene: Scene) => Finding {
  return (scene) => {
    const { record, counts, window } = scene;
    if (record.experiment.allocation_strategy !== "percentage") {
      return { status: "not_applicable", detail: "Segments are all or nothing: no ratio is intended." };
    }
    if (counts === null) return noLedger;
    const epochs = epochsIn(record.epochs, window);
    const known = new Set(epochs.map(({ epoch }) => epoch));
    return find({ ...scene, counts, epochs, base: baseOf(counts).filter(({ epoch }) => known.has(epoch)) });
  };
}

/** Counts of the base set, by epoch. */
export function baseStrata({ base, epochs }: SplitScene, count: (cell: Cell) => number): Stratum[] {
  return strataOf(base, epochs, count);
}

export interface Tested {
  strata: readonly Stratum[];
  test: SplitTest;
}

export function tested(strata: readonly Stratum[], { thresholds }: Scene): Tested {
  return { strata, test: testSplit(strata, thresholds) };
}

/** Whether what was counted naively is off, and is so no more once it is put right. */
export function explains(naive: Tested, right: Tested, { thresholds }: Scene): boolean {
  const isKnown = [naive, right].every(({ test }) => test.verdict !== "not_enough_data");
  return isKnown && naive.test.chiSquare.p < thresholds.red_p && right.test.chiSquare.p >= thresholds.explained_p;
}

export function isTooFew({ test }: Tested): boolean {
  return test.verdict === "not_enough_data";
}

export function tooFew({ test }: Tested, evidence: CheckResult["evidence"]): Finding {
  return { status: "insufficient_data", detail: `${plural(test.units, "unit")} so far.`, evidence };
}

/** A test as evidence: what was observed and expected, and how likely that is. */
export function shownTest({ strata, test }: Tested) {
  const observed = totalsOf(strata);
  const expected: Record<string, number> = {};
  for (const { shares, counts } of strata) {
    const units = sum(Object.values(counts));
    for (const [id, share] of Object.entries(shares)) expected[id] = (expected[id] ?? 0) + share * units;
  }
  return {
    units: test.units,
    p: test.chiSquare.p,
    df: test.chiSquare.df,
    variations: [...new Set([...Object.keys(expected), ...Object.keys(observed)])].map((id) => ({
      variation_id: id,
      observed: observed[id] ?? 0,
      expected: expected[id] ?? 0,
    })),
  };
}
