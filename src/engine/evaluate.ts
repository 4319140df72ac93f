import type { Bits } from "./equality-index.ts";
import type { EvaluationContext, Variant } from "./flag.ts";
import {
  type AllocationPlan,
  type Choice,
  type DistributionPlan,
  instructionLength,
  opcodes,
  type Plan,
} from "./plan.ts";
import { Reading } from "./reading.ts";
import { collect, ResultTemplate } from "./results.ts";
import { Subject } from "./salted-hash.ts";
import { selectOwn } from "./select.ts";
import type { Slot } from "./slots.ts";
import { toText } from "./text.ts";
import type { TraceSink } from "./trace.ts";
import { TraceLog } from "./trace-log.ts";

// How much of a slot is in place.
const nothing = 0;
const itsValue = 1;
const itsAnswers = 2;

/** Runs a plan's program on contexts, one after the other: its memory is laid out once and used again. */
export class Evaluator {
  readonly #plan: Plan;
  readonly #template: ResultTemplate;
  readonly #allNumbers: readonly number[];
  /** What is looked at before all flags are evaluated. */
  readonly #slots: readonly Slot[];
  #context: unknown;
  /** The flags to evaluate, in order. */
  #numbers: readonly number[] = [];
  /** By flag number: the outcome so far. */
  readonly #variants: (Variant | undefined)[];
  /** By slot number: how much of it is in place; its value; its forms, where asked for. */
  readonly #known: number[];
  readonly #values: unknown[];
  readonly #readings: (Reading | undefined)[];
  #hasReadings = false;
  /** Bits of the answers to all equality conditions. */
  readonly #answers: number[];
  readonly #subjects: readonly Subject[];
  readonly #subjectKnown: boolean[];

  constructor(plan: Plan) {
    this.#plan = plan;
    this.#template = new ResultTemplate(plan.flags);
    this.#allNumbers = [...plan.flags.keys()];
    this.#slots = [...new Set(plan.slotsOf.flat())].sort((a, b) => a.number - b.number);
    this.#variants = plan.flags.map(() => undefined);
    this.#known = plan.slots.map(() => nothing);
    this.#values = plan.slots.map(() => undefined);
    this.#readings = plan.slots.map(() => undefined);
    this.#answers = Array.from({ length: plan.words }, () => 0);
    this.#subjects = Array.from({ length: plan.subjects }, () => new Subject());
    this.#subjectKnown = this.#subjects.map(() => false);
  }

  /** The variants of all flags. */
  evaluateAll(context: EvaluationContext, trace: TraceSink | undefined): Record<string, Variant> {
    this.#context = context;
    this.#numbers = this.#allNumbers;
    this.#lookAhead(this.#slots);
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
    this.#context = context;
    this.#numbers = numbers;
    for (const flag of numbers) {
      this.#lookAhead(this.#plan.slotsOf[flag] ?? []);
      this.#variants[flag] = this.#evaluate(flag, trace);
    }
    const results = this.#collect();
    this.#forget();
    return results;
  }

  #collect(): Record<string, Variant> {
    return collect(this.#plan.flags, this.#variants, this.#numbers);
  }

  /** Lets go of the context, which is the caller's and may hold personal data. */
  #forget(): void {
    this.#context = undefined;
    // Loops, because `fill` costs more than they do on arrays as short as these.
    for (let slot = 0; slot < this.#known.length; slot++) {
      this.#known[slot] = nothing;
      this.#values[slot] = undefined;
    }
    for (let flag = 0; flag < this.#variants.length; flag++) this.#variants[flag] = undefined;
    for (let subject = 0; subject < this.#subjectKnown.length; subject++) this.#subjectKnown[subject] = false;
    if (this.#hasReadings) this.#readings.fill(undefined);
    this.#hasReadings = false;
  }

  #evaluate(flag: number, trace: TraceSink | undefined): Variant | undefined {
    if (trace === undefined) return this.#run(flag, undefined)?.variant;
    const log = new TraceLog(this.#plan);
    const choice = this.#run(flag, log);
    trace.push(log.tell(flag, choice));
    return choice?.variant;
  }

  /** Runs a flag's program to the first segment that gives a variant the flag has. */
  #run(flag: number, log: TraceLog | undefined): Choice | undefined {
    const { code, starts } = this.#plan;
    const answers = this.#answers;
    for (let at = starts[flag] ?? 0; ; at += instructionLength) {
      const word = code[at] ?? opcodes.end;
      if (word >= 0) {
        const holds = ((answers[word] ?? 0) & (code[at + 1] ?? 0)) !== 0;
        if (log !== undefined) this.#logCondition(code[at + 3] ?? 0, holds, log);
        if (!holds) at = (code[at + 2] ?? 0) - instructionLength;
      } else if (word === opcodes.matched) {
        const choice = this.#choose(code[at + 1] ?? 0, log);
        if (choice?.variant !== undefined) return choice;
      } else if (word === opcodes.ask) {
        const holds = this.#ask(code[at + 3] ?? 0);
        if (log !== undefined) this.#logCondition(code[at + 3] ?? 0, holds, log);
        if (!holds) at = (code[at + 2] ?? 0) - instructionLength;
      } else if (word === opcodes.jump) at = (code[at + 1] ?? 0) - instructionLength;
      else if (word === opcodes.look) this.#look(code[at + 1] ?? 0);
      else return undefined;
    }
  }

  #ask(condition: number): boolean {
    const plan = this.#plan.conditions[condition];
    return plan?.test?.(this.#read(plan.slot)) ?? false;
  }

  #logCondition(number: number, matched: boolean, log: TraceLog): void {
    const slot = this.#plan.conditions[number]?.slot;
    if (slot !== undefined) log.condition(number, this.#find(slot), matched);
  }

  /** Finds the values of slots, each after its parent, and answers the equality conditions on them. */
  #lookAhead(slots: readonly Slot[]): void {
    for (let i = 0; i < slots.length; i++) {
      const slot = slots[i];
      if (slot === undefined || this.#known[slot.number] === itsAnswers) continue;
      this.#answer(slot, this.#find(slot));
      this.#known[slot.number] = itsAnswers;
    }
  }

  #look(number: number): void {
    if (this.#known[number] === itsAnswers) return;
    const slot = this.#plan.slots[number];
    if (slot === undefined) return;
    this.#answer(slot, this.#find(slot));
    if (!slot.changes) this.#known[number] = itsAnswers;
  }

  #find(slot: Slot): unknown {
    const { number } = slot;
    if (this.#known[number] !== nothing) return this.#values[number];
    const value = this.#select(slot);
    if (slot.changes) return value;
    this.#known[number] = itsValue;
    this.#values[number] = value;
    return value;
  }

  #select({ kind, parent, name }: Slot): unknown {
    switch (kind) {
      case "property":
        return parent === undefined ? undefined : selectOwn(this.#find(parent), name);
      case "context":
        return this.#context ?? undefined;
      case "one result":
        return this.#variants[this.#plan.numbers.get(name) ?? -1];
      case "all results":
        return this.#collect();
    }
  }

  #read(slot: Slot): Reading {
    const known = this.#readings[slot.number];
    if (known !== undefined) return known;
    const reading = new Reading(this.#find(slot));
    if (slot.changes) return reading;
    this.#readings[slot.number] = reading;
    this.#hasReadings = true;
    return reading;
  }

  /** Answers all equality conditions on a slot. */
  #answer({ index, firstWord }: Slot, value: unknown): void {
    if (index === undefined) return;
    let answer: Bits | undefined;
    if (value === undefined) answer = index.ofMissing();
    else if (typeof value === "string" && value.charCodeAt(0) !== 91) answer = index.ofText(value);
    else {
      const { list, text } = new Reading(value);
      if (list !== undefined) answer = index.ofList(list);
      else if (text !== undefined) answer = index.ofText(text.text);
    }
    for (let word = 0; word < index.words; word++) this.#answers[firstWord + word] = answer?.[word] ?? 0;
  }

  #choose(number: number, log: TraceLog | undefined): Choice | undefined {
    const segment = this.#plan.segments[number];
    const bucket = segment?.bucket;
    if (bucket === undefined) {
      log?.match(number, segment?.choice);
      return segment?.choice;
    }
    const subject = this.#subject(bucket.subject, bucket.slot);
    if (subject === undefined) {
      log?.bucket(number, bucket);
      log?.match(number, segment?.choice);
      return segment?.choice;
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
    const choice = distribution === undefined ? segment?.choice : distribution.choice;
    log?.bucket(number, bucket, { subject: subject.text, hash, allocation, distribution });
    log?.match(number, choice);
    return choice;
  }

  /** What is bucketed; undefined when missing, empty or without a string form. */
  #subject(number: number, slot: Slot): Subject | undefined {
    const subject = this.#subjects[number];
    if (subject === undefined) return undefined;
    if (!this.#subjectKnown[number]) {
      subject.load(toSubjectText(this.#find(slot)));
      this.#subjectKnown[number] = !slot.changes;
    }
    return subject.text === "" ? undefined : subject;
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
