/** How experiments before this one went: what is off in all of them is no experiment's own fault. */
import { type Check, noLedger } from "../check.ts";
import { plural, type Scene } from "../scene.ts";
import { testSplit } from "../split.ts";
import { baseStrata, ofSplit } from "./split-scene.ts";

export const firstExperiment: Check<Scene> = {
  id: "first_experiment",
  title: "What earlier experiments say",
  thresholds: ["systemic_red", "systemic_of"],
  fix: "Run an A/A experiment, two variations that are the same page: what is off there is the instrumentation.",
  find: ofSplit((scene) => {
    const { record, verdicts, thresholds } = scene;
    if (verdicts === null) return noLedger;
    const kept = new Map(verdicts.map((each) => [each.experiment_id, each.verdict]));
    const told = record.ended_before.flatMap(({ id, name }) => {
      const verdict = kept.get(id) ?? "not_enough_data";
      return verdict === "not_enough_data" ? [] : [{ id, name, verdict }];
    });
    const last = told.slice(0, thresholds.systemic_of);
    const red = last.filter(({ verdict }) => verdict === "red");
    const isRed = (["assigned", "exposed"] as const).some((stage) => {
      return (
        testSplit(
          baseStrata(scene, (cell) => cell[stage]),
          thresholds,
        ).verdict === "red"
      );
    });
    const evidence = { completed: last, red: red.length, this_one_is_red: isRed };
    if (last.length === 0) {
      const detail = "None has been completed before.";
      return isRed
        ? {
            status: "fail",
            detail: `${detail} This one is off: where no other check tells why, it may be the instrumentation.`,
            evidence,
          }
        : { status: "warn", detail, evidence };
    }
    if (red.length >= thresholds.systemic_red) {
      const detail = `${red.length} of the last ${last.length} were off: it is systemic.`;
      return { status: isRed ? "fail" : "warn", detail, evidence };
    }
    return { status: "pass", detail: `${plural(last.length, "experiment")} before, ${red.length} off.`, evidence };
  }),
  // What has a cause of its own needs none that is general.
  yieldsTo: () => [
    "custom_exposure",
    "traffic_split_changed",
    "variation_added",
    "variation_removed",
    "sticky_bucketing_toggled",
    "analysis_window",
    "individual_inclusions",
    "fallback_counted",
    "variant_jumping",
    "login_logout_churn",
    "missing_exposure",
    "assignment_exposure_funnel",
    "platform_source",
  ],
};
