/** The trace of an evaluation in words, for a person who asks why a subject sees what it sees. */
import type { BucketTrace, ConditionTrace, FlagTrace, SegmentTrace } from "./trace.ts";

/** How much of a value or a list is shown. */
const maxShownLength = 80;
const maxShownValues = 5;

function show(value: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch {
    // A cycle, or a BigInt: its kind has to do.
  }
  text ??= String(value);
  return text.length > maxShownLength ? `${text.slice(0, maxShownLength)}…` : text;
}

function showValues(values: readonly string[]): string {
  const shown = values.slice(0, maxShownValues).map(show).join(", ");
  return values.length > maxShownValues ? `${shown} … (${values.length} values)` : shown;
}

function explainCondition({ condition, saw, matched }: ConditionTrace): string {
  const seen = saw === undefined ? "it is missing" : `it is ${show(saw)}`;
  const path = condition.selector.join(".");
  return `${matched ? "yes" : "no"}: ${path} ${condition.op} ${showValues(condition.values)}; ${seen}`;
}

function explainGroups(groups: SegmentTrace["groups"]): string[] {
  return groups.flatMap((group, index) => [...(index > 0 ? ["or else"] : []), ...group.map(explainCondition)]);
}

const showRange = ([start, end]: readonly [number, number]): string => `${start} up to, not including, ${end}`;

function explainBucket(bucket: BucketTrace, variant: string | undefined): string[] {
  const path = bucket.selector.join(".");
  if (bucket.input === undefined) return [`${path} is missing or empty, so there is nothing to bucket`];
  const lines = [`hash of ${show(bucket.input)} is ${bucket.hash}`];
  if (bucket.allocationRange === undefined) {
    return [...lines, `its allocation bucket ${bucket.allocation} is in no allocation: not allocated`];
  }
  lines.push(`its allocation bucket ${bucket.allocation} is in ${showRange(bucket.allocationRange)}: allocated`);
  const { distribution, distributionRange } = bucket;
  lines.push(
    distributionRange === undefined
      ? `its variation bucket ${distribution} is in no variation's range`
      : `its variation bucket ${distribution} is in ${showRange(distributionRange)}: ${show(variant)}`,
  );
  return lines;
}

function explainSegment(segment: SegmentTrace, decided: boolean): string[] {
  const name = `Segment ${segment.index + 1}${segment.name === undefined ? "" : ` (${segment.name})`}`;
  if (!segment.matched) return [`${name} does not match.`, ...indent(explainGroups(segment.groups))];
  const lines = [
    ...explainGroups(segment.groups),
    ...(segment.bucket === undefined ? [] : explainBucket(segment.bucket, segment.variant)),
  ];
  if (segment.variant === undefined) lines.push("it gives no variant: the next segment is tried");
  else if (decided) lines.push(`it gives ${show(segment.variant)}, which ends the search`);
  else lines.push(`it gives ${show(segment.variant)}, which the flag does not have: the next segment is tried`);
  return [`${name} matches.`, ...indent(lines)];
}

const indent = (lines: readonly string[]): string[] => lines.map((line) => `  ${line}`);

/** One line a step; steps within a segment are indented by two spaces. */
export function explain({ flag, segments, variant, fault }: FlagTrace): string[] {
  if (fault !== undefined) return [`Flag ${show(flag)} cannot be evaluated: ${fault}.`];
  const steps = segments.flatMap((segment, position) =>
    explainSegment(segment, variant !== undefined && position === segments.length - 1),
  );
  const outcome =
    variant === undefined ? "No segment gives a variant: the flag is absent." : `The variant is ${show(variant)}.`;
  return [`Flag ${show(flag)}:`, ...indent(steps), outcome];
}
