/** What an evaluation saw and decided, for `explain` and for tools. */
import type { Condition, Range } from "./flag.ts";

export interface ConditionTrace {
  condition: Condition;
  /** The value at the condition's selector; undefined when missing. */
  saw: unknown;
  matched: boolean;
}

export interface BucketTrace {
  /** Where the subject was looked for. */
  selector: readonly string[];
  /** What was hashed, `salt/subject`. Undefined, like all below, when the subject is missing or empty. */
  input: string | undefined;
  /** `murmur3(input)`, 0 to 4294967295. */
  hash: number | undefined;
  /** `hash % 100`. */
  allocation: number | undefined;
  /** `floor(hash / 100)`, 0 to 42949672. */
  distribution: number | undefined;
  /** The allocation range that holds the hash; of several, the one that decided, else the last. */
  allocationRange: Range | undefined;
  /** The distribution range that decided. Undefined when none did: the segment's own variant is next. */
  distributionRange: Range | undefined;
}

export interface SegmentTrace {
  /** Position among the flag's segments, from 0. */
  index: number;
  /** `metadata.segmentName`, when it is text. */
  name: string | undefined;
  /** Any of these groups suffices; within a group all are needed. Only what was looked at is listed. */
  groups: readonly (readonly ConditionTrace[])[];
  matched: boolean;
  bucket: BucketTrace | undefined;
  /** The variant key the segment gave, known to the flag or not. */
  variant: string | undefined;
}

export interface FlagTrace {
  flag: string;
  /** In the order they were tried. The last one ended the search when `variant` is defined. */
  segments: readonly SegmentTrace[];
  /** Key, in the flag's variants, of the outcome; undefined when the flag is absent from the results. */
  variant: string | undefined;
  /** Why the flag cannot be evaluated at all, in words. */
  fault: string | undefined;
}

/** Receives one trace for each flag, in the order of evaluation. An array is a sink. */
export interface TraceSink {
  push(trace: FlagTrace): unknown;
}
