import type { Bits } from "./equality-index.ts";
import type { EvaluationContext, Variant } from "./flag.ts";
import {
  type AllocationPlan,
  askTest,
  type BucketPlan,
  type Choice,
  conditionLength,
  type DistributionPlan,
  type Plan,
  type SegmentPlan,
} from "./plan.ts";
import { Reading } from "./reading.ts";
import { collect, ResultTemplate } from "./results.ts";
import { Subject } from "./salted-hash.ts";
import { selectOwn } from "./select.ts";
import type { Slot } from "./slots.ts";
import { toText } from "./text.ts";
import type { BucketTrace, ConditionTrace, SegmentTrace, TraceSink } from "./trace.ts";

// What is known of a slot, as bits.
const valueKnown = 1;
const answersKnown = 2;
const readingKnown = 4;
const subjectKnown = 8;

/** Evaluates contexts, one after the other: its memory is laid out once and used again. */
export class Evaluator {
  readonly #plan: Plan;
  readonly #template: ResultTemplate;
  readonly #allNumbers: readonly number[];
  #context: unknown;
  /** The flags to evaluate, in order. */
  #numbers: readonly number[] = [];
  /** By flag number: the outcome so far. */
  readonly #variants: (Variant | undefined)[];
  /** What is known of each slot; the arrays below hold stale things where the bit is not set. */
  readonly #known: number[];
  readonly #values: unknown[];
  readonly #readings: (Reading | undefined)[];
  #hasReadings = false;
  readonly #subjects: (Subject | undefined)[];
  /** Bits of the answers to all equality conditions. */
  readonly #answers: number[];

  constructor(plan: Plan) {
    this.#plan = plan;
    this.#template = new ResultTemplate(plan.flags);
    this.#allNumbers = [...plan.flags.keys()];
    this.#variants = plan.flags.map(() => undefined);
    this.#known = plan.slots.map(() => 0);
    this.#values = plan.slots.map(() => undefined);
    this.#readings = plan.slots.map(() => undefined);
    this.#subjects = plan.slots.map(() => undefined);
    this.#answers = Array.from({ length: plan.words }, () => 0);
  }

  /** The variants of all flags. */
  evaluateAll(context: EvaluationContext, trace: TraceSink | undefined): Record<string, Variant> {
    this.#begin(context, this.#allNumbers);
    for (let flag = 0; flag < this.#variants.length; flag++) this.#variants[flag] = this.#evaluate(flag, trace);
    const results = this.#template.copy(this.#variants) ?? this.#collect();
    this.#forget();
    return results;
  }

  /** The variants of the flags with these numbers. What a flag depends on must come before it. */
  evaluateSome(
    context: EvaluationContext,
    numbers: readonly number[],
    trace: TraceSink | undefined,
  ): Record<string, Variant> {
    this.#begin(context, numbers);
    for (const flag of numbers) this.#variants[flag] = this.#evaluate(flag, trace);
    const results = this.#collect();
    this.#forget();
    return results;
  }

  #begin(context: EvaluationContext, numbers: readonly number[]): void {
    this.#context = context;
    this.#numbers = numbers;
  }

  #collect(): Record<string, Variant> {
    return collect(this.#plan.flags, this.#variants, this.#numbers);
  }

  /** Lets go of the context, which is the caller's and may hold personal data. */
  #forget(): void {
    this.#context = undefined;
    // Loops, because `fill` costs more than they do on arrays as short as these.
    for (let slot = 0; slot < this.#known.length; slot++) {
      this.#known[slot] = 0;
      this.#values[slot] = undefined;
    }
    for (let flag = 0; flag < this.#variants.length; flag++) this.#variants[flag] = undefined;
    if (this.#hasReadings) this.#readings.fill(undefined);
    this.#hasReadings = false;
  }

  #evaluate(flag: number, trace: TraceSink | undefined): Variant | undefined {
    const { code, firstCode, firstSegment, segments } = this.#plan;
    const first = firstSegment[flag] ?? 0;
    const end = firstSegment[flag + 1] ?? 0;
    const traces: SegmentTrace[] | undefined = trace && [];
    let choice: Choice | undefined;
    let at = firstCode[flag] ?? 0;
    for (let number = first; number < end && choice?.variant === undefined; number++) {
      const groups: ConditionTrace[][] | undefined = traces && [];
      const buckets: BucketTrace[] | undefined = traces && [];
      const segment = segments[number];
      const matched = this.#matches(at, groups);
      choice = matched && segment !== undefined ? this.#choose(segment, buckets) : undefined;
      at = code[at] ?? 0;
      if (groups === undefined) continue;
      const bucket = buckets?.[0];
      traces?.push({ index: number - first, name: segment?.name, groups, matched, bucket, variant: choice?.key });
    }
    const variant = choice?.variant;
    if (traces !== undefined) {
      const key = variant && choice?.key;
      trace?.push({ flag: this.#plan.flags[flag] ?? "", segments: traces, variant: key, fault: undefined });
    }
    return variant;
  }

  /** Whether the segment whose code is at `start` matches. */
  #matches(start: number, trace: ConditionTrace[][] | undefined): boolean {
    const { code, tests } = this.#plan;
    const known = this.#known;
    const answers = this.#answers;
    const end = code[start] ?? 0;
    for (let at = start + 1; at < end; ) {
      const groupEnd = code[at++] ?? 0;
      const seen: ConditionTrace[] | undefined = trace && [];
      if (seen !== undefined) trace?.push(seen);
      for (; at < groupEnd; at += conditionLength) {
        const slot = code[at] ?? 0;
        const word = code[at + 1] ?? 0;
        let holds: boolean;
        if (word === askTest) holds = tests[code[at + 3] ?? 0]?.(this.#reading(slot)) ?? false;
        else {
          if (((known[slot] ?? 0) & answersKnown) === 0) this.#answer(slot);
          holds = ((answers[word] ?? 0) & (code[at + 2] ?? 0)) !== 0;
        }
        if (seen !== undefined) this.#traceCondition(code[at + 3] ?? 0, slot, holds, seen);
        if (!holds) break;
      }
      if (at === groupEnd) return true;
      at = groupEnd;
    }
    return false;
  }

  #know(slot: Slot, what: number): void {
    // What depends on flags is looked at afresh each time.
    if (!slot.changes) this.#known[slot.number] = (this.#known[slot.number] ?? 0) | what;
  }

  #value(number: number): unknown {
    if (((this.#known[number] ?? 0) & valueKnown) !== 0) return this.#values[number];
    const slot = this.#plan.slots[number];
    if (slot === undefined) return undefined;
    const value = this.#find(slot);
    this.#values[number] = value;
    this.#know(slot, valueKnown);
    return value;
  }

  #find({ kind, parent, name }: Slot): unknown {
    switch (kind) {
      case "property":
        return parent === undefined ? undefined : selectOwn(this.#value(parent.number), name);
      case "context":
        return this.#context ?? undefined;
      case "one result":
        return this.#variants[this.#plan.numbers.get(name) ?? -1];
      case "all results":
        return this.#collect();
    }
  }

  #reading(number: number): Reading {
    const known = this.#readings[number];
    if (known !== undefined && ((this.#known[number] ?? 0) & readingKnown) !== 0) return known;
    const reading = new Reading(this.#value(number));
    const slot = this.#plan.slots[number];
    this.#readings[number] = reading;
    this.#hasReadings = true;
    if (slot !== undefined) this.#know(slot, readingKnown);
    return reading;
  }

  /** Answers all equality conditions on a slot. */
  #answer(number: number): void {
    const slot = this.#plan.slots[number];
    if (slot?.index === undefined) return;
    const { index, firstWord } = slot;
    const value = this.#value(number);
    let answer: Bits | undefined;
    if (value === undefined) answer = index.ofMissing();
    else if (typeof value === "string" && value.charCodeAt(0) !== 91) answer = index.ofText(value);
    else {
      const { list, text } = this.#reading(number);
      if (list !== undefined) answer = index.ofList(list);
      else if (text !== undefined) answer = index.ofText(text.text);
    }
    for (let word = 0; word < index.words; word++) this.#answers[firstWord + word] = answer?.[word] ?? 0;
    this.#know(slot, answersKnown);
  }

  #choose(segment: SegmentPlan, trace: BucketTrace[] | undefined): Choice | undefined {
    const { bucket } = segment;
    if (bucket === undefined) return segment.choice;
    const subject = this.#subject(bucket.slot);
    if (subject === undefined) {
      trace?.push(traceBucket(bucket, undefined));
      return segment.choice;
    }
    const hash = subject.hash(bucket.salt);
    const distributionValue = Math.floor(hash / 100);
    // `hash % 100`, which on numbers past 31 bits is a slow division of floats.
    const allocationValue = hash - distributionValue * 100;
    const { allocations } = bucket;
    let allocation: AllocationPlan | undefined;
    let distribution: DistributionPlan | undefined;
    for (let i = 0; i < allocations.length && distribution === undefined; i++) {
      const each = allocations[i];
      if (each === undefined || !(allocationValue >= each.start && allocationValue < each.end)) continue;
      allocation = each;
      distribution = findDistribution(each.distributions, distributionValue);
    }
    trace?.push(traceBucket(bucket, { subject: subject.text, hash, allocation, distribution }));
    return distribution === undefined ? segment.choice : distribution.choice;
  }

  /** What is bucketed; undefined when missing, empty or without a string form. */
  #subject(slot: Slot): Subject | undefined {
    const { number } = slot;
    let subject = this.#subjects[number];
    if (subject !== undefined && ((this.#known[number] ?? 0) & subjectKnown) !== 0) {
      return subject.text === "" ? undefined : subject;
    }
    subject ??= new Subject();
    this.#subjects[number] = subject;
    subject.load(toSubjectText(this.#value(number)));
    this.#know(slot, subjectKnown);
    return subject.text === "" ? undefined : subject;
  }

  #traceCondition(number: number, slot: number, matched: boolean, trace: ConditionTrace[]): void {
    const condition = this.#plan.conditions[number];
    if (condition !== undefined) trace.push({ condition, saw: this.#value(slot), matched });
  }
}

function findDistribution(distributions: readonly DistributionPlan[], value: number): DistributionPlan | undefined {
  for (let i = 0; i < distributions.length; i++) {
    const each = distributions[i];
    if (each !== undefined && value >= each.start && value < each.end) return each;
  }
  return undefined;
}

function toSubjectText(value: unknown): string {
  try {
    return toText(value) ?? "";
  } catch {
    return "";
  }
}

function traceBucket(
  { slot: { selector }, salt }: BucketPlan,
  hit:
    | {
        subject: string;
        hash: number;
        allocation: AllocationPlan | undefined;
        distribution: DistributionPlan | undefined;
      }
    | undefined,
): BucketTrace {
  return {
    selector,
    input: hit && `${salt.text}/${hit.subject}`,
    hash: hit?.hash,
    allocation: hit && hit.hash % 100,
    distribution: hit && Math.floor(hit.hash / 100),
    allocationRange: hit?.allocation?.range,
    distributionRange: hit?.distribution?.range,
  };
}
