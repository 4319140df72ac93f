/** Who names a cohort: while anybody does, it cannot go. */
import { selectsCohorts } from "../compile/cohort-conditions.ts";
import type { FeatureFlag } from "../feature-flag.ts";
import type { Segment } from "../segment.ts";

export function segmentNamesCohort({ rules }: Segment, cohortId: string): boolean {
  return rules.some(({ match, not_match }) =>
    [match, not_match].some((attributes) => attributes?.cohort?.includes(cohortId)),
  );
}

/** By the conditions of its own rollout; what it names through a segment is the segment's. */
export function flagNamesCohort({ status, rollout }: FeatureFlag, cohortId: string): boolean {
  const conditions = (rollout?.targeting ?? []).flatMap((target) => (target.conditions ?? []).flat());
  return (
    status !== "archived" &&
    conditions.some(({ selector, values }) => selectsCohorts(selector) && values.includes(cohortId))
  );
}
