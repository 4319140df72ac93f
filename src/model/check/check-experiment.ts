/** Whether an experiment can run: what `/validate` answers, and what keeps a faulty one out of the snapshot. */

import type { Experiment } from "../experiment.ts";
import type { FeatureFlag } from "../feature-flag.ts";
import {
  byId,
  flagOf,
  type ProblemCode,
  placeOf,
  type ResourceProblem,
  type Resources,
  variationsOf,
} from "../resources.ts";
import { checkFlag, isHarmless } from "./check-flag.ts";
import { checkSegment } from "./check-segment.ts";
import { isEnabledAtGate, isEnabledForApps } from "./gate-reach.ts";

type Report = (code: ProblemCode, message: string, under?: string) => void;

export interface ReadinessOptions {
  /** How many experiments may be active in the tenant, this one counted; 1 unless given. */
  activeLimit?: number;
  /** Whether the tenant's settings say how the gate verifies users; where unknown, it is assumed that they do. */
  verifiesUsers?: boolean;
}

/**
 * Everything that stands in the way of running `experiment`, its flag's and its segments' faults included; empty when
 * nothing does. It must be one of `resources`. Its state does not matter: a draft is judged as if it were to be activated.
 */
export function checkExperiment(
  experiment: Experiment,
  resources: Resources,
  options: ReadinessOptions = {},
): ResourceProblem[] {
  const flag = flagOf(experiment, resources);
  const segments = new Set(experiment.allocations.map(({ segment_id = "" }) => byId(resources.segments, segment_id)));
  return [
    ...checkReferences(experiment, resources),
    ...checkReadiness(experiment, resources, options),
    ...(flag === undefined ? [] : checkFlag(flag, resources).filter((problem) => !isHarmless(problem))),
    ...[...segments].flatMap((segment) => (segment === undefined ? [] : checkSegment(segment, resources))),
  ];
}

/** What an experiment refers to and does not find; a fault in any state but archived. */
export function checkReferences(experiment: Experiment, resources: Resources): ResourceProblem[] {
  return collect(experiment, resources, (report) => {
    const flag = flagOf(experiment, resources);
    if (flag === undefined) {
      report("feature_flag_not_found", `no feature flag ${experiment.feature_flag_id}`, ".feature_flag_id");
      return;
    }
    const own = new Set(variationsOf(flag, resources).map(({ id }) => id));
    experiment.allocations.forEach(({ variation_id, segment_id }, index) => {
      const under = `.allocations[${index}]`;
      if (!own.has(variation_id)) {
        report(
          "variation_not_from_flag",
          `${variation_id} is not a variation of feature flag ${flag.key}; its variations: ${[...own].join(", ")}`,
          `${under}.variation_id`,
        );
      }
      if (segment_id !== undefined && byId(resources.segments, segment_id) === undefined) {
        report("segment_not_found", `no segment ${segment_id}`, `${under}.segment_id`);
      }
    });
  });
}

/** What an experiment lacks to be active, references and other resources' own faults aside. */
export function checkReadiness(
  experiment: Experiment,
  resources: Resources,
  { activeLimit = 1, verifiesUsers = true }: ReadinessOptions = {},
): ResourceProblem[] {
  return collect(experiment, resources, (report) => {
    const flag = flagOf(experiment, resources);
    if (flag !== undefined && flag.status !== "active") {
      report("feature_flag_not_active", `feature flag ${flag.key} is ${flag.status}, not active`, ".feature_flag_id");
    }
    if (experiment.allocations.length === 0) {
      report("experiment_missing_allocations", "there must be at least one allocation");
    }
    const controls = experiment.allocations.filter(({ is_control }) => is_control).length;
    if (controls !== 1) {
      report("experiment_missing_control", `exactly one allocation must have is_control: true, not ${controls}`);
    }
    if (experiment.allocation_strategy === "percentage") checkPercentages(experiment, report);
    else checkPriorities(experiment, report);
    if (!verifiesUsers && flag !== undefined) checkUsers(experiment, flag, report);
    checkRivals(experiment, flag, resources, activeLimit, report);
  });
}

function checkPercentages({ allocations, levels, current_level }: Experiment, report: Report): void {
  const total = allocations.reduce((sum, { weight = 0 }) => sum + weight, 0);
  if (total !== 100) {
    report("experiment_invalid_allocation_weights", `the weights of all allocations must total 100, not ${total}`);
  }
  reportRepeated(allocations, "variation_id", report);
  const isRamp = (levels ?? []).every((level, index, all) => level > (all[index - 1] ?? -1) && level <= 100);
  if (!isRamp) {
    report("experiment_invalid_levels", "must be rising percentages from 0 to 100, such as 5, 25, 100", ".levels");
  }
  if (current_level !== undefined && levels?.includes(current_level) !== true) {
    report("experiment_invalid_levels", `must be one of levels, not ${current_level}`, ".current_level");
  }
}

function checkPriorities({ allocations, levels }: Experiment, report: Report): void {
  const fallbacks = allocations.filter(({ is_fallback }) => is_fallback === true).length;
  if (fallbacks === 0) report("experiment_missing_default", "one allocation must have is_fallback: true");
  if (fallbacks > 1) {
    report("experiment_multiple_defaults", `only one allocation may have is_fallback: true, not ${fallbacks}`);
  }
  allocations.forEach(({ is_fallback, segment_id, priority }, index) => {
    if (is_fallback !== true && (segment_id === undefined || priority === undefined)) {
      const message = "must have a segment_id and a priority, or be the fallback";
      report("experiment_incomplete_allocation", message, `.allocations[${index}]`);
    }
  });
  reportRepeated(allocations, "segment_id", report);
  reportRepeated(allocations, "priority", report);
  if (levels !== undefined && levels.length > 0) {
    report("experiment_invalid_levels", "are for the percentage strategy; segments are all or nothing", ".levels");
  }
}

/** A second allocation of the same variation, segment or priority: it could not be said which one holds. */
function reportRepeated<Field extends "variation_id" | "segment_id" | "priority">(
  allocations: Experiment["allocations"],
  field: Field,
  report: Report,
): void {
  allocations.forEach(({ [field]: value }, index) => {
    if (value !== undefined && allocations.findIndex((other) => other[field] === value) < index) {
      const message = `another allocation has ${field} ${value} already`;
      report("experiment_duplicate_allocation", message, `.allocations[${index}].${field}`);
    }
  });
}

/** Where apps fetch the flag too, they say who the user is, so that it is only a warning there. */
function checkUsers({ assignment_config }: Experiment, flag: FeatureFlag, report: Report): void {
  if (assignment_config.subject !== "user" || !isEnabledAtGate(flag) || isEnabledForApps(flag)) return;
  const message =
    "the gate cannot verify users: set `user` in TENANTS, assign devices, or enable the flag in an app's deployment instead";
  report("experiment_user_not_verifiable", message, ".assignment_config.subject");
}

/** Others that are active already; of several active ones, the first stored come first. */
function checkRivals(
  experiment: Experiment,
  flag: FeatureFlag | undefined,
  { experiments }: Resources,
  activeLimit: number,
  report: Report,
): void {
  const place = placeOf(experiments, experiment.id);
  const others = (experiment.status === "active" ? experiments.slice(0, place) : experiments).filter(
    ({ id, status }) => status === "active" && id !== experiment.id,
  );
  if (others.length >= activeLimit) {
    const names = others.map(({ name }) => `"${name}"`).join(", ");
    const message = `only ${activeLimit} may be active at a time; pause or complete ${names} first`;
    report("experiment_active_limit_exceeded", message, ".status");
  }
  // As with Auth0: an experiment on every page leaves no page to another.
  const alone = [experiment, ...others].find(({ authentication_flow }) => authentication_flow === "all");
  if (alone !== undefined && others.length > 0 && others.length < activeLimit) {
    const names = others.map(({ name }) => `"${name}"`).join(", ");
    const whose = alone.id === experiment.id ? "this one" : `"${alone.name}"`;
    const message = `${whose} runs on all flows, so it must be the only active experiment; pause or complete ${names} first`;
    report("experiment_active_limit_exceeded", message, ".authentication_flow");
  }
  const sharing = others.find(({ feature_flag_id }) => feature_flag_id === flag?.id);
  // To pause the only rival, as the limit asks already, is to end the sharing.
  if (sharing !== undefined && (others.length > 1 || activeLimit > 1)) {
    const message = `"${sharing.name}" is active on feature flag ${flag?.key}; a flag runs one experiment at a time`;
    report("feature_flag_shared", message, ".feature_flag_id");
  }
}

function collect(
  experiment: Experiment,
  { experiments }: Resources,
  check: (report: Report) => void,
): ResourceProblem[] {
  const problems: ResourceProblem[] = [];
  const place = placeOf(experiments, experiment.id);
  check((code, message, under = ".allocations") => {
    problems.push({ code, message, path: `experiments[${place}]${under}` });
  });
  return problems;
}
