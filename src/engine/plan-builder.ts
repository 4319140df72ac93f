import { compileTest, findEqualityRule } from "./conditions.ts";
import { bitOf, wordOf } from "./equality-index.ts";
import type { Bucket, Condition, Flag, Segment, Variant } from "./flag.ts";
import { askTest, type BucketPlan, type Choice, type Plan, type SegmentPlan, type Test } from "./plan.ts";
import { Salt } from "./salted-hash.ts";
import { type Slot, Slots } from "./slots.ts";

/** Fills the tables of a plan, flag by flag; each after those it depends on. */
export class PlanBuilder {
  readonly #slots = new Slots();
  readonly #flags: string[] = [];
  readonly #segments: SegmentPlan[] = [];
  readonly #conditions: Condition[] = [];
  readonly #tests: (Test | undefined)[] = [];
  readonly #code: number[] = [];
  readonly #firstCode: number[] = [];
  readonly #firstSegment: number[] = [];
  /** Equality conditions, whose words are known only when all are counted. */
  readonly #toPlace: { at: number; slot: Slot; equality: number }[] = [];

  /** @throws PatternError when a regular expression is refused; then nothing has been added. */
  add(flag: Flag): void {
    const tests = new Map<Condition, Test>();
    for (const condition of flag.segments.flatMap((segment) => segment.conditions ?? []).flat()) {
      if (findEqualityRule(condition) === undefined) tests.set(condition, compileTest(condition));
    }
    this.#flags.push(flag.key);
    this.#firstCode.push(this.#code.length);
    this.#firstSegment.push(this.#segments.length);
    for (const segment of flag.segments) this.#addSegment(flag, segment, tests);
  }

  #addSegment(flag: Flag, segment: Segment, tests: ReadonlyMap<Condition, Test>): void {
    const start = this.#code.push(0) - 1;
    for (const group of segment.conditions ?? [[]]) {
      const groupStart = this.#code.push(0) - 1;
      for (const condition of group) this.#addCondition(condition, tests.get(condition));
      this.#code[groupStart] = this.#code.length;
    }
    this.#code[start] = this.#code.length;
    const choices = new Map<string, Choice>();
    const choose = (key: string): Choice => {
      const choice = choices.get(key) ?? { key, variant: mergeVariant(flag, segment, key) };
      choices.set(key, choice);
      return choice;
    };
    const name = segment.metadata?.segmentName;
    this.#segments.push({
      name: typeof name === "string" ? name : undefined,
      bucket: segment.bucket ? this.#planBucket(segment.bucket, choose) : undefined,
      choice: typeof segment.variant === "string" ? choose(segment.variant) : undefined,
    });
  }

  #addCondition(condition: Condition, test: Test | undefined): void {
    const slot = this.#slots.find(condition.selector);
    const rule = findEqualityRule(condition);
    const number = this.#conditions.push(condition) - 1;
    this.#tests.push(test);
    if (rule !== undefined) {
      const equality = this.#slots.indexOf(slot).add(condition.values, rule);
      this.#toPlace.push({ at: this.#code.length, slot, equality });
    }
    this.#code.push(slot.number, askTest, 0, number);
  }

  #planBucket(bucket: Bucket, choose: (key: string) => Choice): BucketPlan {
    return {
      slot: this.#slots.find(bucket.selector),
      salt: new Salt(bucket.salt),
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
      this.#code[at + 1] = slot.firstWord + wordOf(equality);
      this.#code[at + 2] = bitOf(equality);
    }
    return {
      words,
      slots: this.#slots.list,
      flags: this.#flags,
      numbers: new Map(this.#flags.map((key, number) => [key, number])),
      firstCode: [...this.#firstCode, this.#code.length],
      firstSegment: [...this.#firstSegment, this.#segments.length],
      code: this.#code,
      segments: this.#segments,
      conditions: this.#conditions,
      tests: this.#tests,
    };
  }
}

function mergeVariant(flag: Flag, segment: Segment, key: string): Variant | undefined {
  const variant = Object.hasOwn(flag.variants, key) ? flag.variants[key] : undefined;
  if (variant === undefined) return undefined;
  const metadata = Object.freeze({ ...flag.metadata, ...segment.metadata, ...variant.metadata });
  return Object.freeze({ ...variant, metadata });
}
