/** Rules on the way from what is to what a file wants, beside those that what comes out must meet. */
import { gateDeployment } from "../deployment.ts";
import { maxDrafts } from "../experiment.ts";
import { nextFlagStatuses } from "../feature-flag.ts";
import { type ManagementCode, problems } from "../problem.ts";
import { byId, placeOf, type Resources, variationsOf } from "../resources.ts";
import { maxVariations } from "../variation.ts";
import type { ReportImport } from "./import-problem.ts";
import type { ImportStep, ResourceType } from "./import-step.ts";

/** Fields that say which resource it is, or that others hold on to. */
const fixedFields: Readonly<Record<ResourceType, readonly string[]>> = {
  deployment: ["type"],
  cohort: ["id_type"],
  segment: ["type"],
  feature_flag: ["key", "type"],
  variation: ["key", "feature_flag_id"],
  group: ["key", "type"],
  experiment: ["feature_flag_id", "allocation_strategy", "is_stateful"],
};

/** @param step with a path, empty where the file does not name what is deleted */
export function checkStep(step: ImportStep, current: Resources, report: ReportImport): void {
  const { type, before, after, fields, path } = step;
  if (before !== undefined && after !== undefined) {
    for (const field of fields.filter((name) => fixedFields[type].includes(name))) {
      report("invalid_body", `${path}.${field}`, "cannot be changed; make a new one, with another id");
    }
  }
  const refuse = (code: ManagementCode) => {
    const unnamed = `${type.replace("_", " ")} "${before?.name}", which the file does not name: `;
    report(code, path, `${after === undefined ? unnamed : ""}${problems[code].title}`);
  };
  if (step.type === "experiment") {
    if (step.before?.status === "active" && after === undefined) refuse("experiment_is_active");
  } else if (step.type === "segment") {
    if (step.before?.type === "auth0") refuse("segment_read_only");
  } else if (step.type === "variation") {
    const flag = byId(current.feature_flags, (step.after ?? step.before)?.feature_flag_id ?? "");
    if (flag?.type === "auth0") refuse("feature_flag_read_only");
    // Whoever deletes a flag deletes its variations.
    else if (flag?.status === "archived" && !step.isWithFlag) refuse("feature_flag_archived");
  } else if (step.type === "feature_flag" && step.before !== undefined) {
    const { type: kind, status } = step.before;
    if (kind === "auth0") refuse("feature_flag_read_only");
    else if (step.after !== undefined && status === "archived") refuse("feature_flag_archived");
    else if (step.after !== undefined && step.after.status !== status) {
      const next = nextFlagStatuses[status];
      if (!next.includes(step.after.status)) {
        report("invalid_status_transition", `${path}.status`, `it is ${status}, and may become ${next.join(" or ")}`);
      }
    }
  }
}

/** Limits that the whole must keep, unless it exceeds them already. */
export function checkLimits(current: Resources, result: Resources, report: ReportImport): void {
  const drafts = ({ experiments }: Resources) => experiments.filter(({ status }) => status === "draft").length;
  if (drafts(result) > Math.max(maxDrafts, drafts(current))) {
    report("experiment_draft_limit_exceeded", "experiments", problems.experiment_draft_limit_exceeded.title);
  }
  result.feature_flags.forEach((flag, place) => {
    const path = `feature_flags[${place}]`;
    const count = variationsOf(flag, result).length;
    const before = variationsOf(flag, current).length;
    if (count > Math.max(maxVariations, before)) {
      report("variation_limit_exceeded", `${path}.variations`, `must hold at most ${maxVariations}, not ${count}`);
    }
    if (count === 0 && before > 0) report("last_variation", `${path}.variations`, problems.last_variation.title);
    if (flag.status === "archived") return;
    flag.deployments.forEach((id, index) => {
      if (id !== gateDeployment && placeOf(result.deployments, id) < 0) {
        report("unknown_deployment", `${path}.deployments[${index}]`, `there is no deployment ${id}`);
      }
    });
  });
}

/** Two entries for one resource. */
export function checkEntries(named: Resources, report: ReportImport): void {
  for (const [list, entries] of Object.entries(named)) {
    const seen = new Set<string>();
    (entries as Resources[keyof Resources]).forEach(({ id, name }, place) => {
      const path = list === "variations" ? "" : `${list}[${place}]`;
      if (seen.has(id)) report("duplicate_id", path, `"${name}": another entry is about ${id} already`);
      seen.add(id);
    });
  }
}
