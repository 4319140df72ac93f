/** All that a tenant's snapshot is built from, and what can be wrong with it. */
import type { Cohort } from "./cohort.ts";
import type { Deployment } from "./deployment.ts";
import type { Experiment } from "./experiment.ts";
import type { FeatureFlag } from "./feature-flag.ts";
import { type Group, membersOf } from "./group.ts";
import { memo } from "./memo.ts";
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
  cohorts: readonly Cohort[];
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
  "group_invalid_slots",
  "group_duplicate_flag",
  "rollout_incomplete_target",
  "rollout_invalid_weights",
  "rollout_invalid_regex",
  "rollout_invalid_condition",
  "variation_not_found",
  "variation_unknown_parameter",
  "variation_override_type_mismatch",
  "variation_override_is_default",
  "experiment_missing_allocations",
  "experiment_multiple_defaults",
  "experiment_incomplete_allocation",
  "experiment_duplicate_allocation",
  "experiment_invalid_levels",
  "experiment_user_not_verifiable",
  "segment_not_found",
  "segment_too_complex",
  "cohort_not_found",
] as const;
export type ProblemCode = (typeof problemCodes)[number];

/** The flag's variations, in stored order. */
export function variationsOf(flag: { id: string }, { variations }: Resources): readonly Variation[] {
  return variationsByFlag(variations).get(flag.id) ?? [];
}

/** The flag an experiment is on; undefined when it is gone. */
export function flagOf(experiment: Experiment, { feature_flags }: Resources): FeatureFlag | undefined {
  return byId(feature_flags, experiment.feature_flag_id);
}

/** The flag's experiments in every state, in stored order. */
export function experimentsOn(flag: FeatureFlag, { experiments }: Resources): readonly Experiment[] {
  return experimentsByFlag(experiments).get(flag.id) ?? [];
}

export interface Membership {
  group: Group;
  /** As `Member`. */
  variant: string;
}

/** The groups a flag is in. */
export function membershipsOf(flagId: string, { groups }: Resources): readonly Membership[] {
  return membershipsByFlag(groups).get(flagId) ?? [];
}

/** The first of `items` with this id. */
export function byId<Item extends { id: string }>(items: readonly Item[], id: string): Item | undefined {
  return items[placeOf(items, id)];
}

/** Where the first of `items` with this id stands; -1 when none has it. */
export function placeOf(items: readonly { id: string }[], id: string): number {
  return places(items).get(id) ?? -1;
}

/** By key; of several with one key the last. */
export const flagsByKey = memo(
  (flags: readonly FeatureFlag[]): ReadonlyMap<string, FeatureFlag> => new Map(flags.map((flag) => [flag.key, flag])),
);

const variationsByFlag = memo((variations: readonly Variation[]) =>
  Map.groupBy(variations, ({ feature_flag_id }) => feature_flag_id),
);

const experimentsByFlag = memo((experiments: readonly Experiment[]) =>
  Map.groupBy(experiments, ({ feature_flag_id }) => feature_flag_id),
);

const membershipsByFlag = memo((groups: readonly Group[]) => {
  const memberships = groups.flatMap((group) => membersOf(group).map((member) => ({ ...member, group })));
  return Map.groupBy(memberships, ({ flagId }) => flagId);
});

const places = memo((items: readonly { id: string }[]) => {
  const found = new Map<string, number>();
  items.forEach(({ id }, place) => {
    if (!found.has(id)) found.set(id, place);
  });
  return found;
});
