/** All that a tenant's snapshot is built from, and what can be wrong with it. */
import type { Deployment } from "./deployment.ts";
import type { Experiment } from "./experiment.ts";
import type { FeatureFlag } from "./feature-flag.ts";
import type { Group } from "./group.ts";
import type { Segment } from "./segment.ts";
import type { Variation } from "./variation.ts";

/** In stored order: it decides the order of ranges, and who comes first where only one can be. */
export interface Resources {
  feature_flags: readonly FeatureFlag[];
  variations: readonly Variation[];
  experiments: readonly Experiment[];
  segments: readonly Segment[];
  groups: readonly Group[];
  deployments: readonly Deployment[];
}

export interface ResourceProblem {
  /** Stable. The first six of `problemCodes` are the Experiment Center's. */
  code: ProblemCode;
  /** What is wrong and what would be right. */
  message: string;
  /** Where, variations under their flag: `feature_flags[0].variations[1].overrides.title`. */
  path: string;
}

export const problemCodes = [
  "feature_flag_not_active",
  "experiment_missing_control",
  "experiment_invalid_allocation_weights",
  "experiment_missing_default",
  "variation_not_from_flag",
  "experiment_active_limit_exceeded",
  "duplicate_id",
  "duplicate_key",
  "duplicate_name",
  "feature_flag_not_found",
  "feature_flag_too_few_variations",
  "feature_flag_shared",
  "flag_dependency_not_found",
  "flag_dependency_cycle",
  "rollout_incomplete_target",
  "rollout_invalid_weights",
  "rollout_invalid_regex",
  "variation_not_found",
  "variation_unknown_parameter",
  "variation_override_type_mismatch",
  "variation_override_is_default",
  "experiment_incomplete_allocation",
  "experiment_duplicate_allocation",
  "experiment_invalid_levels",
  "segment_not_found",
  "segment_too_complex",
] as const;
export type ProblemCode = (typeof problemCodes)[number];

/** The flag's variations, in stored order. */
export function variationsOf(flag: FeatureFlag, resources: Resources): Variation[] {
  return resources.variations.filter((variation) => variation.feature_flag_id === flag.id);
}

/** The flag an experiment is on; undefined when it is gone. */
export function flagOf(experiment: Experiment, resources: Resources): FeatureFlag | undefined {
  return resources.feature_flags.find((flag) => flag.id === experiment.feature_flag_id);
}
