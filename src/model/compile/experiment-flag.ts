/** An active experiment as the engine's flag. */
import type { Segment as EngineSegment, Flag } from "../../engine/flag.ts";
import { currentLevel, type Experiment, segmentAllocations } from "../experiment.ts";
import type { FeatureFlag } from "../feature-flag.ts";
import { byId, type Membership } from "../resources.ts";
import type { Segment } from "../segment.ts";
import type { Variation } from "../variation.ts";
import {
  allOtherUsers,
  conditionsOf,
  dependenciesOf,
  dependencyKeys,
  leadingSegments,
  variantsOf,
} from "./flag-segments.ts";
import { split } from "./weights.ts";

/**
 * Compiles `experiment` on `flag`. Expects resources without faults (`checkExperiment`): what an allocation refers to
 * and does not find is left out.
 * @param parts.variations all of the flag's, in stored order, allocated or not
 * @param parts.memberships the groups the flag is in
 * @param parts.flagVersion version of the snapshot it is part of
 */
export function experimentFlag(parts: {
  experiment: Experiment;
  flag: FeatureFlag;
  variations: readonly Variation[];
  segments: readonly Segment[];
  memberships: readonly Membership[];
  flagVersion: number;
}): Flag {
  const { experiment, flag, variations, memberships, flagVersion } = parts;
  const dependencies = dependenciesOf(flag, memberships);
  return {
    key: flag.key,
    variants: variantsOf(flag, variations),
    segments: [
      ...leadingSegments(flag, variations, dependencies, isSticky(experiment, flag)),
      ...(experiment.allocation_strategy === "percentage" ? [percentageSegment(parts)] : prioritySegments(parts)),
    ],
    ...dependencyKeys(dependencies),
    metadata: {
      deployed: true,
      evaluationMode: "remote",
      flagType: "experiment",
      flagVersion,
      experimentKey: experiment.id,
      // Clients tell it again with an exposure: one of a variant that they kept belongs to the epoch it was given in.
      epoch: experiment.epoch,
    },
  };
}

/** Whether a subject keeps its first variation: said by the experiment or by its flag. */
export function isSticky(experiment: Experiment, flag: FeatureFlag): boolean {
  return experiment.is_stateful === true || flag.rollout?.sticky_bucketing === true;
}

type Parts = Parameters<typeof experimentFlag>[0];

function percentageSegment({ experiment, variations }: Parts): EngineSegment {
  return {
    ...split({
      percentage: currentLevel(experiment),
      weights: experiment.allocations.flatMap(({ variation_id, weight = 0 }) => {
        const variant = keyOf(variation_id, variations);
        return variant === undefined ? [] : [{ variant, weight }];
      }),
      selector: ["context", "user", experiment.assignment_config.subject === "user" ? "user_id" : "device_id"],
      salt: experiment.bucketing_salt ?? experiment.id,
    }),
    metadata: { segmentName: allOtherUsers },
  };
}

/** Each segment all or nothing, in order of priority, and the fallback for the rest. */
function prioritySegments({ experiment, variations, segments }: Parts): EngineSegment[] {
  const targeted = segmentAllocations(experiment).flatMap(({ variation_id, segment_id }): EngineSegment[] => {
    const variant = keyOf(variation_id, variations);
    const segment = byId(segments, segment_id ?? "");
    if (variant === undefined || segment === undefined) return [];
    return [
      {
        conditions: conditionsOf(segment),
        variant,
        metadata: { segmentName: segment.name, segmentId: segment.id },
      },
    ];
  });
  const fallback = experiment.allocations.find(({ is_fallback }) => is_fallback === true);
  const variant = (fallback && keyOf(fallback.variation_id, variations)) ?? "off";
  return [...targeted, { variant, metadata: { segmentName: allOtherUsers } }];
}

function keyOf(id: string, variations: readonly Variation[]): string | undefined {
  return variations.find((variation) => variation.id === id)?.key;
}
