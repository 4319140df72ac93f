/** The file a configuration is read from: the management API's resources with less to write. */
import * as v from "valibot";
import { cohortCreateSchema, cohortSchema } from "../cohort.ts";
import { deploymentSchema } from "../deployment.ts";
import { allocationSchema, experimentSchema } from "../experiment.ts";
import { featureFlagSchema } from "../feature-flag.ts";
import { groupSchema } from "../group.ts";
import { rolloutSchema, targetSchema } from "../rollout.ts";
import { rulesOf, segmentSchema } from "../segment.ts";
import { variationSchema } from "../variation.ts";

const flag = featureFlagSchema.entries;
const variation = variationSchema.entries;
const experiment = experimentSchema.entries;
const segment = segmentSchema.entries;
const deployment = deploymentSchema.entries;
const [mutualExclusion, holdout] = groupSchema.options;

/** An id, a key or a name; what it refers to is looked for when all is read. */
const reference = v.pipe(v.string("must be text"), v.minLength(1, "must not be empty"));
const references = v.array(reference, "must be a list of keys, names or ids");

const list = <Item extends v.GenericSchema>(item: Item, of: string) => v.array(item, `must be a list of ${of}`);

const namedVariation = v.strictObject({
  id: v.exactOptional(variation.id),
  key: v.exactOptional(variation.key),
  name: variation.name,
  description: variation.description,
  overrides: v.exactOptional(variation.overrides, {}),
});

const namedFlag = v.strictObject({
  id: v.exactOptional(flag.id),
  key: v.exactOptional(flag.key),
  name: flag.name,
  description: flag.description,
  type: v.exactOptional(flag.type),
  status: v.exactOptional(flag.status),
  parameters: flag.parameters,
  deployments: v.exactOptional(references),
  rollout: v.exactOptional(
    v.strictObject({
      ...rolloutSchema.entries,
      targeting: v.exactOptional(
        list(v.strictObject({ ...targetSchema.entries, segment_id: v.exactOptional(reference) }), "targets"),
      ),
    }),
  ),
  variations: list(namedVariation, "variations"),
});

const { variation_snapshot: _, segment_snapshot: __, ...allocation } = allocationSchema.entries;
const namedAllocation = v.strictObject({
  ...allocation,
  variation_id: reference,
  segment_id: v.exactOptional(reference),
  is_control: v.exactOptional(allocation.is_control, false),
});

const namedExperiment = v.strictObject({
  id: v.exactOptional(experiment.id),
  name: experiment.name,
  description: experiment.description,
  feature_flag_id: reference,
  authentication_flow: v.exactOptional(experiment.authentication_flow),
  allocation_strategy: v.exactOptional(experiment.allocation_strategy),
  assignment_config: v.exactOptional(experiment.assignment_config),
  status: v.exactOptional(experiment.status),
  is_stateful: experiment.is_stateful,
  allocations: v.pipe(
    list(namedAllocation, "allocations"),
    // The same bound as the resource's.
    experiment.allocations.pipe[1],
  ),
  levels: experiment.levels,
  current_level: experiment.current_level,
  bucketing_salt: experiment.bucketing_salt,
  epoch: v.exactOptional(experiment.epoch),
  started_at: experiment.started_at,
  ended_at: experiment.ended_at,
});

const namedSegment = v.strictObject({
  id: v.exactOptional(segment.id),
  name: segment.name,
  description: segment.description,
  type: v.exactOptional(segment.type),
  rules: rulesOf(reference),
});

/** Without members, and without credentials: those are sent to the API alone. */
const { credentials: ___, ...cohortFields } = cohortCreateSchema.entries;
const namedCohort = v.strictObject({
  id: v.exactOptional(cohortSchema.entries.id),
  ...cohortFields,
  refresh_minutes: v.exactOptional(cohortSchema.entries.refresh_minutes),
});

const groupFields = {
  id: v.exactOptional(mutualExclusion.entries.id),
  key: v.exactOptional(mutualExclusion.entries.key),
  name: mutualExclusion.entries.name,
  description: mutualExclusion.entries.description,
  bucketing_key: mutualExclusion.entries.bucketing_key,
  bucketing_salt: mutualExclusion.entries.bucketing_salt,
};
const { percentage } = holdout.entries;
const namedGroup = v.variant(
  "type",
  [
    v.strictObject({
      ...groupFields,
      type: mutualExclusion.entries.type,
      slots: list(v.strictObject({ percentage, feature_flag_ids: references }), "slots"),
    }),
    v.strictObject({ ...groupFields, type: holdout.entries.type, percentage, feature_flag_ids: references }),
  ],
  "must be mutual_exclusion or holdout",
);

/** Without keys: those are made when a deployment is. */
const namedDeployment = v.strictObject({
  id: v.exactOptional(deployment.id),
  name: deployment.name,
  description: deployment.description,
  type: deployment.type,
});

/** Version 1, which files without a version have, knows no `gate`: every experiment ran there. */
export const configurationVersion = 2;

export const configurationSchema = v.strictObject({
  version: v.exactOptional(v.picklist([1, configurationVersion], `must be ${configurationVersion}, or 1`)),
  feature_flags: v.exactOptional(list(namedFlag, "feature flags"), []),
  experiments: v.exactOptional(list(namedExperiment, "experiments"), []),
  segments: v.exactOptional(list(namedSegment, "segments"), []),
  cohorts: v.exactOptional(list(namedCohort, "cohorts"), []),
  groups: v.exactOptional(list(namedGroup, "groups"), []),
  deployments: v.exactOptional(list(namedDeployment, "deployments"), []),
});
/** As it is written. */
export type ConfigurationFile = v.InferInput<typeof configurationSchema>;
/** As it is read. */
export type Configuration = v.InferOutput<typeof configurationSchema>;
export type ConfiguredFlag = Configuration["feature_flags"][number];
export type ConfiguredExperiment = Configuration["experiments"][number];
export type ConfiguredGroup = Configuration["groups"][number];
