/** A tenant's resources as the file they can be read from again. */

import { selectsCohorts } from "../compile/cohort-conditions.ts";
import { gateDeployment } from "../deployment.ts";
import type { Experiment } from "../experiment.ts";
import type { FeatureFlag } from "../feature-flag.ts";
import type { Group } from "../group.ts";
import { flagOf, type Resources, variationsOf } from "../resources.ts";
import type { RolloutTarget } from "../rollout.ts";
import type { SegmentRule } from "../segment.ts";
import { type Candidate, createReferenceTo } from "./configuration-references.ts";
import {
  type Configuration,
  type ConfiguredExperiment,
  type ConfiguredFlag,
  type ConfiguredGroup,
  configurationVersion,
} from "./configuration-schema.ts";

/**
 * In stored order, and every object's fields in one order, so that two exports differ where the configuration does.
 * Left out are deployments' keys, cohorts' members and what their sources are asked with, and what the control plane writes
 * itself: when things were made and changed, and the copies that an activation takes.
 */
export function exportConfiguration(resources: Resources): Configuration {
  const { feature_flags, experiments, segments, cohorts, groups, deployments } = resources;
  const names: Names = {
    flag: createReferenceTo(feature_flags.map(({ id, key }) => [id, key])),
    segment: createReferenceTo(segments.map(({ id, name }) => [id, name])),
    cohort: createReferenceTo(cohorts.map(({ id, name }) => [id, name])),
    // The built-in one counts, so that a deployment named "gate" is referred to by its id.
    deployment: createReferenceTo([
      [gateDeployment, gateDeployment],
      ...deployments.map(({ id, name }) => [id, name] as const),
    ]),
  };
  return {
    version: configurationVersion,
    feature_flags: feature_flags.map((flag) => exportFlag(flag, resources, names)),
    experiments: experiments.map((experiment) => exportExperiment(experiment, resources, names)),
    segments: segments.map(({ id, name, description, type, rules }) =>
      present({ id, name, description, type, rules: rules.map((rule) => withCohortNames(rule, names)) }),
    ),
    cohorts: cohorts.map(({ id, name, description, id_type, source, refresh_minutes }) =>
      present({ id, name, description, id_type, source, refresh_minutes }),
    ),
    groups: groups.map((group) => exportGroup(group, names)),
    deployments: deployments.map(({ id, name, description, type }) => present({ id, name, description, type })),
  };
}

/** How each kind is referred to. */
type Names = Readonly<Record<"flag" | "segment" | "cohort" | "deployment", (id: string) => string>>;

function exportFlag(flag: FeatureFlag, resources: Resources, names: Names): ConfiguredFlag {
  const { id, key, name, description, type, status, parameters, deployments, rollout } = flag;
  return present({
    id,
    key,
    name,
    description,
    type,
    status,
    parameters,
    deployments: deployments.map(names.deployment),
    rollout: rollout && {
      ...rollout,
      ...(rollout.targeting && { targeting: rollout.targeting.map((target) => exportTarget(target, names)) }),
    },
    variations: variationsOf(flag, resources).map((variation) =>
      present({
        id: variation.id,
        key: variation.key,
        name: variation.name,
        description: variation.description,
        overrides: variation.overrides,
      }),
    ),
  });
}

function exportTarget(target: RolloutTarget, names: Names): RolloutTarget {
  const conditions = target.conditions?.map((branch) =>
    branch.map((condition) =>
      selectsCohorts(condition.selector) ? { ...condition, values: condition.values.map(names.cohort) } : condition,
    ),
  );
  return withSegmentName(conditions === undefined ? target : { ...target, conditions }, names);
}

function withCohortNames({ match, not_match }: SegmentRule, names: Names): SegmentRule {
  const named = (attributes: NonNullable<SegmentRule["match"]>) =>
    attributes.cohort === undefined ? attributes : { ...attributes, cohort: attributes.cohort.map(names.cohort) };
  return { ...(match && { match: named(match) }), ...(not_match && { not_match: named(not_match) }) };
}

function exportExperiment(experiment: Experiment, resources: Resources, names: Names): ConfiguredExperiment {
  const flag = flagOf(experiment, resources);
  const variations = flag === undefined ? [] : variationsOf(flag, resources);
  const variation = createReferenceTo(variations.map(({ id, key }): Candidate => [id, key]));
  return present({
    id: experiment.id,
    name: experiment.name,
    description: experiment.description,
    feature_flag_id: names.flag(experiment.feature_flag_id),
    authentication_flow: experiment.authentication_flow,
    allocation_strategy: experiment.allocation_strategy,
    assignment_config: experiment.assignment_config,
    status: experiment.status,
    is_stateful: experiment.is_stateful,
    allocations: experiment.allocations.map(
      ({ variation_id, variation_snapshot: _, segment_snapshot: __, ...allocation }) => ({
        variation_id: variation(variation_id),
        ...withSegmentName(allocation, names),
      }),
    ),
    levels: experiment.levels,
    current_level: experiment.current_level,
    bucketing_salt: experiment.bucketing_salt,
    epoch: experiment.epoch,
    started_at: experiment.started_at,
    ended_at: experiment.ended_at,
  });
}

function exportGroup(group: Group, names: Names): ConfiguredGroup {
  const { id, key, name, description, bucketing_key, bucketing_salt } = group;
  const common = present({ id, key, name, description, bucketing_key, bucketing_salt });
  const keys = (ids: readonly string[]) => ids.map(names.flag);
  if (group.type === "holdout") {
    return {
      ...common,
      type: group.type,
      percentage: group.percentage,
      feature_flag_ids: keys(group.feature_flag_ids),
    };
  }
  const slots = group.slots.map(({ percentage, feature_flag_ids }) => ({
    percentage,
    feature_flag_ids: keys(feature_flag_ids),
  }));
  return { ...common, type: group.type, slots };
}

function withSegmentName<Item extends { segment_id?: string }>(item: Item, names: Names): Item {
  return item.segment_id === undefined ? item : { ...item, segment_id: names.segment(item.segment_id) };
}

type Present<Fields> = { [Name in keyof Fields as undefined extends Fields[Name] ? never : Name]: Fields[Name] } & {
  [Name in keyof Fields as undefined extends Fields[Name] ? Name : never]?: Exclude<Fields[Name], undefined>;
};

/** Without the fields that are not there. */
function present<Fields extends object>(fields: Fields): Present<Fields> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Present<Fields>;
}
