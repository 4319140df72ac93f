/** An experiment and its allocations. Fields as in the Experiment Center API, and ours. */
import * as v from "valibot";
import { descriptionSchema, nameSchema, patchOf, percentSchema, refusing, timestampSchema } from "./fields.ts";
import { authenticationFlow } from "./flow.ts";
import { experimentId, featureFlagId, segmentId, variationId } from "./ids.ts";
import { experimentStatus } from "./snapshot.ts";

export const allocationStrategy = v.picklist(["percentage", "segment"], "must be percentage or segment");

export const assignmentConfigSchema = v.strictObject({
  /** `device` before log-in; `user`, ours, for flows after it. */
  subject: v.picklist(["device", "user"], "must be device or user"),
});

export const maxAllocations = 20;
/** Experiments in draft status a tenant may hold. */
export const maxDrafts = 100;

const integer = v.pipe(v.number("must be a number"), v.integer("must be a whole number"));
const count = v.pipe(integer, v.minValue(1, "must be at least 1"));
const boolean = v.boolean("must be true or false");
const frozen = v.exactOptional(v.nullable(v.record(v.string(), v.unknown())));

/** As a request may hold it. */
const allocationRequestSchema = v.strictObject({
  variation_id: variationId,
  is_control: boolean,
  /** Percentage strategy: this variation's share; all shares together are 100. */
  weight: v.exactOptional(percentSchema),
  /** Segment strategy: who gets the variation, whole. */
  segment_id: v.exactOptional(segmentId),
  /** Segment strategy: in which order segments are asked, 1 first. */
  priority: v.exactOptional(count),
  /** Segment strategy: what everyone gets whom no segment matched. */
  is_fallback: v.exactOptional(boolean),
});

export const allocationSchema = v.strictObject({
  ...allocationRequestSchema.entries,
  /** As they were when the experiment was last activated. */
  variation_snapshot: frozen,
  segment_snapshot: frozen,
});
export type Allocation = v.InferOutput<typeof allocationSchema>;

/** Any whole numbers: whether they make a ramp is asked by validation. */
const levelsSchema = v.array(integer, "must be a list of percentages");
const saltSchema = v.pipe(
  v.string("must be text"),
  v.minLength(1, "must not be empty"),
  v.maxLength(255, "must have at most 255 characters"),
);

/** As stored. Answers add `is_valid` and `editable_fields`, which are worked out anew each time. */
export const experimentSchema = v.strictObject({
  id: experimentId,
  name: nameSchema,
  description: v.exactOptional(descriptionSchema),
  feature_flag_id: featureFlagId,
  authentication_flow: authenticationFlow,
  allocation_strategy: allocationStrategy,
  assignment_config: assignmentConfigSchema,
  status: experimentStatus,
  /** A subject keeps the first variation it got, whatever the rules become; as `rollout.sticky_bucketing` of the flag. */
  is_stateful: v.exactOptional(boolean),
  feature_flag_snapshot: frozen,
  allocations: v.pipe(
    v.array(allocationSchema),
    v.maxLength(maxAllocations, `must hold at most ${maxAllocations} allocations`),
  ),
  /** Percentages the experiment is ramped through, rising, such as 5, 25, 100. Percentage strategy only. */
  levels: v.exactOptional(levelsSchema),
  /** The one of `levels` in force: a percentage, not an index. The first when absent. */
  current_level: v.exactOptional(percentSchema),
  /** The experiment's id when absent. */
  bucketing_salt: v.exactOptional(saltSchema),
  /** Counts up whenever the split changes. */
  epoch: count,
  started_at: v.exactOptional(timestampSchema),
  ended_at: v.exactOptional(timestampSchema),
  created_at: timestampSchema,
  updated_at: timestampSchema,
});
export type Experiment = v.InferOutput<typeof experimentSchema>;

/** How many there may be is asked by the commands, which have a message of their own for it. */
const allocationsRequestSchema = v.pipe(
  v.array(allocationRequestSchema, "must be a list of allocations"),
  v.minLength(1, "must hold at least one allocation"),
);

const statusRefused =
  "cannot be sent: an experiment begins as a draft, and POST /experiments/{id}/status takes it further";
const fixed = "cannot be changed: create another experiment";

export const experimentCreateSchema = v.strictObject(
  {
    name: nameSchema,
    feature_flag_id: featureFlagId,
    authentication_flow: authenticationFlow,
    description: v.exactOptional(descriptionSchema),
    is_stateful: v.exactOptional(boolean),
    /** This and the next two are required, with a message of their own. */
    allocation_strategy: v.exactOptional(allocationStrategy),
    assignment_config: v.exactOptional(assignmentConfigSchema),
    allocations: v.exactOptional(allocationsRequestSchema),
    levels: v.exactOptional(levelsSchema),
    bucketing_salt: v.exactOptional(saltSchema),
  },
  refusing({ status: statusRefused }),
);
export type ExperimentCreate = v.InferOutput<typeof experimentCreateSchema>;

export const experimentPatchSchema = patchOf(
  {
    name: nameSchema,
    description: v.nullable(descriptionSchema),
    authentication_flow: authenticationFlow,
    assignment_config: assignmentConfigSchema,
    allocations: allocationsRequestSchema,
    levels: levelsSchema,
    bucketing_salt: v.nullable(saltSchema),
  },
  { status: statusRefused, feature_flag_id: fixed, allocation_strategy: fixed, is_stateful: fixed },
);
export type ExperimentPatch = v.InferOutput<typeof experimentPatchSchema>;

const transitions = ["active", "paused", "completed", "archived"] as const;
export const experimentTransitionSchema = v.strictObject({
  status: v.picklist(transitions, `must be one of ${transitions.join(", ")}`),
});
export type ExperimentTransition = v.InferOutput<typeof experimentTransitionSchema>;

export const rampSchema = v.strictObject({ target_level: integer });
export type Ramp = v.InferOutput<typeof rampSchema>;

/** The share of subjects, in percent, that take part at all: 100 without levels. */
export function currentLevel(experiment: Experiment): number {
  return experiment.current_level ?? experiment.levels?.[0] ?? 100;
}

/** The level that a ramp goes to next; undefined after the last, and without levels. */
export function nextLevel(experiment: Experiment): number | undefined {
  const { levels = [] } = experiment;
  const place = levels.indexOf(currentLevel(experiment));
  return place < 0 ? undefined : levels[place + 1];
}

/** Allocations to segments in the order they are asked, the fallback left out; none under the percentage strategy. */
export function segmentAllocations(experiment: Experiment): Allocation[] {
  if (experiment.allocation_strategy !== "segment") return [];
  return experiment.allocations
    .filter((allocation) => allocation.is_fallback !== true)
    .sort((a, b) => (a.priority ?? Number.POSITIVE_INFINITY) - (b.priority ?? Number.POSITIVE_INFINITY));
}
