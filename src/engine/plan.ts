/**
 * Compiled flags as a program for a small machine. Evaluation walks through one flat array of numbers from front to
 * back instead of from object to object, which is where an interpreter of flags spends its time.
 */
import type { EqualityIndex } from "./equality-index.ts";
import type { Condition, Range, Variant } from "./flag.ts";
import type { Reading } from "./reading.ts";
import type { Salt, Subject } from "./salted-hash.ts";
import type { Slot } from "./slots.ts";

/**
 * With so few flags, properties are looked at when a condition needs them, and each is answered alone; with more, nearly
 * all are needed, and by many.
 */
export const maxFewFlags = 4;

export type Test = (reading: Reading) => boolean;

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
  /** Shared by all that bucket by this slot. */
  readonly subject: Subject;
  readonly salt: Salt;
  readonly allocations: readonly AllocationPlan[];
}

export interface SegmentPlan {
  /** `metadata.segmentName`. */
  readonly name: string | undefined;
  /** Any of these, all in it. */
  readonly groups: readonly (readonly ConditionPlan[])[];
  readonly bucket: BucketPlan | undefined;
  /** When there is no bucket, or it gives none. */
  readonly choice: Choice | undefined;
}

export interface ConditionPlan {
  readonly condition: Condition;
  readonly slot: Slot;
  /** Answers this condition alone. Undefined when it is not about equality, or answered with others on the slot. */
  readonly index: EqualityIndex | undefined;
  /** Set when it is not about equality. */
  readonly question: Question | undefined;
  /** Number of the segment, and of the group in it. */
  readonly segment: number;
  readonly group: number;
}

/** What conditions ask that are not about equality; those that ask the same share it. */
export interface Question {
  readonly slot: Slot;
  readonly test: Test;
  /** Whether several conditions ask it. */
  isShared: boolean;
}

/** Every instruction is four numbers, the first of which says what it is. */
export const instructionLength = 4;
/**
 * What an instruction is, when not an equality condition answered with others: that is `[word of the answer, bit, where to go when it does
 * not hold, condition]`, the word being 0 or more. Whatever holds goes on to the next instruction.
 */
export const opcodes = {
  /** The flag has no more segments. */
  end: -1,
  /** `[matched, segment]`: the segment matches; goes on when it gives no variant. */
  matched: -2,
  /** `[jump, where]`. */
  jump: -3,
  /** `[ask, question, where to go when it does not hold, condition]`: the condition is not about equality. */
  ask: -4,
  /** `[compare, 0, where to go when it does not hold, condition]`: an equality condition with an index of its own. */
  compare: -5,
} as const;

export interface Plan {
  /** Each after its parent. */
  readonly slots: readonly Slot[];
  /** How many words the answers to all equality conditions take. */
  readonly words: number;
  /** Keys by flag number; a flag comes after those it depends on. */
  readonly flags: readonly string[];
  readonly numbers: ReadonlyMap<string, number>;
  /** By flag number: where its program begins. */
  readonly starts: readonly number[];
  /** By flag number: the slots to look at before its program is run, each after its parent. */
  readonly slotsOf: readonly (readonly Slot[])[];
  /** By flag number, with one more entry for the end: number of its first segment. */
  readonly firstSegment: readonly number[];
  readonly code: Int32Array;
  readonly segments: readonly SegmentPlan[];
  readonly conditions: readonly ConditionPlan[];
  readonly questions: readonly Question[];
}

/** The first distribution that holds the hash, of the first allocation that holds it and has one. */
export function findDistribution({ allocations }: BucketPlan, hash: number): DistributionPlan | undefined {
  // `floor(hash / 100)` and `hash % 100`, without dividing more than 31 bits, which would be done on floats.
  const ofDistribution = ((hash >>> 2) / 25) | 0;
  const ofAllocation = (hash - ofDistribution * 100) | 0;
  for (let i = 0; i < allocations.length; i++) {
    const { start, end, distributions } = allocations[i] as AllocationPlan;
    if (!(ofAllocation >= start && ofAllocation < end)) continue;
    for (let j = 0; j < distributions.length; j++) {
      const each = distributions[j] as DistributionPlan;
      if (ofDistribution >= each.start && ofDistribution < each.end) return each;
    }
  }
  return undefined;
}
