import { compileTest, findEqualityRule } from "./conditions.ts";
import { bitOf, EqualityIndex, wordOf } from "./equality-index.ts";
import type { Bucket, Condition, Flag, Segment, Variant } from "./flag.ts";
import {
  type BucketPlan,
  type Choice,
  type ConditionPlan,
  instructionLength,
  maxFewFlags,
  opcodes,
  type Plan,
  type Question,
  type SegmentPlan,
  type Test,
} from "./plan.ts";
import { Subject } from "./salted-hash.ts";
import { type Slot, Slots } from "./slots.ts";

type Place = Omit<ConditionPlan, "index" | "question">;
type Tests = ReadonlyMap<Condition, Test>;

/** Writes the program of a plan, flag by flag; each after those it depends on. */
export class PlanBuilder {
  readonly #isLazy: boolean;
  readonly #slots = new Slots();
  readonly #subjects = new Map<Slot, Subject>();
  readonly #flags: string[] = [];
  readonly #starts: number[] = [];
  readonly #slotsOf: Slot[][] = [];
  readonly #firstSegment: number[] = [];
  readonly #segments: SegmentPlan[] = [];
  readonly #conditions: ConditionPlan[] = [];
  readonly #questions: Question[] = [];
  /** Numbers of the questions, by what conditions say. */
  readonly #questionNumbers = new Map<string, number>();
  readonly #code: number[] = [];
  /** Equality conditions, whose words are known only when all are counted. */
  readonly #toPlace: { at: number; slot: Slot; equality: number }[] = [];
  /** What the present flag looks at. */
  #seen = new Set<Slot>();

  /** @param flagCount How many flags will be added. */
  constructor(flagCount: number) {
    this.#isLazy = flagCount <= maxFewFlags;
  }

  /** @throws PatternError when a regular expression is refused; then nothing has been added. */
  add(flag: Flag): void {
    const tests = new Map<Condition, Test>();
    for (const condition of flag.segments.flatMap((segment) => segment.conditions ?? []).flat()) {
      if (findEqualityRule(condition) === undefined) tests.set(condition, compileTest(condition));
    }
    this.#seen = new Set();
    this.#flags.push(flag.key);
    this.#starts.push(this.#code.length);
    this.#firstSegment.push(this.#segments.length);
    for (const segment of flag.segments) this.#addSegment(flag, segment, tests);
    this.#emit(opcodes.end);
    const before = this.#isLazy ? [] : [...this.#seen].filter((slot) => !slot.changes);
    this.#slotsOf.push(before.sort((a, b) => a.number - b.number));
  }

  #emit(first: number, second = 0, third = 0, fourth = 0): number {
    return this.#code.push(first, second, third, fourth) - instructionLength;
  }

  #addSegment(flag: Flag, segment: Segment, tests: Tests): void {
    const number = this.#segments.length;
    const groups = segment.conditions ?? [[]];
    const planned: ConditionPlan[][] = [];
    const successes: number[] = [];
    let failures: number[] = [];
    for (const [group, conditions] of groups.entries()) {
      this.#land(failures, 2);
      const first = this.#conditions.length;
      failures = conditions.map((condition) =>
        this.#addCondition(
          { condition, slot: this.#look(condition.selector), segment: number, group },
          tests.get(condition),
        ),
      );
      planned.push(this.#conditions.slice(first));
      if (group < groups.length - 1) successes.push(this.#emit(opcodes.jump));
    }
    if (groups.length > 0) {
      this.#land(successes, 1);
      this.#emit(opcodes.matched, number);
    }
    this.#land(failures, 2);
    this.#segments.push(this.#planSegment(flag, segment, planned));
  }

  /** Makes the jumps of earlier instructions, written in their operand number `operand`, lead to the next one. */
  #land(instructions: readonly number[], operand: number): void {
    for (const at of instructions) this.#code[at + operand] = this.#code.length;
  }

  /** Returns where the condition's instruction is. */
  #addCondition(place: Place, test: Test | undefined): number {
    const { condition, slot } = place;
    const number = this.#conditions.length;
    const rule = findEqualityRule(condition);
    const isAlone = rule !== undefined && (slot.changes || this.#isLazy);
    const index = isAlone ? new EqualityIndex() : undefined;
    const asked = test === undefined ? undefined : this.#addQuestion(place, test);
    this.#conditions.push({ ...place, index, question: asked === undefined ? undefined : this.#questions[asked] });
    if (asked !== undefined) return this.#emit(opcodes.ask, asked, 0, number);
    if (rule !== undefined && index !== undefined) {
      index.add(condition.values, rule);
      index.seal();
      return this.#emit(opcodes.compare, 0, 0, number);
    }
    const at = this.#emit(0, 0, 0, number);
    if (rule !== undefined) {
      this.#toPlace.push({ at, slot, equality: this.#slots.indexOf(slot).add(condition.values, rule) });
    }
    return at;
  }

  #addQuestion({ condition: { selector, op, values }, slot }: Place, test: Test): number {
    const key = JSON.stringify([selector, op, values]);
    const known = this.#questionNumbers.get(key);
    if (known === undefined) {
      const number = this.#questions.push({ slot, test, isShared: false }) - 1;
      this.#questionNumbers.set(key, number);
      return number;
    }
    (this.#questions[known] as Question).isShared = true;
    return known;
  }

  /** The slot at a selector, to be known, with what lies on the way, before the present flag is evaluated. */
  #look(selector: readonly string[]): Slot {
    const slot = this.#slots.find(selector);
    for (let each: Slot | undefined = slot; each !== undefined; each = each.parent) this.#seen.add(each);
    return slot;
  }

  #planSegment(flag: Flag, segment: Segment, groups: readonly ConditionPlan[][]): SegmentPlan {
    const choices = new Map<string, Choice>();
    const choose = (key: string): Choice => {
      const choice = choices.get(key) ?? { key, variant: mergeVariant(flag, segment, key) };
      choices.set(key, choice);
      return choice;
    };
    const name = segment.metadata?.segmentName;
    return {
      name: typeof name === "string" ? name : undefined,
      groups,
      bucket: segment.bucket ? this.#planBucket(segment.bucket, choose) : undefined,
      choice: typeof segment.variant === "string" ? choose(segment.variant) : undefined,
    };
  }

  #planBucket(bucket: Bucket, choose: (key: string) => Choice): BucketPlan {
    const slot = this.#look(bucket.selector);
    const subject = this.#subjects.get(slot) ?? new Subject();
    this.#subjects.set(slot, subject);
    return {
      slot,
      subject,
      salt: subject.add(bucket.salt),
      allocations: bucket.allocations.map(({ range, distributions }) => ({
        start: range[0],
        end: range[1],
        range,
        distributions: distributions.map(({ range, variant }) => ({
          start: range[0],
          end: range[1],
          range,
          choice: choose(variant),
        })),
      })),
    };
  }

  build(): Plan {
    const words = this.#slots.seal();
    for (const { at, slot, equality } of this.#toPlace) {
      this.#code[at] = slot.firstWord + wordOf(equality);
      this.#code[at + 1] = bitOf(equality);
    }
    return {
      slots: this.#slots.list,
      words,
      flags: this.#flags,
      numbers: new Map(this.#flags.map((key, number) => [key, number])),
      starts: this.#starts,
      slotsOf: this.#slotsOf,
      firstSegment: [...this.#firstSegment, this.#segments.length],
      code: Int32Array.from(this.#code),
      segments: this.#segments,
      conditions: this.#conditions,
      questions: this.#questions,
    };
  }
}

function mergeVariant(flag: Flag, segment: Segment, key: string): Variant | undefined {
  const variant = Object.hasOwn(flag.variants, key) ? flag.variants[key] : undefined;
  if (variant === undefined) return undefined;
  const metadata = Object.freeze({ ...flag.metadata, ...segment.metadata, ...variant.metadata });
  return Object.freeze({ ...variant, metadata });
}
