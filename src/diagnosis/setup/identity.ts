/** Whether those who are assigned are those who are counted later. */

import { type Check, noLedger, percent } from "../check.ts";
import { baseOf, plural, type Scene } from "../scene.ts";
import { strataOf, sum, testSplit, total } from "../split.ts";

export const idsAligned: Check<Scene> = {
  id: "ids_aligned",
  title: "Assignments and exposures are of the same ids",
  thresholds: ["other_kind_share", "unassigned_share", "min_units"],
  fix: "Send exposures with the very device_id or user_id that the variation was fetched with, the one that the experiment's assignment_config names as its subject.",
  find({ record: { experiment, epochs }, counts, thresholds }) {
    if (counts === null) return noLedger;
    const { subject } = experiment.assignment_config;
    const exposures = counts.kinds.filter(({ type }) => type === "exposure");
    const all = total(exposures, ({ units }) => units);
    const other = sum(exposures.filter(({ subject_kind }) => subject_kind !== subject).map(({ units }) => units));
    const stray = total(counts.unassigned, ({ units }) => units);
    const evidence = { subject, exposed: all, exposed_of_other_kind: other, exposed_unassigned: stray };
    if (all < thresholds.min_units) {
      return { status: "insufficient_data", detail: `${plural(all, "unit")} exposed so far.`, evidence };
    }
    if (other / all >= thresholds.other_kind_share) {
      const detail = `${percent(other / all)} of the exposed units are not of the kind that is assigned, ${subject}.`;
      return { status: "fail", detail, evidence };
    }
    // Where they come to every variation as its share is, the split was right and the id another.
    const last = epochs.at(-1);
    const strata = strataOf(
      counts.unassigned.map(({ variation_id, units }) => ({ epoch: last?.epoch ?? 0, variation_id, units })),
      last === undefined ? [] : [last],
      ({ units }) => units,
    );
    const isSpread = testSplit(strata, thresholds).chiSquare.p >= thresholds.explained_p;
    if (isSpread && stray / all >= thresholds.unassigned_share) {
      const detail = `${percent(stray / all)} of the exposed units were never assigned, and are split as the weights say.`;
      return { status: "fail", detail, evidence };
    }
    return { status: "pass", detail: "Exposed units are of the kind that is assigned, and known.", evidence };
  },
};

export const silentUnits: Check<Scene> = {
  id: "silent_units",
  title: "Assigned units are heard of again",
  thresholds: ["silent_warn_share", "silent_fail_share", "min_units"],
  fix: "Assignments come from the edge and are never blocked; exposures from apps may be. See whether content blockers, a page that leaves before it sends, or a back end that fetches for nobody stand between.",
  find({ counts, thresholds }) {
    if (counts === null) return noLedger;
    const settled = total(counts.cells, (cell) => cell.settled);
    const silent = total(counts.cells, (cell) => cell.silent);
    const evidence = { settled, silent };
    if (settled < thresholds.min_units) {
      const detail = `${plural(settled, "unit")} assigned half an hour ago or earlier.`;
      return { status: "insufficient_data", detail, evidence };
    }
    const share = silent / settled;
    const detail = `${percent(share)} of the assigned units had no event since.`;
    if (share >= thresholds.silent_fail_share) return { status: "fail", detail, evidence };
    return { status: share >= thresholds.silent_warn_share ? "warn" : "pass", detail, evidence };
  },
  yieldsTo: () => ["server_side_assignment"],
};

export const serverSideAssignment: Check<Scene> = {
  id: "server_side_assignment",
  title: "Deployments assign people who are there",
  thresholds: ["server_exposed_share", "min_units"],
  fix: "Back ends that fetch for a campaign, a push or a batch assign people who are not there. Let them fetch with a deployment of their own in which this flag is not enabled, or track exposures only where something is shown.",
  find({ record, counts, thresholds }) {
    if (counts === null) return noLedger;
    const byDeployment = Map.groupBy(
      counts.attributes.filter(({ name, value }) => name === "deployment" && value !== "(none)"),
      ({ value }) => value,
    );
    const deployments = [...byDeployment].map(([id, cells]) => {
      const known = record.deployments.find((deployment) => deployment.id === id);
      const { name = id, type = null } = known ?? {};
      return { id, name, type, assigned: total(cells, (c) => c.assigned), exposed: total(cells, (c) => c.exposed) };
    });
    if (deployments.length === 0) return { status: "not_applicable", detail: "No deployment has assigned anybody." };
    const evidence = { deployments };
    const enough = deployments.filter(({ assigned }) => assigned >= thresholds.min_units);
    if (enough.length === 0) {
      return { status: "insufficient_data", detail: "No deployment has assigned enough units yet.", evidence };
    }
    const empty = enough.filter(({ assigned, exposed }) => exposed / assigned < thresholds.server_exposed_share);
    if (empty.length === 0) return { status: "pass", detail: "Units that deployments assign are exposed.", evidence };
    const names = empty
      .map(({ name, assigned, exposed }) => `"${name}" (${exposed} of ${assigned} exposed)`)
      .join(", ");
    return { status: "fail", detail: `Hardly anybody whom they assign is exposed: ${names}.`, evidence };
  },
};

export const distinctEvents: Check<Scene> = {
  id: "distinct_events",
  title: "Assignment and exposure are different events",
  thresholds: ["at_once_share", "min_units"],
  fix: "The assignment comes when variations are fetched, the exposure when the subject sees one. Send the exposure from the page that shows it, not with the fetch.",
  find({ counts, thresholds }) {
    if (counts === null) return noLedger;
    const base = baseOf(counts);
    const custom = total(base, (cell) => cell.exposed_custom);
    const atOnce = total(base, (cell) => cell.at_once);
    const evidence = { exposed_custom: custom, at_once: atOnce, assigned: total(base, (cell) => cell.assigned) };
    if (custom === 0) {
      return { status: "not_applicable", detail: "There is no exposure event of your own: ours are apart.", evidence };
    }
    if (custom < thresholds.min_units) {
      return {
        status: "insufficient_data",
        detail: `${plural(custom, "unit")} with a custom exposure so far.`,
        evidence,
      };
    }
    const share = atOnce / custom;
    const detail = `${percent(share)} of the custom exposures came within a second of the assignment.`;
    return { status: share >= thresholds.at_once_share ? "fail" : "pass", detail, evidence };
  },
};

export const deviceCookieKept: Check<Scene> = {
  id: "device_cookie_kept",
  title: "Responses keep the device cookie",
  fix: 'Have the identity provider send Clear-Site-Data without "cookies" at logout, or set `device_cookie` in TENANTS to a cookie that lasts.',
  find({ record: { experiment }, log }) {
    if (experiment.assignment_config.subject !== "device") {
      return { status: "not_applicable", detail: "It assigns users, who keep their id." };
    }
    if (log === null) return { status: "insufficient_data", detail: "The log cannot be reached." };
    const count = log.day.device_cookie_cleared ?? 0;
    const evidence = { device_cookie_cleared: count };
    if (count === 0) return { status: "pass", detail: "No response deleted it within the last day.", evidence };
    // The gate writes the warning once a minute at most, so that the count says little about how many visitors lost it.
    const detail = `${plural(count, "warning")} within the last day: the origin deletes the device cookie, and the visitor is counted as a new device.`;
    return { status: "warn", detail, evidence };
  },
};
