/** Where a mismatch is: the drill-down by what was known of units before they were assigned. */
import type { AttributeCell, LedgerCounts } from "../../model/ledger-counts.ts";
import { goodnessOfFit, homogeneity, stratified } from "../../stats/chi-square.ts";
import { holm } from "../../stats/holm.ts";
import { type Check, type Finding, percent, pValue } from "../check.ts";
import { plural, type Scene } from "../scene.ts";
import { type Stratum, strataOf, sum, testSplit } from "../split.ts";
import { baseStrata, ofSplit, type SplitScene } from "./split-scene.ts";

/** Which rule assigned somebody is no cause: that is known only afterwards. */
const afterwards: ReadonlySet<string> = new Set(["segment"]);

type Stage = "assigned" | "exposed";

interface Group {
  stage: Stage;
  name: string;
  value: string;
  units: number;
  deviation: number;
  /** After Holm's correction. */
  p: number;
  /** Of all units but these. */
  rest_p: number;
  is_localised: boolean;
}

export const platformSource: Check<Scene> = {
  id: "platform_source",
  title: "The mismatch is of one platform or source",
  thresholds: ["drill_p", "drill_min_units", "red_p"],
  fix: "Look at how units of this group are assigned and counted: a release, a content blocker, a bot, a way of sending that loses or repeats events. Where it is everywhere and the placebo splits are off too, look at ids and the pipeline instead.",
  find: ofSplit((scene): Finding => {
    const { counts, thresholds } = scene;
    const groups = (["assigned", "exposed"] as const).flatMap((stage) => groupsOf(scene, stage));
    const significant = groups.filter(({ p }) => p < thresholds.drill_p).sort((a, b) => b.rest_p - a.rest_p);
    const localised = significant.filter(({ is_localised }) => is_localised);
    const placebo = placebosOf(counts);
    const overall = (["assigned", "exposed"] as const).map((stage) => {
      return testSplit(
        baseStrata(scene, (cell) => cell[stage]),
        thresholds,
      );
    });
    const isRed = overall.some(({ verdict }) => verdict === "red");
    const evidence = {
      groups: groups.length,
      significant: significant.slice(0, 20).map((group) => ({ ...group })),
      localised: localised.map(({ name, value, stage }) => ({ name, value, stage })),
      placebo_p: placebo,
    };
    if (groups.length === 0 && !isRed) {
      const detail = `No group that is not everybody has ${plural(thresholds.drill_min_units, "unit")} yet.`;
      return { status: "insufficient_data", detail, evidence };
    }
    const [where] = localised;
    if (where !== undefined) {
      const detail = `Localised to ${where.name} = ${where.value}: p ${pValue(where.p)}, off by ${percent(where.deviation)} of its units; without it p is ${pValue(where.rest_p)}.`;
      return { status: "fail", detail, evidence };
    }
    const isPlaceboOff = placebo !== null && placebo < thresholds.red_p;
    if (isRed && isPlaceboOff) {
      const detail = `It is everywhere, and splits that mean nothing are off too (p ${pValue(placebo)}): look at ids and the pipeline.`;
      return { status: "fail", detail, evidence };
    }
    if (isRed) {
      const detail = "It is everywhere, while splits that mean nothing are even: the variation causes it.";
      return { status: "warn", detail, evidence };
    }
    if (significant.length > 0) {
      return { status: "warn", detail: `Off in ${plural(significant.length, "group")}, even in all.`, evidence };
    }
    return { status: "pass", detail: `None of ${plural(groups.length, "group")} is off.`, evidence };
  }),
  yieldsTo: () => [
    "custom_exposure",
    "traffic_split_changed",
    "variation_added",
    "variation_removed",
    "sticky_bucketing_toggled",
    "analysis_window",
    "individual_inclusions",
    "fallback_counted",
    "login_logout_churn",
  ],
};

function groupsOf(scene: SplitScene, stage: Stage): Group[] {
  const { counts, epochs, thresholds } = scene;
  const all = baseStrata(scene, (cell) => cell[stage]);
  const { units } = testSplit(all, thresholds);
  const byGroup = Map.groupBy(
    counts.attributes.filter(({ name, value }) => !afterwards.has(name) && value !== "(other)"),
    ({ name, value }) => JSON.stringify([name, value]),
  );
  const tested = [...byGroup].flatMap(([key, cells]) => {
    const strata = strataOf(cells, epochs, (cell: AttributeCell) => cell[stage]);
    const test = testSplit(strata, thresholds);
    // What everybody has in common sets nobody apart.
    if (test.units < thresholds.drill_min_units || test.units === units || test.chiSquare.df === 0) return [];
    return [{ key, strata, test }];
  });
  const corrected = holm(tested.map(({ test }) => test.chiSquare.p));
  const apart = holm(tested.map(({ strata }) => comparedWithRest(strata, all)));
  return tested.map(({ key, strata, test }, at) => {
    const [name, value] = JSON.parse(key) as [string, string];
    const rest = testSplit(without(all, strata), thresholds);
    const p = corrected[at] ?? 1;
    const isEven = rest.verdict !== "not_enough_data" && rest.chiSquare.p >= thresholds.drill_p;
    const isLocalised = p < thresholds.drill_p && isEven && (apart[at] ?? 1) < thresholds.drill_p;
    return {
      stage,
      name,
      value,
      units: test.units,
      deviation: test.deviation,
      p,
      rest_p: rest.chiSquare.p,
      is_localised: isLocalised,
    };
  });
}

/**
 * How likely the group's split and that of the rest are one and the same: a rest that is too small to be seen to be off is not
 * even for that.
 */
function comparedWithRest(part: readonly Stratum[], all: readonly Stratum[]): number {
  const tests = part.flatMap(({ epoch, counts }) => {
    const whole = all.find((stratum) => stratum.epoch === epoch)?.counts ?? {};
    const ids = Object.keys(whole);
    return [
      homogeneity(
        ids.map((id) => counts[id] ?? 0),
        ids.map((id) => whole[id] ?? 0),
      ),
    ];
  });
  return stratified(tests).p;
}

function without(all: readonly Stratum[], part: readonly Stratum[]): Stratum[] {
  return all.map((stratum) => {
    const counts = part.find(({ epoch }) => epoch === stratum.epoch)?.counts ?? {};
    const left = Object.entries(stratum.counts).map(([id, count]) => [id, Math.max(0, count - (counts[id] ?? 0))]);
    return { ...stratum, counts: Object.fromEntries(left) };
  });
}

/** The lower p of two splits in half that mean nothing, over what was exposed; null where nothing was. */
function placebosOf({ placebos }: LedgerCounts): number | null {
  const bits = [...Map.groupBy(placebos, ({ bit }) => bit).values()].map((halves) => {
    return [0, 1].map((value) => sum(halves.filter((half) => half.value === value).map(({ exposed }) => exposed)));
  });
  const used = bits.filter((halves) => sum(halves) > 0);
  return used.length === 0 ? null : Math.min(...used.map((halves) => goodnessOfFit(halves, [1, 1]).p));
}
