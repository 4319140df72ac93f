/** An experiment and its allocations. Fields as in the Experiment Center API, and ours. */
import * as v from "valibot";
import { descriptionSchema, nameSchema, percentSchema, timestampSchema } from "./fields.ts";
import { experimentId, featureFlagId, segmentId, variationId } from "./ids.ts";
import { experimentStatus } from "./snapshot.ts";

const authenticationFlows = [
  "authentication",
  "mfa_enrollment",
  "mfa_challenge",
  "password_reset",
  "passkey_enrollment",
  "organization_selection",
  "email_verification",
] as const;
export const authenticationFlow = v.picklist(authenticationFlows, `must be one of ${authenticationFlows.join(", ")}`);

export const allocationStrategy = v.picklist(["percentage", "segment"], "must be percentage or segment");

export const assignmentConfigSchema = v.strictObject({
  /** `device` before log-in; `user`, ours, for flows after it. */
  subject: v.picklist(["device", "user"], "must be device or user"),
});

const count = v.pipe(
  v.number("must be a number"),
  v.integer("must be a whole number"),
  v.minValue(1, "must be at least 1"),
);
const boolean = v.boolean("must be true or false");
const frozen = v.exactOptional(v.nullable(v.record(v.string(), v.unknown())));

export const allocationSchema = v.strictObject({
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
  variation_snapshot: frozen,
  segment_snapshot: frozen,
});
export type Allocation = v.InferOutput<typeof allocationSchema>;

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
  allocations: v.pipe(v.array(allocationSchema), v.maxLength(20, "must hold at most 20 allocations")),
  /** Percentages the experiment is ramped through, rising, such as 5, 25, 100. Percentage strategy only. */
  levels: v.exactOptional(v.array(percentSchema)),
  /** The one of `levels` in force: a percentage, not an index. The first when absent. */
  current_level: v.exactOptional(percentSchema),
  /** The experiment's id when absent. */
  bucketing_salt: v.exactOptional(v.pipe(v.string("must be text"), v.minLength(1, "must not be empty"))),
  /** Counts up whenever the split changes. */
  epoch: count,
  started_at: v.exactOptional(timestampSchema),
  ended_at: v.exactOptional(timestampSchema),
  created_at: timestampSchema,
  updated_at: timestampSchema,
});
export type Experiment = v.InferOutput<typeof experimentSchema>;

/** The share of subjects, in percent, that take part at all: 100 without levels. */
export function currentLevel(experiment: Experiment): number {
  return experiment.current_level ?? experiment.levels?.[0] ?? 100;
}

/** Allocations to segments in the order they are asked, the fallback left out; none under the percentage strategy. */
export function segmentAllocations(experiment: Experiment): Allocation[] {
  if (experiment.allocation_strategy !== "segment") return [];
  return experiment.allocations
    .filter((allocation) => allocation.is_fallback !== true)
    .sort((a, b) => (a.priority ?? Number.POSITIVE_INFINITY) - (b.priority ?? Number.POSITIVE_INFINITY));
}
