import type { Bits, EqualityIndex } from "./equality-index.ts";
import { isPlain, selectField } from "./fields.ts";
import type { Variant } from "./flag.ts";
import type { Plan, Question } from "./plan.ts";
import { isPlainText, Reading } from "./reading.ts";
import { collect, createBlankVariants } from "./results.ts";
import { selectOwn } from "./select.ts";
import type { Slot } from "./slots.ts";
import { toText } from "./text.ts";

/** Stands for the value of a slot that has not been looked at. */
const unread = Symbol("unread");

const noAnswers: number[] = [];

/** What the frames of a plan are copied from: copying an array is faster than filling one. */
export class BlankFrame {
  readonly plan: Plan;
  readonly values: readonly unknown[];
  readonly answers: readonly number[];

  constructor(plan: Plan) {
    this.plan = plan;
    this.values = plan.slots.map(() => unread);
    this.answers = Array.from({ length: plan.words }, () => 0);
  }
}

/**
 * What one evaluation has found out. Made anew each time: writing what is young into what is old costs the garbage
 * collector's bookkeeping, an evaluation may start another from within, and of a context, which may hold personal data,
 * nothing stays behind here.
 */
export class Frame {
  readonly #plan: Plan;
  readonly #context: unknown;
  /** The flags to evaluate, in order. */
  readonly numbers: readonly number[];
  /** By flag number: the outcome so far. */
  readonly variants: (Variant | undefined)[];
  /** Bits of the answers to the equality conditions that are answered together. */
  readonly answers: number[];
  /** By slot number: its value. */
  readonly #values: unknown[];
  /** The object that was looked into last, and whether it is plain. */
  #object: unknown = undefined;
  #isPlain = false;
  /** By slot number: the forms of its value, where asked for. */
  #readings: (Reading | undefined)[] | undefined = undefined;
  /** By slot number: what is bucketed, where it takes work to make. */
  #subjects: string[] | undefined = undefined;
  /** By question number: whether it holds, where several conditions ask. */
  #replies: boolean[] | undefined = undefined;

  constructor(blank: BlankFrame, context: unknown, numbers: readonly number[]) {
    this.#plan = blank.plan;
    this.#context = context;
    this.numbers = numbers;
    this.#values = blank.values.slice();
    this.variants = createBlankVariants(blank.plan.flags.length);
    this.answers = blank.answers.length === 0 ? noAnswers : blank.answers.slice();
  }

  /** Finds the values of slots, each after its parent, and answers all equality conditions on them. */
  lookAhead(slots: readonly Slot[]): void {
    const { answers } = this;
    for (let i = 0; i < slots.length; i++) {
      const slot = slots[i] as Slot;
      if (this.#values[slot.number] !== unread) continue;
      const value = this.find(slot);
      const { index, firstWord } = slot;
      if (index === undefined) continue;
      const answer = index.answer(value);
      for (let word = 0; word < answer.length; word++) answers[firstWord + word] = answer[word] as number;
    }
  }

  /** Undefined when missing; never null. */
  find(slot: Slot): unknown {
    const { number, parent } = slot;
    const known = this.#values[number];
    if (known !== unread) return known;
    if (slot.changes) return this.#findChanging(slot);
    const value = parent === undefined ? this.#findRoot(slot) : this.#select(this.find(parent), slot);
    this.#values[number] = value;
    return value;
  }

  #findRoot({ kind }: Slot): unknown {
    return kind === "context" ? (this.#context ?? undefined) : undefined;
  }

  #select(object: unknown, { field, name }: Slot): unknown {
    if (field < 0) return selectOwn(object, name);
    if (object !== this.#object) {
      this.#object = object;
      this.#isPlain = isPlain(object);
    }
    return this.#isPlain ? selectField(object as Record<string, unknown>, field) : selectOwn(object, name);
  }

  /** The value of a slot that depends on flags evaluated before. */
  #findChanging({ kind, parent, name }: Slot): unknown {
    if (kind === "all results") return collect(this.#plan.flags, this.variants, this.numbers);
    if (kind === "one result") return this.variants[this.#plan.numbers.get(name) ?? -1];
    return parent === undefined ? undefined : selectOwn(this.find(parent), name);
  }

  /** What is bucketed, as text; empty when missing or without a text. */
  findSubject(slot: Slot): string {
    const value = this.find(slot);
    if (typeof value === "string") return value;
    if (slot.changes) return toSubject(value);
    this.#subjects ??= [];
    this.#subjects[slot.number] ??= toSubject(value);
    return this.#subjects[slot.number] ?? "";
  }

  /** What an index says to the value of a slot; one that takes work to read is read once. */
  answer(slot: Slot, index: EqualityIndex): Bits {
    const value = this.find(slot);
    return value === undefined || isPlainText(value) ? index.answer(value) : index.answerReading(this.#read(slot));
  }

  holds(number: number): boolean {
    const { slot, test, isShared } = this.#plan.questions[number] as Question;
    if (!isShared || slot.changes) return test(this.#read(slot));
    this.#replies ??= [];
    this.#replies[number] ??= test(this.#read(slot));
    return this.#replies[number] ?? false;
  }

  #read(slot: Slot): Reading {
    if (slot.changes) return new Reading(this.find(slot));
    this.#readings ??= new Array(this.#values.length);
    const reading = this.#readings[slot.number] ?? new Reading(this.find(slot));
    this.#readings[slot.number] = reading;
    return reading;
  }
}

function toSubject(value: unknown): string {
  try {
    return toText(value) ?? "";
  } catch {
    return "";
  }
}
