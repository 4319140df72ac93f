import { findPatternFault } from "../engine/pattern.ts";
import { byId, placeOf, type ResourceProblem, type Resources } from "./resources.ts";
import type { Segment, SegmentRule } from "./segment.ts";
import { branchCount, maxBranches, segmentConditions } from "./segment-conditions.ts";

/** What of a segment the engine would refuse, which would take the whole flag down, and cohorts that are not there. */
export function checkSegment(segment: Segment, { segments, cohorts }: Resources): ResourceProblem[] {
  const place = placeOf(segments, segment.id);
  return segment.rules.flatMap((rule, index): ResourceProblem[] => {
    const fault = ruleFault(rule);
    const path = `segments[${place}].rules[${index}]`;
    return [
      ...(fault === undefined ? [] : [{ code: "segment_too_complex" as const, message: fault, path }]),
      ...(["match", "not_match"] as const).flatMap((side) =>
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

function ruleFault(rule: SegmentRule): string | undefined {
  if (branchCount(rule) > maxBranches) {
    return `not_match may use starts_with and ends_with on at most ${Math.log2(maxBranches)} attributes of a rule`;
  }
  const patterns = segmentConditions({ rules: [rule] }).flatMap((branch) =>
    branch.flatMap(({ op, values }) => (op.startsWith("regex") ? values : [])),
  );
  return patterns.map(findPatternFault).find((fault) => fault !== undefined);
}
