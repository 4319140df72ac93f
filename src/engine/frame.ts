import type { Bits, EqualityIndex } from "./equality-index.ts";
import { isPlain, selectField } from "./fields.ts";
import type { Variant } from "./flag.ts";
import { fullWord } from "./places.ts";
import type { BucketPlan, ConditionPlan, Plan, Question } from "./plan.ts";
import { isPlainText, Reading } from "./reading.ts";
import { collect, createBlankVariants } from "./results.ts";
import { selectOwn } from "./select.ts";
import type { Asking, Selection } from "./selection.ts";
import type { Slot } from "./slots.ts";
import type { Subject } from "./subject.ts";
import { toText } from "./text.ts";

/** Stands for the value of a slot that has not been looked at. */
const unread = Symbol("unread");

/** What the frames of a plan are copied from: copying an array is faster than filling one. */
export class BlankFrame {
  readonly plan: Plan;
  readonly values: readonly unknown[];
  /** By word of places: which groups are not ruled out. */
  readonly live: readonly number[];
  /** By number of the index. Where nothing has been looked at, nothing is ruled out. */
  readonly answers: readonly Bits[];

  constructor(plan: Plan) {
    this.plan = plan;
    this.values = plan.slots.map(() => unread);
    this.live = plan.rulings.map(() => 0);
    this.answers = plan.indexes.map(({ words }) => words.map(() => fullWord));
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
  /** By word of places: which groups are not ruled out. */
  readonly live: number[];
  readonly #answers: Bits[];
  /** By slot number: its value. */
  readonly #values: unknown[];
  /** The object that was looked into last, and whether it is plain. */
  #object: unknown = undefined;
  #isPlain = false;
  /** By slot number: the forms of its value, where asked for. */
  #readings: (Reading | undefined)[] | undefined = undefined;
  /** By slot number: what is bucketed, where it takes work to make. */
  #subjects: string[] | undefined = undefined;
  /** What was hashed last, and the turn of it. */
  #hashed: Subject | undefined = undefined;
  #turn = 0;
  /** By question number: whether it holds, where several conditions ask. */
  #replies: boolean[] | undefined = undefined;

  constructor(blank: BlankFrame, context: unknown, numbers: readonly number[]) {
    this.#plan = blank.plan;
    this.#context = context;
    this.numbers = numbers;
    this.#values = blank.values.slice();
    this.variants = createBlankVariants(blank.plan.flags.length);
    this.live = blank.live.slice();
    this.#answers = blank.answers.slice();
  }

  /** Finds the values of slots, each after its parent, and rules out all groups that conditions on them do not let pass. */
  lookAhead({ slots, words, questions }: Selection): void {
    const answers = this.#answers;
    for (let i = 0; i < slots.length; i++) {
      const slot = slots[i] as Slot;
      const value = this.find(slot);
      const { indexes } = slot;
      for (let j = 0; j < indexes.length; j++) {
        const { number, index } = indexes[j] as (typeof indexes)[number];
        answers[number] = index.answer(value);
      }
    }
    const { live } = this;
    const { rulings } = this.#plan;
    for (let i = 0; i < words.length; i++) {
      const word = words[i] as number;
      const ruling = rulings[word] as readonly number[];
      let bits = fullWord;
      for (let j = 0; j < ruling.length; j += 2) {
        bits &= (answers[ruling[j] as number] as Bits)[ruling[j + 1] as number] as number;
      }
      live[word] = bits;
    }
    for (let i = 0; i < questions.length; i++) this.#ruleOut(questions[i] as Asking);
  }

  /** Asks, if any group that hangs on it is left. */
  #ruleOut({ question, places }: Asking): void {
    const { live } = this;
    for (let i = 0; i < places.length; i += 2) {
      if (((live[places[i] as number] as number) & (places[i + 1] as number)) === 0) continue;
      if (question.test(this.#read(question.slot))) return;
      for (let j = i; j < places.length; j += 2) {
        const word = places[j] as number;
        live[word] = (live[word] as number) & ~(places[j + 1] as number);
      }
      return;
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

  /** Hashes the bucket's subject, unless it has been; false when there is none. */
  hash({ slot, salt, subject }: BucketPlan): boolean {
    if (subject === this.#hashed && subject.isLoaded(salt, this.#turn) && !slot.changes) return true;
    const text = this.findSubject(slot);
    if (text === "") return false;
    this.#turn = subject.load(salt, text);
    this.#hashed = subject;
    return true;
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
  #answer(slot: Slot, index: EqualityIndex): Bits {
    const value = this.find(slot);
    return value === undefined || isPlainText(value) ? index.answer(value) : index.answerReading(this.#read(slot));
  }

  holds({ slot, index, word, mask, question }: ConditionPlan): boolean {
    if (question !== undefined) return this.#reply(question);
    return index !== undefined && ((this.#answer(slot, index)[word] as number) & mask) !== 0;
  }

  #reply({ number, slot, test, isShared }: Question): boolean {
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
