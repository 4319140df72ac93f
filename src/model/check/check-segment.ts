import { branchCount, maxBranches } from "../compile/segment-conditions.ts";
import { byId, placeOf, type ResourceProblem, type Resources } from "../resources.ts";
import type { Segment, SegmentRule } from "../segment.ts";

/** What of a segment the engine would refuse, which would take the whole flag down, and cohorts that are not there. */
export function checkSegment(segment: Segment, { segments, cohorts }: Resources): ResourceProblem[] {
  const place = placeOf(segments, segment.id);
  return segment.rules.flatMap((rule, index): ResourceProblem[] => {
    const path = `segments[${place}].rules[${index}]`;
    return [
      ...ruleFaults(rule, path),
      ...sides.flatMap((side) =>
        (rule[side]?.cohort ?? []).flatMap((id, position) =>
          byId(cohorts, id) === undefined
            ? [
                {
                  code: "cohort_not_found" as const,
                  message: `no cohort ${id}`,
                  path: `${path}.${side}.cohort[${position}]`,
                },
              ]
            : [],
        ),
      ),
    ];
  });
}

const sides = ["match", "not_match"] as const;

function ruleFaults(rule: SegmentRule, path: string): ResourceProblem[] {
  if (branchCount(rule) <= maxBranches) return [];
  const most = Math.log2(maxBranches);
  const message = `not_match may use starts_with and ends_with on at most ${most} attributes of a rule`;
  return [{ code: "segment_too_complex", message, path }];
}
