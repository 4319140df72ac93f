/** A flag without an active experiment, rolled out by its own targeting, as the engine's flag. */
import type { Condition, Segment as EngineSegment, Flag } from "../../engine/flag.ts";
import type { FeatureFlag } from "../feature-flag.ts";
import { byId, type Membership } from "../resources.ts";
import type { RolloutTarget } from "../rollout.ts";
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
import { withoutGlob } from "./glob.ts";
import { split } from "./weights.ts";

/** Whether the flag may serve someone by itself; a rollout may hold no more than what an experiment needs. */
export function isRolledOut({ rollout }: FeatureFlag): boolean {
  const hasInclusions = Object.values(rollout?.inclusions ?? {}).some(
    ({ user_ids, device_ids }) => user_ids.length + device_ids.length > 0,
  );
  return hasInclusions || rollout?.all_users !== undefined || (rollout?.targeting?.length ?? 0) > 0;
}

/** A target without conditions matches everyone; one whose segment is gone must match no one, which is an empty list. */
function targetConditions(
  { conditions }: RolloutTarget,
  segment: Segment | undefined,
): readonly (readonly Condition[])[] {
  if (conditions === undefined) return segment === undefined ? [] : conditionsOf(segment);
  return conditions.length === 0 ? [[]] : conditions.map((branch) => branch.map(withoutGlob));
}

/** Compiles the rollout of `flag`; everyone no target matches gets `all_users`, or `off` without it. */
export function rolloutFlag(parts: {
  flag: FeatureFlag;
  variations: readonly Variation[];
  segments: readonly Segment[];
  memberships: readonly Membership[];
  flagVersion: number;
}): Flag {
  const { flag, variations, segments, memberships, flagVersion } = parts;
  const dependencies = dependenciesOf(flag, memberships);
  const rollout = flag.rollout ?? {};
  const shares = ({ percentage, weights }: Pick<RolloutTarget, "percentage" | "weights">) =>
    split({
      percentage,
      weights: variations.map(({ key }) => ({ variant: key, weight: weights[key] ?? 0 })),
      selector: ["context", "user", rollout.bucketing_key ?? "device_id"],
      salt: rollout.bucketing_salt ?? flag.id,
    });
  const targeted = (rollout.targeting ?? []).map((target): EngineSegment => {
    const segment = byId(segments, target.segment_id ?? "");
    return {
      ...shares(target),
      conditions: targetConditions(target, segment),
      metadata: { segmentName: target.name, ...(segment === undefined ? {} : { segmentId: segment.id }) },
    };
  });
  return {
    key: flag.key,
    variants: variantsOf(flag, variations),
    segments: [
      ...leadingSegments(flag, variations, dependencies, rollout.sticky_bucketing === true),
      ...targeted,
      { ...shares(rollout.all_users ?? { percentage: 0, weights: {} }), metadata: { segmentName: allOtherUsers } },
    ],
    ...dependencyKeys(dependencies),
    metadata: { deployed: true, evaluationMode: "remote", flagType: "release", flagVersion },
  };
}
