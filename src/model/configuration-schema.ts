/** The file a configuration is read from: the management API's resources with less to write. */
import * as v from "valibot";
import { allocationSchema, experimentSchema } from "./experiment.ts";
import { featureFlagSchema } from "./feature-flag.ts";
import { rolloutSchema, targetSchema } from "./rollout.ts";
import { segmentSchema } from "./segment.ts";
import { variationSchema } from "./variation.ts";

const flag = featureFlagSchema.entries;
const variation = variationSchema.entries;
const experiment = experimentSchema.entries;
const segment = segmentSchema.entries;

/** An id, a key or a segment's name; whether it exists is asked when all is read. */
const reference = v.pipe(v.string("must be text"), v.minLength(1, "must not be empty"));

const timestamps = {
  created_at: v.exactOptional(flag.created_at),
  updated_at: v.exactOptional(flag.updated_at),
};

const namedVariation = v.strictObject({
  ...timestamps,
  id: v.exactOptional(variation.id),
  key: v.exactOptional(variation.key),
  name: variation.name,
  description: variation.description,
  overrides: v.exactOptional(variation.overrides, {}),
});

const namedFlag = v.strictObject({
  ...timestamps,
  id: v.exactOptional(flag.id),
  key: v.exactOptional(flag.key),
  name: flag.name,
  description: flag.description,
  type: v.exactOptional(flag.type, "self"),
  status: v.exactOptional(flag.status, "active"),
  parameters: flag.parameters,
  deployments: v.exactOptional(flag.deployments, []),
  rollout: v.exactOptional(
    v.strictObject({
      ...rolloutSchema.entries,
      targeting: v.exactOptional(
        v.array(v.strictObject({ ...targetSchema.entries, segment_id: v.exactOptional(reference) })),
      ),
    }),
  ),
  variations: v.array(namedVariation, "must be a list of variations"),
});

const namedExperiment = v.strictObject({
  ...experiment,
  ...timestamps,
  id: v.exactOptional(experiment.id),
  feature_flag_id: reference,
  authentication_flow: v.exactOptional(experiment.authentication_flow, "authentication"),
  allocation_strategy: v.exactOptional(experiment.allocation_strategy, "percentage"),
  assignment_config: v.exactOptional(experiment.assignment_config, { subject: "device" }),
  status: v.exactOptional(experiment.status, "draft"),
  allocations: v.pipe(
    v.array(
      v.strictObject({
        ...allocationSchema.entries,
        variation_id: reference,
        segment_id: v.exactOptional(reference),
        is_control: v.exactOptional(allocationSchema.entries.is_control, false),
      }),
    ),
    v.maxLength(20, "must hold at most 20 allocations"),
  ),
  epoch: v.exactOptional(experiment.epoch, 1),
});

const namedSegment = v.strictObject({
  ...timestamps,
  id: v.exactOptional(segment.id),
  name: segment.name,
  description: segment.description,
  type: v.exactOptional(segment.type, "self"),
  rules: segment.rules,
});

export const configurationSchema = v.strictObject({
  feature_flags: v.array(namedFlag, "must be a list of feature flags"),
  experiments: v.exactOptional(v.array(namedExperiment, "must be a list of experiments"), []),
  segments: v.exactOptional(v.array(namedSegment, "must be a list of segments"), []),
});
export type Configuration = v.InferOutput<typeof configurationSchema>;
export type ConfiguredFlag = Configuration["feature_flags"][number];
export type ConfiguredExperiment = Configuration["experiments"][number];
