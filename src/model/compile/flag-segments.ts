/** What experiments and rollouts compile to alike: a flag's variants, and the segments that come before targeting. */
import type { Condition, Segment, Variant } from "../../engine/flag.ts";
import type { FeatureFlag } from "../feature-flag.ts";
import { groupFlagKey } from "../group.ts";
import { memo } from "../memo.ts";
import type { Membership } from "../resources.ts";
import { type Variation, variationConfig } from "../variation.ts";
import { segmentConditions } from "./segment-conditions.ts";

export const allOtherUsers = "All Other Users";

/** User property under which an earlier variation is handed to the engine, as Amplitude names it. */
export const stickyProperty = (flagKey: string): string => `[Experiment] ${flagKey}`;

export const conditionsOf = memo(segmentConditions);

/** The parameters a page runs with, by flag and variation. */
export const configOf = memo((flag: FeatureFlag) => memo((variation: Variation) => variationConfig(flag, variation)));

/** Every variation by key, its parameters as payload, its id for who is told of it, and `off`, which is no variation. */
export function variantsOf(flag: FeatureFlag, variations: readonly Variation[]): Record<string, Variant> {
  return Object.fromEntries([
    ...variations.map((variation): [string, Variant] => [
      variation.key,
      {
        key: variation.key,
        value: variation.key,
        payload: configOf(flag)(variation),
        metadata: { variationId: variation.id },
      },
    ]),
    ["off", { key: "off", metadata: { default: true } }],
  ]);
}

/** By key of a flag to evaluate first, which of its variants let a subject through. */
export type Dependencies = Readonly<Record<string, readonly string[]>>;

/** The flag's own dependencies, and the flags of its groups. */
export function dependenciesOf(flag: FeatureFlag, memberships: readonly Membership[]): Dependencies {
  return {
    ...flag.rollout?.dependencies,
    ...Object.fromEntries(memberships.map(({ group, variant }) => [groupFlagKey(group), [variant]])),
  };
}

/** As the engine's flag lists them; nothing without dependencies. */
export function dependencyKeys(dependencies: Dependencies): { dependencies?: string[] } {
  const keys = Object.keys(dependencies);
  return keys.length === 0 ? {} : { dependencies: keys };
}

/** Guards and pre-assignments in the engine's order: dependencies, inclusions, sticky bucketing. */
export function leadingSegments(
  flag: FeatureFlag,
  variations: readonly Variation[],
  dependencies: Dependencies,
  sticky: boolean,
): Segment[] {
  return [
    ...dependencyGuard(dependencies),
    ...inclusionSegments(flag, variations),
    ...(sticky ? stickySegments(flag, variations) : []),
  ];
}

/** Negative, so that a flag that gave no result at all lets no one through. */
function dependencyGuard(dependencies: Dependencies): Segment[] {
  const conditions = Object.entries(dependencies).map(([key, allowed]): Condition[] => [
    { selector: ["result", key, "key"], op: "is not", values: allowed },
  ]);
  return conditions.length === 0
    ? []
    : [{ conditions, variant: "off", metadata: { segmentName: "flag-dependencies" } }];
}

function inclusionSegments(flag: FeatureFlag, variations: readonly Variation[]): Segment[] {
  return variations.flatMap(({ key }): Segment[] => {
    const included = flag.rollout?.inclusions?.[key];
    if (included === undefined) return [];
    const conditions = [userIs("user_id", included.user_ids), userIs("device_id", included.device_ids)].filter(
      (branch) => branch[0].values.length > 0,
    );
    return conditions.length === 0
      ? []
      : [{ conditions, variant: key, metadata: { segmentName: "individual-inclusions" } }];
  });
}

function stickySegments(flag: FeatureFlag, variations: readonly Variation[]): Segment[] {
  const selector = ["context", "user", "user_properties", stickyProperty(flag.key)];
  return variations.map(({ key }) => ({
    conditions: [[{ selector, op: "is", values: [key] }]],
    variant: key,
    metadata: { segmentName: "sticky-bucketing" },
  }));
}

function userIs(field: "user_id" | "device_id", ids: readonly string[]): [Condition] {
  return [{ selector: ["context", "user", field], op: "is", values: ids }];
}
