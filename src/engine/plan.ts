/**
 * Compiled flags as tables. Evaluation walks through flat arrays from front to back instead of from object to object,
 * which is where an interpreter of flags spends its time.
 */
import type { Condition, Range, Variant } from "./flag.ts";
import type { Reading } from "./reading.ts";
import type { Salt } from "./salted-hash.ts";
import type { Slot } from "./slots.ts";

export type Test = (reading: Reading) => boolean;

/** Length of a condition in `Plan.code`. */
export const conditionLength = 4;
/** In place of a word: the condition is not about equality, ask its test. */
export const askTest = -1;

/** A variant key with what the flag returns for it. */
export interface Choice {
  readonly key: string;
  /** Undefined when the flag knows no such variant: the next segment is tried. */
  readonly variant: Variant | undefined;
}

export interface DistributionPlan {
  readonly start: number;
  readonly end: number;
  readonly range: Range;
  readonly choice: Choice;
}

export interface AllocationPlan {
  readonly start: number;
  readonly end: number;
  readonly range: Range;
  readonly distributions: readonly DistributionPlan[];
}

export interface BucketPlan {
  readonly slot: Slot;
  readonly salt: Salt;
  readonly allocations: readonly AllocationPlan[];
}

export interface SegmentPlan {
  /** `metadata.segmentName`. */
  readonly name: string | undefined;
  readonly bucket: BucketPlan | undefined;
  /** When there is no bucket, or it gives none. */
  readonly choice: Choice | undefined;
}

export interface Plan {
  readonly slots: readonly Slot[];
  /** How many words the answers to all equality conditions take. */
  readonly words: number;
  /** Keys by flag number; a flag comes after those it depends on. */
  readonly flags: readonly string[];
  readonly numbers: ReadonlyMap<string, number>;
  /** Where each flag's code begins, and number of its first segment. Both have one more entry for the end. */
  readonly firstCode: readonly number[];
  readonly firstSegment: readonly number[];
  /**
   * The conditions of all segments, in order. A segment is where it ends, then its groups; a group is where it ends,
   * then its conditions; a condition is four numbers: slot, word of the answer or `askTest`, bit of it, and the
   * condition's number. A segment matches when in any of its groups all conditions hold; one without conditions has
   * an empty group.
   */
  readonly code: readonly number[];
  readonly segments: readonly SegmentPlan[];
  readonly conditions: readonly Condition[];
  /** By condition number: the test of a condition that is not about equality. */
  readonly tests: readonly (Test | undefined)[];
}
