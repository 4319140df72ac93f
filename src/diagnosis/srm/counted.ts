/** Mismatches in what is counted: counted as it should be, they are none. */
import type { Cell } from "../../model/ledger-counts.ts";
import { type Check, type Finding, percent, pValue } from "../check.ts";
import { baseOf, nameOf, type Scene } from "../scene.ts";
import { strataOf, sum, total, withMore } from "../split.ts";
import { baseStrata, explains, isTooFew, ofSplit, shownTest, tested, tooFew } from "./split-scene.ts";

const exposedOf = ({ exposed }: Cell) => exposed;

export const customExposure: Check<Scene> = {
  id: "custom_exposure",
  title: "Exposures of your own",
  thresholds: ["red_p", "explained_p", "early_share"],
  fix: "Count by the exposures that the gate and SDKs report: they come when a variation is shown. If you keep your own event, send it at the moment the subject sees the variation, of all variations alike.",
  find: ofSplit((scene) => {
    const { base, thresholds } = scene;
    const exposed = total(base, exposedOf);
    const ofYours = total(base, (cell) => cell.exposed_custom);
    const early = total(base, (cell) => cell.early);
    const custom = tested(
      baseStrata(scene, (cell) => cell.exposed_custom),
      scene,
    );
    const seen = tested(
      baseStrata(scene, (cell) => cell.exposed_edge),
      scene,
    );
    // Where all exposures are your own, the assignments are what else there is.
    const edge = isTooFew(seen)
      ? tested(
          baseStrata(scene, ({ assigned }) => assigned),
          scene,
        )
      : seen;
    const evidence = { exposed, exposed_custom: ofYours, early, custom: shownTest(custom), edge: shownTest(edge) };
    if (ofYours === 0) return { status: "pass", detail: "There are none.", evidence };
    const share = `${percent(ofYours / exposed)} of the exposed units have an exposure event of your own`;
    if (exposed >= thresholds.min_units && early / exposed > thresholds.early_share) {
      const detail = `${share}, and ${percent(early / exposed)} were exposed before they were assigned.`;
      return { status: "fail", detail, evidence };
    }
    const ps = `${pValue(custom.test.chiSquare.p)}, by what the edge saw ${pValue(edge.test.chiSquare.p)}`;
    if (explains(custom, edge, scene)) return { status: "fail", detail: `${share}; by them p is ${ps}.`, evidence };
    return { status: "warn", detail: `${share}; by them p is ${ps}: they are not to blame.`, evidence };
  }),
};

export const analysisWindow: Check<Scene> = {
  id: "analysis_window",
  title: "Only a part of the time is looked at",
  thresholds: ["red_p", "explained_p"],
  fix: "Look at the whole time, from the first assignment to the last exposure: leave out from and to. Where units of one variation come back more often, a later part holds more of them.",
  find: ofSplit((scene) => {
    const { window, windowed, counts, record } = scene;
    if (window === null) return { status: "pass", detail: "The whole time is looked at." };
    const all = baseOf(counts);
    const first = all.flatMap((cell) => cell.first_assigned_at ?? []).sort()[0] ?? null;
    const last =
      all
        .flatMap((cell) => cell.last_exposed_at ?? [])
        .sort()
        .at(-1) ?? null;
    const isCut =
      (first !== null && window.from !== undefined && window.from > first) ||
      (last !== null && window.to !== undefined && window.to < last);
    const evidence = { ...window, first_assigned_at: first, last_exposed_at: last };
    if (!isCut) return { status: "pass", detail: "It is the whole time.", evidence };
    if (windowed === null) return { status: "insufficient_data", detail: "The ledger cannot be reached.", evidence };
    const within = baseOf(windowed);
    const naive = tested(strataOf(within, record.epochs, exposedOf), scene);
    const right = tested(strataOf(all, record.epochs, exposedOf), scene);
    const returning = Object.fromEntries(
      [...Map.groupBy(within, ({ variation_id }) => variation_id)].map(([id, cells]) => [
        id,
        total(cells, (cell) => cell.before),
      ]),
    );
    const more = { ...evidence, returning, window: shownTest(naive), whole: shownTest(right) };
    if (isTooFew(naive)) return tooFew(naive, more);
    const detail = `Exposed in the window: p ${pValue(naive.test.chiSquare.p)}; in the whole time: p ${pValue(right.test.chiSquare.p)}.`;
    return { status: explains(naive, right, scene) ? "fail" : "warn", detail, evidence: more };
  }),
};

export const individualInclusions: Check<Scene> = {
  id: "individual_inclusions",
  title: "Individuals are included by hand",
  thresholds: ["inclusions_warn_share", "inclusions_fail_share", "red_p", "explained_p", "min_units"],
  fix: "Those included were not drawn by lot: leave them out of the analysis, and take them out of the flag's rollout.inclusions but for a few testers.",
  find: ofSplit((scene): Finding => {
    const { counts, base, epochs, thresholds } = scene;
    const known = new Set(epochs.map(({ epoch }) => epoch));
    const included = counts.cells.filter(({ method, epoch }) => method === "inclusion" && known.has(epoch));
    const byHand = total(included, ({ assigned }) => assigned);
    const all = byHand + total(base, ({ assigned }) => assigned);
    const right = tested(
      baseStrata(scene, ({ assigned }) => assigned),
      scene,
    );
    const naive = tested(
      strataOf([...base, ...included], epochs, ({ assigned }) => assigned),
      scene,
    );
    const evidence = { included: byHand, assigned: all, with_them: shownTest(naive), without_them: shownTest(right) };
    if (byHand === 0) return { status: "pass", detail: "None is.", evidence };
    if (all < thresholds.min_units) return tooFew(naive, evidence);
    const share = byHand / all;
    const detail = `${percent(share)} of the units are included by hand; with them p is ${pValue(naive.test.chiSquare.p)}, without them ${pValue(right.test.chiSquare.p)}.`;
    const isTooMany = share >= thresholds.inclusions_fail_share || explains(naive, right, scene);
    if (isTooMany) return { status: "fail", detail, evidence };
    return { status: share >= thresholds.inclusions_warn_share ? "warn" : "pass", detail, evidence };
  }),
};

export const fallbackCounted: Check<Scene> = {
  id: "fallback_counted",
  title: "A fallback is counted as an exposure",
  thresholds: ["fallback_share", "red_p", "explained_p"],
  fix: "Where a variation cannot be fetched in time and the default is shown, send no exposure: that page is not part of the experiment. Our SDK addresses and the gate never count it.",
  find: ofSplit((scene): Finding => {
    const { counts, base, record, thresholds } = scene;
    const strays: Record<string, number> = {};
    for (const { variation_id, units } of counts.unassigned) strays[variation_id] = (strays[variation_id] ?? 0) + units;
    const strata = baseStrata(scene, exposedOf);
    const right = tested(strata, scene);
    const naive = tested(withMore(strata, strays), scene);
    const all = sum(Object.values(strays));
    const control = record.variations.find(({ is_control }) => is_control)?.id ?? "";
    const toControl = strays[control] ?? 0;
    const controlExposed =
      total(
        base.filter(({ variation_id }) => variation_id === control),
        exposedOf,
      ) + toControl;
    const evidence = {
      unassigned: strays,
      control_exposed: controlExposed,
      with_them: shownTest(naive),
      without_them: shownTest(right),
    };
    if (all === 0) return { status: "pass", detail: "Every exposed unit was assigned.", evidence };
    if (isTooFew(naive)) return tooFew(naive, evidence);
    const most = Object.entries(strays).sort((a, b) => b[1] - a[1])[0]?.[0] ?? "";
    const detail = `${all} exposed units were never assigned, most of them told as "${nameOf(scene, most)}"; with them p is ${pValue(naive.test.chiSquare.p)}, without them ${pValue(right.test.chiSquare.p)}.`;
    if (explains(naive, right, scene)) return { status: "fail", detail, evidence };
    const isMuch = controlExposed > 0 && toControl / controlExposed > thresholds.fallback_share;
    return { status: isMuch ? "warn" : "pass", detail, evidence };
  }),
};
