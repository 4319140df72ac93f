/** Mismatches that a change of the configuration brings about: counted against the shares of their own time they are none. */
import type { Epoch } from "../../model/epoch-history.ts";
import { type Check, type Finding, percent, pValue } from "../check.ts";
import { nameOf, type Scene } from "../scene.ts";
import { pooled, sum, total } from "../split.ts";
import { baseStrata, explains, isTooFew, ofSplit, type SplitScene, shownTest, tested, tooFew } from "./split-scene.ts";

const hourMs = 3_600_000;

const supportOf = ({ shares }: Epoch) => Object.keys(shares ?? {}).filter((id) => (shares?.[id] ?? 0) > 0);

/** To the millionth, as weights are compared. */
const vectorOf = (epoch: Epoch) =>
  supportOf(epoch)
    .sort()
    .map((id) => `${id}=${(epoch.shares?.[id] ?? 0).toFixed(6)}`)
    .join();

interface SplitChange {
  epoch: number;
  at: string | null;
  added: string[];
  removed: string[];
}

/** From which epochs on the split was another. */
function changesOf(epochs: readonly Epoch[]): SplitChange[] {
  return epochs.flatMap((after, index) => {
    const before = epochs[index - 1];
    if (before === undefined || vectorOf(before) === vectorOf(after)) return [];
    const [earlier, later] = [new Set(supportOf(before)), new Set(supportOf(after))];
    const added = [...later].filter((id) => !earlier.has(id));
    const removed = [...earlier].filter((id) => !later.has(id));
    return [{ epoch: after.epoch, at: after.from, added, removed }];
  });
}

/** All units against today's shares, and each epoch's against its own. */
function compared(scene: SplitScene) {
  const strata = baseStrata(scene, ({ assigned }) => assigned);
  const naive = tested(pooled(strata), scene);
  const right = tested(strata, scene);
  const evidence = {
    epochs: scene.epochs.map(({ epoch, from, to, shares }) => ({ epoch, from, to, shares: { ...shares } })),
    against_last_weights: shownTest(naive),
    by_epoch: shownTest(right),
  };
  const detail = `All units against the last weights: p ${pValue(naive.test.chiSquare.p)}; each epoch against its own: p ${pValue(right.test.chiSquare.p)}.`;
  return { naive, right, evidence, detail };
}

const advice =
  "Count each unit against the weights of its own epoch, as the report does, or start a new experiment: while one runs its split should not change.";

export const trafficSplitChanged: Check<Scene> = {
  id: "traffic_split_changed",
  title: "Weights changed midway",
  thresholds: ["red_p", "explained_p"],
  fix: advice,
  find: ofSplit((scene) => {
    const changes = changesOf(scene.epochs);
    const reweighted = changes.filter(({ added, removed }) => added.length + removed.length === 0);
    const { naive, right, evidence, detail } = compared(scene);
    const all = { ...evidence, distinct: new Set(scene.epochs.map(vectorOf)).size, levels: [...scene.record.levels] };
    if (reweighted.length === 0) {
      const why = changes.length > 0 ? " Variations were added or removed: that has checks of its own." : "";
      return { status: "pass", detail: `The weights of its variations did not change.${why}`, evidence: all };
    }
    if (isTooFew(naive)) return tooFew(naive, all);
    return { status: explains(naive, right, scene) ? "fail" : "warn", detail, evidence: all };
  }),
};

export const variationAdded: Check<Scene> = {
  id: "variation_added",
  title: "A variation was added midway",
  thresholds: ["red_p", "explained_p"],
  fix: advice,
  find: ofSplit((scene) => {
    const additions = changesOf(scene.epochs).filter(({ added }) => added.length > 0);
    const [first] = additions;
    if (first === undefined) return { status: "pass", detail: "None was." };
    const { naive, right, evidence, detail } = compared(scene);
    const later = baseStrata(scene, ({ assigned }) => assigned).filter(({ epoch }) => epoch >= first.epoch);
    const after = tested(later, scene);
    const all = { ...evidence, added: named(additions, "added", scene), since: shownTest(after) };
    if (isTooFew(naive)) return tooFew(naive, all);
    const isRightSince = isTooFew(after) || after.test.chiSquare.p >= scene.thresholds.explained_p;
    const status = explains(naive, right, scene) && isRightSince ? "fail" : "warn";
    return { status, detail: `${detail} Units assigned since: p ${pValue(after.test.chiSquare.p)}.`, evidence: all };
  }),
};

export const variationRemoved: Check<Scene> = {
  id: "variation_removed",
  title: "A variation was removed midway, or has fallen silent",
  thresholds: ["red_p", "explained_p", "silence_hours"],
  fix: `${advice} Where a variation with a weight gets nobody, see whether its page fails and whether the edge has this configuration (GET /snapshot).`,
  find: ofSplit((scene): Finding => {
    const removals = changesOf(scene.epochs).filter(({ removed }) => removed.length > 0);
    const silent = silentOf(scene);
    const dead = silent.filter(({ p }) => p < scene.thresholds.red_p);
    const { naive, right, evidence, detail } = compared(scene);
    const all = { ...evidence, removed: named(removals, "removed", scene), silent };
    if (dead.length > 0) {
      const words = dead.map(({ name, others_since }) => `"${name}" got none of the last ${others_since} units`);
      return { status: "fail", detail: `${words.join(", ")}, though it has a weight.`, evidence: all };
    }
    if (removals.length === 0)
      return { status: "pass", detail: "None was, and each with a weight gets units.", evidence: all };
    if (isTooFew(naive)) return tooFew(naive, all);
    return { status: explains(naive, right, scene) ? "fail" : "warn", detail, evidence: all };
  }),
};

function named(changes: readonly SplitChange[], which: "added" | "removed", scene: Scene) {
  return changes.flatMap(({ epoch, at, [which]: ids }) =>
    ids.map((id) => ({ variation_id: id, name: nameOf(scene, id), epoch, at })),
  );
}

/** Variations that should get units and have got none for long enough, with how likely that is by chance. */
function silentOf({ record, base, counts, nowMs, thresholds }: SplitScene) {
  const current = record.epochs.at(-1);
  if (record.experiment.status !== "active" || current?.shares == null) return [];
  return Object.entries(current.shares).flatMap(([id, share]) => {
    if (share <= 0) return [];
    const times = base.flatMap((cell) => {
      return cell.variation_id === id && cell.epoch === current.epoch ? (cell.last_assigned_at ?? []) : [];
    });
    const last = times.sort().at(-1) ?? current.from;
    if (last === null || nowMs - Date.parse(last) < thresholds.silence_hours * hourMs) return [];
    // In the hour of the last one, nobody knows who came after it.
    const others = sum(
      counts.hours
        .filter(({ hour, variation_id }) => variation_id !== id && Date.parse(hour) > Date.parse(last))
        .map(({ assigned }) => assigned),
    );
    return [
      {
        variation_id: id,
        name: record.variations.find((v) => v.id === id)?.name ?? id,
        last_assigned_at: last,
        others_since: others,
        p: (1 - share) ** others,
      },
    ];
  });
}

export const stickyBucketingToggled: Check<Scene> = {
  id: "sticky_bucketing_toggled",
  title: "Sticky bucketing was turned on or off",
  thresholds: ["sticky_share"],
  fix: "Leave sticky bucketing as it is while an experiment runs: units that keep an earlier variation are no longer split by the weights. Start a new experiment to change it.",
  find: ofSplit(({ record, counts, epochs, thresholds }) => {
    const [first, last] = [epochs[0]?.from ?? "", epochs.at(-1)?.to ?? "~"];
    const toggles = record.sticky_toggles.filter(({ at }) => at >= first && at < last);
    const kept = counts.cells.filter(({ method }) => method !== "inclusion");
    const assigned = total(kept, (cell) => cell.assigned);
    const rehashed = total(kept, (cell) => cell.rehashed);
    const evidence = { toggles: toggles.map(({ at, is_on }) => ({ at, is_on })), assigned, served_otherwise: rehashed };
    if (toggles.length === 0) return { status: "pass", detail: "It was not.", evidence };
    const share = assigned === 0 ? 0 : rehashed / assigned;
    const times = toggles.map(({ at, is_on }) => `${is_on ? "on" : "off"} at ${at}`).join(", ");
    const detail = `Turned ${times}; ${percent(share)} of the units are served something else than their hash gives.`;
    return { status: share > thresholds.sticky_share ? "fail" : "warn", detail, evidence };
  }),
};
