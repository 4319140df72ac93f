/** Compiled flags: what is read for each context, laid out so that all flags share the work. */
import type { EqualityIndex } from "./equality-index.ts";
import type { Condition, Range, Variant } from "./flag.ts";
import type { Reading } from "./reading.ts";
import type { Salt } from "./salted-hash.ts";
import type { Slot } from "./slots.ts";
import type { Subject } from "./subject.ts";

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
  /** The place behind its last group. */
  readonly end: number;
  /** When there is no bucket, or it gives none. */
  readonly choice: Choice | undefined;
}

export interface ConditionPlan {
  readonly condition: Condition;
  readonly slot: Slot;
  /** Answers this condition, alone or with others on the slot. Undefined when it is not about equality. */
  readonly index: EqualityIndex | undefined;
  /** Where in the index's answer: the word, and the bit as a mask. */
  readonly word: number;
  readonly mask: number;
  readonly number: number;
  /** Set when it is not about equality. */
  readonly question: Question | undefined;
  /** Number of the segment, and of the group in it. */
  readonly segment: number;
  readonly group: number;
}

/** What conditions ask that are not about equality; those that ask the same share it. */
export interface Question {
  readonly number: number;
  readonly slot: Slot;
  readonly test: Test;
  /** Whether several conditions ask it. */
  isShared: boolean;
  /** The places of the groups it can rule out: by turns a word and a mask, when shared and of a slot that does not change. */
  readonly places: number[];
}

/** A group of conditions, at its place. */
export interface GroupPlan {
  /** Number of the segment. */
  readonly segment: number;
  readonly conditions: readonly ConditionPlan[];
  /** Those that have to be asked when no index rules the group out. */
  asked: readonly ConditionPlan[];
}

export interface Plan {
  /** Each after its parent. */
  readonly slots: readonly Slot[];
  /** The indexes that answer for all flags at once. */
  readonly indexes: readonly EqualityIndex[];
  /** By word of places: what rules groups in it out, as the number of an index and the position of the word in its answer. */
  readonly rulings: readonly (readonly number[])[];
  /** Keys by flag number; a flag comes after those it depends on. */
  readonly flags: readonly string[];
  readonly numbers: ReadonlyMap<string, number>;
  /** By flag number: the place of its first group. */
  readonly starts: Int32Array;
  /** By flag number: the place behind its last group. */
  readonly ends: Int32Array;
  /** By flag number: the slots to look at before it is evaluated, each after its parent. */
  readonly slotsOf: readonly (readonly Slot[])[];
  /** By flag number: the questions to answer before it is evaluated. */
  readonly questionsOf: readonly (readonly Question[])[];
  /** By flag number, with one more entry for the end: number of its first segment. */
  readonly firstSegment: readonly number[];
  /** By place. */
  readonly groups: readonly (GroupPlan | undefined)[];
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
