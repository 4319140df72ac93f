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

/** Runs a plan's program on contexts, one after the other: its memory is laid out once and used again. */
export class Evaluator {
  readonly #plan: Plan;
  readonly #template: ResultTemplate;
  readonly #allNumbers: readonly number[];
  readonly #steadySlots: readonly Slot[];
  #context: unknown;
  /** The flags to evaluate, in order. */
  #numbers: readonly number[] = [];
  /** By flag number: the outcome so far. */
  readonly #variants: (Variant | undefined)[];
  /** By slot number: whether its value and answers are in place; the value; its forms, where asked for. */
  readonly #known: boolean[];
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
    this.#steadySlots = plan.slots.filter((slot) => !slot.changes);
    this.#variants = plan.flags.map(() => undefined);
    this.#known = plan.slots.map(() => false);
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
    this.#look(this.#steadySlots);
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
      this.#look(this.#plan.slotsOf[flag] ?? []);
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
      this.#known[slot] = false;
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
      else if (word === opcodes.refresh) this.#refresh(code[at + 1] ?? 0);
      else return undefined;
    }
  }

  #ask(condition: number): boolean {
    const plan = this.#plan.conditions[condition];
    if (plan?.test === undefined) return false;
    return plan.test(plan.slot.changes ? new Reading(this.#find(plan.slot)) : this.#reading(plan.slot.number));
  }

  #logCondition(number: number, matched: boolean, log: TraceLog): void {
    const slot = this.#plan.conditions[number]?.slot;
    if (slot !== undefined) log.condition(number, this.#find(slot), matched);
  }

  /** Finds the values of slots, each after its parent, and answers the equality conditions on them. */
  #look(slots: readonly Slot[]): void {
    for (let i = 0; i < slots.length; i++) {
      const slot = slots[i];
      if (slot === undefined || this.#known[slot.number]) continue;
      const { parent, number } = slot;
      const value = parent === undefined ? this.#find(slot) : selectOwn(this.#values[parent.number], slot.name);
      this.#known[number] = true;
      this.#values[number] = value;
      if (slot.index !== undefined) this.#answer(slot, value);
    }
  }

  #refresh(number: number): void {
    const slot = this.#plan.slots[number];
    if (slot !== undefined) this.#answer(slot, this.#find(slot));
  }

  /** The value at a slot, whether it changes or not. */
  #find({ kind, parent, name, number, changes }: Slot): unknown {
    if (!changes && this.#known[number]) return this.#values[number];
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

  #reading(number: number): Reading {
    let reading = this.#readings[number];
    if (reading !== undefined) return reading;
    reading = new Reading(this.#values[number]);
    this.#readings[number] = reading;
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
