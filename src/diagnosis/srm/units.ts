/** What happens to units between their assignment, their exposure and their log-in. */
import type { Thresholds } from "../../model/diagnosis-thresholds.ts";
import type { Cell } from "../../model/ledger-counts.ts";
import { type ChiSquare, chiSquareOf, homogeneity, stratified } from "../../stats/chi-square.ts";
import { holm } from "../../stats/holm.ts";
import { type Check, noLedger, percent, pValue } from "../check.ts";
import { nameOf, plural, type Scene } from "../scene.ts";
import { sum, total } from "../split.ts";
import { ofSplit } from "./split-scene.ts";

export const variantJumping: Check<Scene> = {
  id: "variant_jumping",
  title: "Units are exposed to several variations",
  thresholds: ["jumping_warn_share", "jumping_fail_share", "min_units"],
  fix: "By a change of the configuration: do not change the split of a running experiment, or make it sticky. By several devices of one user: split by user_id where users are known. Otherwise a client does not keep its device id, or shows something else than it was given.",
  find({ counts, thresholds }) {
    if (counts === null) return noLedger;
    const of = (count: (cell: Cell) => number) => total(counts.cells, count);
    const exposed = of((cell) => cell.exposed);
    const jumped = of((cell) => cell.jumped);
    const byConfiguration = of((cell) => cell.jumped_configuration);
    const byIdentity = of((cell) => cell.jumped_identity);
    const evidence = {
      exposed,
      jumped,
      by_configuration: byConfiguration,
      by_identity: byIdentity,
      unexplained: jumped - byConfiguration - byIdentity,
    };
    if (exposed < thresholds.min_units) {
      return { status: "insufficient_data", detail: `${plural(exposed, "unit")} exposed so far.`, evidence };
    }
    const share = jumped / exposed;
    const detail = `${percent(share)} of the exposed units saw more than one variation.`;
    if (share > thresholds.jumping_fail_share) return { status: "fail", detail, evidence };
    return { status: share >= thresholds.jumping_warn_share ? "warn" : "pass", detail, evidence };
  },
  yieldsTo({ evidence: { jumped = 0, by_configuration = 0, by_identity = 0 } = {} }) {
    const most = Number(jumped) / 2;
    if (Number(by_configuration) > most) {
      return ["traffic_split_changed", "variation_added", "variation_removed", "sticky_bucketing_toggled"];
    }
    return Number(by_identity) > most ? ["login_logout_churn"] : [];
  },
};

export const loginLogoutChurn: Check<Scene> = {
  id: "login_logout_churn",
  title: "Users come with ever new devices",
  thresholds: ["churn_share", "churn_p", "min_units"],
  fix: "Each log-out that throws the device id away makes a new unit of the same user. Keep the vst_did cookie when logging out, or split by user_id. Where one variation does it more than others, the variation causes it: see what its page does to the session.",
  find: ofSplit(({ counts, thresholds, record }) => {
    const { links } = counts;
    const users = total(links, (link) => link.users);
    const three = total(links, ({ with_three }) => with_three);
    const byVariation = links.map((link) => ({ ...link, name: nameOf({ record }, link.variation_id) }));
    const test = compareRates(
      links.map(({ with_two }) => with_two),
      links.map((link) => link.users),
      thresholds.min_expected,
    );
    const evidence = { users, with_three_devices: three, by_variation: byVariation, p: test.p };
    if (users === 0) return { status: "not_applicable", detail: "It is not known whose a device is.", evidence };
    if (users < thresholds.min_units) {
      return { status: "insufficient_data", detail: `${plural(users, "user")} known so far.`, evidence };
    }
    const share = three / users;
    if (test.p < thresholds.churn_p) {
      const rates = byVariation.map(({ name, with_two, users: all }) => `"${name}" ${percent(with_two / all)}`);
      return { status: "fail", detail: `Users come with a second device by variation: ${rates.join(", ")}.`, evidence };
    }
    const detail = `${percent(share)} of the users came with three devices or more in a week.`;
    return { status: share > thresholds.churn_share ? "warn" : "pass", detail, evidence };
  }),
};

/** Of the units of `trials`, how many are `successes`, by variation. */
interface Rate {
  variation_id: string;
  successes: number;
  trials: number;
}

function ratesOf(cells: readonly Cell[], successes: (cell: Cell) => number, trials: (cell: Cell) => number): Rate[] {
  return [...Map.groupBy(cells, ({ variation_id }) => variation_id)].map(([variation_id, own]) => ({
    variation_id,
    successes: total(own, successes),
    trials: total(own, trials),
  }));
}

/** Each epoch by itself: a rate that changes with time is no difference of variations whose weights changed too. */
function compareByEpoch(
  cells: readonly Cell[],
  successes: (cell: Cell) => number,
  trials: (cell: Cell) => number,
  { min_expected }: Thresholds,
): ChiSquare {
  const epochs = [...Map.groupBy(cells, ({ epoch }) => epoch).values()];
  return stratified(epochs.map((own) => compareRates(own.map(successes), own.map(trials), min_expected)));
}

/** Too few to tell apart are not: chi-square is no measure of a handful. */
function compareRates(successes: readonly number[], trials: readonly number[], minExpected: number): ChiSquare {
  const columns = trials.filter((n) => n > 0);
  const rate = sum(successes) / sum(columns);
  const least = Math.min(...columns) * Math.min(rate, 1 - rate);
  return least >= minExpected ? homogeneity(successes, trials) : chiSquareOf(0, 0);
}

const rateOf = ({ successes, trials }: Rate) => (trials === 0 ? 0 : successes / trials);

export const missingExposure: Check<Scene> = {
  id: "missing_exposure",
  title: "Exposures are missing",
  thresholds: ["missing_exposure_share", "missing_exposure_p", "min_units"],
  fix: "Units came to the end of a log-in without having seen the page, so they say. Compare the two units of the evidence: same events, one exposed. See which pages of the variation answer otherwise than with HTML and 2xx, and which client does not send.",
  find: ofSplit((scene) => {
    const { base, counts, thresholds } = scene;
    const missing = (cell: Cell) => cell.finished_unexposed;
    const finished = (cell: Cell) => cell.finished;
    const rates = ratesOf(base, missing, finished);
    const all = total(base, finished);
    const test = compareByEpoch(base, missing, finished, thresholds);
    const evidence = {
      by_variation: rates.map(({ variation_id, successes, trials }) => {
        return { variation_id, name: nameOf(scene, variation_id), finished: trials, unexposed: successes };
      }),
      p: test.p,
      examples: counts.examples === null ? null : { ...counts.examples },
    };
    if (all < thresholds.min_units) {
      return {
        status: "insufficient_data",
        detail: `${plural(all, "unit")} came to the end of a log-in so far.`,
        evidence,
      };
    }
    const share = total(base, missing) / all;
    const words = `${percent(share)} of the units that came to the end of a log-in were never exposed`;
    if (test.p < thresholds.missing_exposure_p) {
      const each = rates.map((rate) => `"${nameOf(scene, rate.variation_id)}" ${percent(rateOf(rate))}`);
      return { status: "fail", detail: `${words}: ${each.join(", ")}.`, evidence };
    }
    return { status: share > thresholds.missing_exposure_share ? "warn" : "pass", detail: `${words}.`, evidence };
  }),
  yieldsTo: () => ["custom_exposure", "platform_source"],
};

export const assignmentExposureFunnel: Check<Scene> = {
  id: "assignment_exposure_funnel",
  title: "Variations lose units before they are exposed",
  thresholds: ["funnel_warn_p", "funnel_fail_p", "funnel_min_difference", "min_units"],
  fix: "Until a variation is shown all subjects go the same way, so as many should arrive. See whether one variation's page is slower, redirects, or fails before it reports.",
  find: ofSplit((scene) => {
    const { base, thresholds } = scene;
    const arrived = (cell: Cell) => cell.settled_exposed;
    const settled = (cell: Cell) => cell.settled;
    const rates = ratesOf(base, arrived, settled).filter(({ trials }) => trials > 0);
    const all = total(rates, ({ trials }) => trials);
    const pairs = rates.flatMap((a, index) => rates.slice(index + 1).map((b) => [a, b] as const));
    const raw = pairs.map(([a, b]) => {
      const own = base.filter(({ variation_id: id }) => id === a.variation_id || id === b.variation_id);
      return compareByEpoch(own, arrived, settled, thresholds).p;
    });
    const corrected = holm(raw);
    const shown = pairs.map(([a, b], at) => ({
      variations: [a.variation_id, b.variation_id],
      difference: rateOf(a) - rateOf(b),
      p: corrected[at] ?? 1,
    }));
    const evidence = {
      by_variation: rates.map(({ variation_id, successes, trials }) => {
        return { variation_id, name: nameOf(scene, variation_id), assigned: trials, exposed: successes };
      }),
      p: compareByEpoch(base, arrived, settled, thresholds).p,
      pairs: shown,
    };
    if (all < thresholds.min_units || pairs.length === 0) {
      const detail = `${plural(all, "unit")} assigned half an hour ago or earlier.`;
      return { status: "insufficient_data", detail, evidence };
    }
    const least = Math.min(...corrected);
    const each = rates.map((rate) => `"${nameOf(scene, rate.variation_id)}" ${percent(rateOf(rate))}`).join(", ");
    const detail = `Of the assigned are exposed: ${each}; p ${pValue(least)}.`;
    const isLarge = shown.some(({ p, difference }) => {
      return p < thresholds.funnel_fail_p && Math.abs(difference) >= thresholds.funnel_min_difference;
    });
    if (isLarge) return { status: "fail", detail, evidence };
    return { status: least < thresholds.funnel_warn_p ? "warn" : "pass", detail, evidence };
  }),
  yieldsTo: () => ["custom_exposure", "missing_exposure", "platform_source"],
};
