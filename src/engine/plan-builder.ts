import { compileTest, findEqualityRule } from "./conditions.ts";
import { EqualityIndex } from "./equality-index.ts";
import type { Bucket, Condition, Flag, Segment, Variant } from "./flag.ts";
import { bitOf, toPlace, wordBits, wordOf } from "./places.ts";
import {
  type BucketPlan,
  type Choice,
  type ConditionPlan,
  type GroupPlan,
  maxFewFlags,
  type Plan,
  type Question,
  type SegmentPlan,
  type Test,
} from "./plan.ts";
import { type Slot, Slots } from "./slots.ts";
import { Subject } from "./subject.ts";

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
  /** By what conditions say. */
  readonly #questionsByText = new Map<string, Question>();
  /** Of the next group. */
  #place = 0;
  readonly #ends: number[] = [];
  readonly #groups: (GroupPlan | undefined)[] = [];
  readonly #indexes: EqualityIndex[] = [];
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
    this.#firstSegment.push(this.#segments.length);
    this.#makeRoom(flag);
    this.#starts.push(this.#place);
    for (const segment of flag.segments) this.#addSegment(flag, segment, tests);
    this.#ends.push(this.#place);
    const before = this.#isLazy ? [] : [...this.#seen].filter((slot) => !slot.changes);
    this.#slotsOf.push(before.sort((a, b) => a.number - b.number));
  }

  /** Goes on to the next word where this spares the flag lying across two. */
  #makeRoom({ segments }: Flag): void {
    const groups = segments.reduce((count, { conditions }) => count + (conditions?.length ?? 1), 0);
    if (bitOf(this.#place) + groups > wordBits && groups <= wordBits) this.#place = toPlace(wordOf(this.#place) + 1, 0);
  }

  #addSegment(flag: Flag, segment: Segment, tests: Tests): void {
    const groups = (segment.conditions ?? [[]]).map((conditions, group) => this.#addGroup(conditions, group, tests));
    this.#segments.push(this.#planSegment(flag, segment, groups));
  }

  #addGroup(conditions: readonly Condition[], group: number, tests: Tests): ConditionPlan[] {
    if (bitOf(this.#place) >= wordBits) this.#place = toPlace(wordOf(this.#place) + 1, 0);
    const segment = this.#segments.length;
    const planned = conditions.map((condition) => {
      const number = this.#conditions.length;
      const plan = { ...this.#planCondition(condition, tests.get(condition)), condition, number, segment, group };
      this.#conditions.push(plan);
      return plan;
    });
    this.#groups[this.#place] = { segment, conditions: planned, asked: [] };
    this.#place++;
    return planned;
  }

  #planCondition(condition: Condition, test: Test | undefined) {
    const slot = this.#look(condition.selector);
    const rule = findEqualityRule(condition);
    if (rule === undefined) {
      return { slot, index: undefined, word: 0, mask: 0, question: test && this.#addQuestion(condition, slot, test) };
    }
    const isAlone = slot.changes || this.#isLazy;
    const index = isAlone ? new EqualityIndex() : this.#findIndex(slot);
    index.add(condition.values, rule, isAlone ? 0 : this.#place);
    if (isAlone) index.seal();
    return {
      slot,
      index,
      word: index.words.length - 1,
      mask: isAlone ? 1 : 1 << bitOf(this.#place),
      question: undefined,
    };
  }

  /** The index of a slot that the present group has no condition in yet. */
  #findIndex({ indexes }: Slot): EqualityIndex {
    const known = indexes.find(({ index }) => index.hasRoom(this.#place));
    if (known !== undefined) return known.index;
    const index = new EqualityIndex();
    indexes.push({ number: this.#indexes.push(index) - 1, index });
    return index;
  }

  #addQuestion({ selector, op, values }: Condition, slot: Slot, test: Test): Question {
    const key = JSON.stringify([selector, op, values]);
    const known = this.#questionsByText.get(key);
    if (known !== undefined) {
      known.isShared = true;
      return known;
    }
    const question = { number: this.#questions.length, slot, test, isShared: false, places: [] };
    this.#questions.push(question);
    this.#questionsByText.set(key, question);
    return question;
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
      end: this.#place,
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
    for (const index of this.#indexes) index.seal();
    const questionsOf = this.#flags.map((_, flag) => this.#settleQuestions(flag));
    return {
      slots: this.#slots.list,
      indexes: this.#indexes,
      rulings: this.#planRulings(),
      flags: this.#flags,
      numbers: new Map(this.#flags.map((key, number) => [key, number])),
      starts: Int32Array.from(this.#starts),
      ends: Int32Array.from(this.#ends),
      slotsOf: this.#slotsOf,
      questionsOf,
      firstSegment: [...this.#firstSegment, this.#segments.length],
      groups: Array.from(this.#groups),
      segments: this.#segments,
      conditions: this.#conditions,
      questions: this.#questions,
    };
  }

  /** Decides what is asked of each group of a flag, and returns the questions that are answered beforehand. */
  #settleQuestions(flag: number): Question[] {
    const before = new Set<Question>();
    for (let place = this.#starts[flag] as number; place < (this.#ends[flag] as number); place++) {
      const group = this.#groups[place];
      if (group === undefined) continue;
      group.asked = group.conditions.filter(({ index, question, slot }) => {
        if (slot.changes || this.#isLazy) return true;
        if (index !== undefined) return false;
        if (!question?.isShared) return true;
        addPlace(question.places, place);
        before.add(question);
        return false;
      });
    }
    return [...before];
  }

  #planRulings(): number[][] {
    const rulings = Array.from({ length: wordOf(this.#place) + 1 }, (): number[] => []);
    for (const [number, { words }] of this.#indexes.entries()) {
      for (const [at, word] of words.entries()) rulings[word]?.push(number, at);
    }
    return rulings;
  }
}

function addPlace(places: number[], place: number): void {
  const mask = 1 << bitOf(place);
  if (places.at(-2) === wordOf(place)) places[places.length - 1] = (places.at(-1) as number) | mask;
  else places.push(wordOf(place), mask);
}

function mergeVariant(flag: Flag, segment: Segment, key: string): Variant | undefined {
  const variant = Object.hasOwn(flag.variants, key) ? flag.variants[key] : undefined;
  if (variant === undefined) return undefined;
  const metadata = Object.freeze({ ...flag.metadata, ...segment.metadata, ...variant.metadata });
  return Object.freeze({ ...variant, metadata });
}
