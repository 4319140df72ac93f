/** What is wrong with a feature flag, its variations and its rollout. */
import { findPatternFault } from "../../engine/pattern.ts";
import { findCohortFault, selectsCohorts } from "../compile/cohort-conditions.ts";
import { withoutGlob } from "../compile/glob.ts";
import { type FeatureFlag, isParameterValue, parameterOf } from "../feature-flag.ts";
import { isSameJson } from "../json-value.ts";
import { memo } from "../memo.ts";
import {
  flagsByKey,
  type ProblemCode,
  placeOf,
  type ResourceProblem,
  type Resources,
  variationsOf,
} from "../resources.ts";
import type { Rollout, RolloutTarget } from "../rollout.ts";
import type { Variation } from "../variation.ts";

type Report = (code: ProblemCode, message: string, under: string) => void;

/** Each takes up to a millisecond to compile, and is compiled with every snapshot. */
const maxPatterns = 50;

/** Everything wrong with `flag` as it stands; what a draft may still lack is not, nor anything of an archived flag. */
export function checkFlag(flag: FeatureFlag, resources: Resources): ResourceProblem[] {
  if (flag.status === "archived") return [];
  const problems: ResourceProblem[] = [];
  const place = placeOf(resources.feature_flags, flag.id);
  const report: Report = (code, message, under) => {
    problems.push({ code, message, path: `feature_flags[${place}]${under}` });
  };
  const variations = variationsOf(flag, resources);
  if (flag.status === "active" && variations.length < 2) {
    const message = `an active feature flag must have at least 2 variations, not ${variations.length}`;
    report("feature_flag_too_few_variations", message, ".variations");
  }
  variations.forEach((variation, index) => {
    checkOverrides(flag, variation, `.variations[${index}].overrides`, report);
  });
  checkDependencies(flag, resources, report);
  checkRollout(flag, variations, resources, report);
  return problems;
}

/** Worth refusing in an edit, but without effect on what is served. */
export function isHarmless({ code }: ResourceProblem): boolean {
  return code === "variation_override_is_default";
}

function checkOverrides(flag: FeatureFlag, variation: Variation, at: string, report: Report): void {
  for (const [name, { value }] of Object.entries(variation.overrides)) {
    const parameter = parameterOf(flag, name);
    const under = `${at}.${name}`;
    if (parameter === undefined) {
      const known = Object.keys(flag.parameters ?? {}).join(", ");
      report("variation_unknown_parameter", `feature flag ${flag.key} has no parameter ${name}, only: ${known}`, under);
    } else if (!isParameterValue(parameter.type, value)) {
      report("variation_override_type_mismatch", `must be of the parameter's type, ${parameter.type}`, under);
    } else if (isSameJson(value, parameter.value)) {
      report("variation_override_is_default", "must differ from the parameter's value; leave it out otherwise", under);
    }
  }
}

function checkDependencies(flag: FeatureFlag, resources: Resources, report: Report): void {
  const byKey = flagsByKey(resources.feature_flags);
  for (const [key, allowed] of Object.entries(flag.rollout?.dependencies ?? {})) {
    const under = `.rollout.dependencies.${key}`;
    const other = byKey.get(key);
    if (other === undefined) {
      report("flag_dependency_not_found", `no feature flag with key ${key}`, under);
      continue;
    }
    reportUnknownKeys(allowed, variationsOf(other, resources), under, report);
    if (reaches(other, flag.key, byKey)) {
      report("flag_dependency_cycle", `feature flag ${key} depends on ${flag.key} in turn`, under);
    }
  }
}

/** Whether evaluating `from` needs the flag `key`. */
function reaches(from: FeatureFlag, key: string, byKey: ReadonlyMap<string, FeatureFlag>): boolean {
  const seen = new Set<string>();
  const waiting = [from.key];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (next === key) return true;
    if (seen.has(next)) continue;
    seen.add(next);
    waiting.push(...Object.keys(byKey.get(next)?.rollout?.dependencies ?? {}));
  }
  return false;
}

function checkRollout(
  { rollout }: FeatureFlag,
  variations: readonly Variation[],
  { segments, cohorts }: Resources,
  report: Report,
): void {
  reportUnknownKeys(Object.keys(rollout?.inclusions ?? {}), variations, ".rollout.inclusions", report);
  if (rollout?.all_users !== undefined) checkShares(rollout.all_users, variations, ".rollout.all_users", report);
  rollout?.targeting?.forEach((target, index) => {
    const under = `.rollout.targeting[${index}]`;
    checkShares(target, variations, under, report);
    if ((target.conditions === undefined) === (target.segment_id === undefined)) {
      report("rollout_incomplete_target", "must have either conditions or a segment_id", under);
    }
    if (target.segment_id !== undefined && placeOf(segments, target.segment_id) < 0) {
      report("segment_not_found", `no segment ${target.segment_id}`, `${under}.segment_id`);
    }
  });
  for (const { message, under } of rollout === undefined ? [] : patternFaults(rollout)) {
    report("rollout_invalid_regex", message, `.rollout${under}`);
  }
  for (const { condition, under } of rollout === undefined ? [] : cohortConditions(rollout)) {
    const fault = findCohortFault(condition);
    if (fault !== undefined) report("rollout_invalid_condition", fault, under);
    condition.values.forEach((id, index) => {
      if (placeOf(cohorts, id) < 0) report("cohort_not_found", `no cohort ${id}`, `${under}.values[${index}]`);
    });
  }
}

/** Those on cohorts, and where they stand. */
const cohortConditions = memo(({ targeting = [] }: Rollout) =>
  targeting.flatMap(({ conditions = [] }, target) =>
    conditions.flatMap((branch, group) =>
      branch.flatMap((condition, place) => {
        const under = `.rollout.targeting[${target}].conditions[${group}][${place}]`;
        return selectsCohorts(condition.selector) ? [{ condition, under }] : [];
      }),
    ),
  ),
);

function checkShares(
  { percentage, weights }: Pick<RolloutTarget, "percentage" | "weights">,
  variations: readonly Variation[],
  under: string,
  report: Report,
): void {
  reportUnknownKeys(Object.keys(weights), variations, `${under}.weights`, report);
  if (percentage > 0 && !Object.values(weights).some((weight) => weight > 0)) {
    report("rollout_invalid_weights", "at least one variation must have a weight above 0", `${under}.weights`);
  }
}

interface PatternFault {
  message: string;
  /** Under the rollout. */
  under: string;
}

const knownFaults = new WeakMap<Rollout, readonly PatternFault[]>();

/** Looked for once a rollout: none ever changes, and every commit asks about all. */
function patternFaults(rollout: Rollout): readonly PatternFault[] {
  let faults = knownFaults.get(rollout);
  if (faults === undefined) {
    faults = findPatternFaults(rollout);
    knownFaults.set(rollout, faults);
  }
  return faults;
}

function findPatternFaults({ targeting = [] }: Rollout): PatternFault[] {
  const patterns = targeting.flatMap((target, index) =>
    patternsOf(target).map(({ written, pattern }) => ({ written, pattern, under: `.targeting[${index}].conditions` })),
  );
  if (patterns.length > maxPatterns) {
    const message = `a rollout may use at most ${maxPatterns} regular expressions and globs, not ${patterns.length}`;
    return [{ message, under: ".targeting" }];
  }
  return patterns.flatMap(({ written, pattern, under }) => {
    const fault = findPatternFault(pattern);
    return fault === undefined ? [] : [{ message: `${written}: ${fault}`, under }];
  });
}

/** As they are written, and as they are compiled. */
function patternsOf({ conditions = [] }: RolloutTarget): { written: string; pattern: string }[] {
  return conditions.flat().flatMap((condition) => {
    const { op, values } = withoutGlob(condition);
    if (!op.startsWith("regex")) return [];
    return values.map((pattern, index) => ({ written: condition.values[index] ?? "", pattern }));
  });
}

function reportUnknownKeys(
  keys: readonly string[],
  variations: readonly Variation[],
  under: string,
  report: Report,
): void {
  for (const key of keys) {
    if (variations.some((variation) => variation.key === key)) continue;
    const known = variations.map((variation) => variation.key).join(", ");
    const choice = known === "" ? "the flag has no variations yet" : `only: ${known}`;
    report("variation_not_found", `no variation with key ${key}, ${choice}`, under);
  }
}
