/** What is wrong with a feature flag, its variations and its rollout. */
import { findPatternFault } from "../engine/pattern.ts";
import { type FeatureFlag, isParameterValue } from "./feature-flag.ts";
import { type ProblemCode, type ResourceProblem, type Resources, variationsOf } from "./resources.ts";
import type { RolloutTarget } from "./rollout.ts";
import type { Variation } from "./variation.ts";

type Report = (code: ProblemCode, message: string, under: string) => void;

/** Everything wrong with `flag` as it stands; what a draft may still lack is not. */
export function checkFlag(flag: FeatureFlag, resources: Resources): ResourceProblem[] {
  const problems: ResourceProblem[] = [];
  const place = resources.feature_flags.findIndex(({ id }) => id === flag.id);
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
    const parameter = Object.hasOwn(flag.parameters ?? {}, name) ? flag.parameters?.[name] : undefined;
    const under = `${at}.${name}`;
    if (parameter === undefined) {
      const known = Object.keys(flag.parameters ?? {}).join(", ");
      report("variation_unknown_parameter", `feature flag ${flag.key} has no parameter ${name}, only: ${known}`, under);
    } else if (!isParameterValue(parameter.type, value)) {
      report("variation_override_type_mismatch", `must be of the parameter's type, ${parameter.type}`, under);
    } else if (JSON.stringify(value) === JSON.stringify(parameter.value)) {
      report("variation_override_is_default", "must differ from the parameter's value; leave it out otherwise", under);
    }
  }
}

function checkDependencies(flag: FeatureFlag, resources: Resources, report: Report): void {
  const byKey = new Map(resources.feature_flags.map((other) => [other.key, other]));
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
  { segments }: Resources,
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
    if (target.segment_id !== undefined && !segments.some(({ id }) => id === target.segment_id)) {
      report("segment_not_found", `no segment ${target.segment_id}`, `${under}.segment_id`);
    }
    checkConditions(target, under, report);
  });
}

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

function checkConditions({ conditions = [] }: RolloutTarget, at: string, report: Report): void {
  for (const { op, values } of conditions.flat()) {
    for (const pattern of op.startsWith("regex") ? values : []) {
      const fault = findPatternFault(pattern);
      if (fault !== undefined) report("rollout_invalid_regex", `${pattern}: ${fault}`, `${at}.conditions`);
    }
  }
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
    report("variation_not_found", `no variation with key ${key}, only: ${known}`, under);
  }
}
