import type { Test } from "./conditions.ts";
import type { Allocation, EvaluationContext, Variant } from "./flag.ts";
import type { Property, Reading } from "./property.ts";
import { type Salt, Subject } from "./salted-hash.ts";
import { toText } from "./text.ts";
import type { BucketTrace, ConditionTrace, FlagTrace, SegmentTrace, TraceSink } from "./trace.ts";

/** A variant key with what the flag returns for it. */
export interface Choice {
  readonly key: string;
  /** Undefined when the flag knows no such variant: the next segment is tried. */
  readonly variant: Variant | undefined;
}

export interface BucketPlan {
  readonly property: Property;
  readonly salt: Salt;
  readonly allocations: readonly { range: Allocation["range"]; distributions: readonly DistributionPlan[] }[];
}

export interface DistributionPlan {
  readonly range: Allocation["range"];
  readonly choice: Choice;
}

export interface SegmentPlan {
  readonly name: string | undefined;
  /** Undefined matches everyone. */
  readonly groups: readonly (readonly Test[])[] | undefined;
  readonly bucket: BucketPlan | undefined;
  readonly choice: Choice | undefined;
}

export interface FlagPlan {
  readonly key: string;
  readonly segments: readonly SegmentPlan[];
}

/** Inherits nothing, so that a flag may be called `__proto__`; yet its instances, unlike `Object.create(null)`, are fast. */
class Results {
  [flagKey: string]: Variant;
}
Object.setPrototypeOf(Results.prototype, null);
Reflect.deleteProperty(Results.prototype, "constructor");

/** The evaluation of one context. */
export class Evaluation {
  readonly results: Record<string, Variant> = new Results();
  readonly #target: { context: EvaluationContext; result: Record<string, Variant> };
  readonly #readings: (Reading | undefined)[] = [];
  /** By property number; null where there is nothing to bucket. */
  readonly #subjects: (Subject | null | undefined)[] = [];

  constructor(context: EvaluationContext) {
    this.#target = { context, result: this.results };
  }

  /** Adds the flag's variant to the results, if it has one. Flags it depends on come first. */
  evaluate(flag: FlagPlan, trace: TraceSink | undefined): void {
    const segments: SegmentTrace[] | undefined = trace && [];
    let variant: string | undefined;
    for (let index = 0; index < flag.segments.length; index++) {
      const segment = flag.segments[index];
      if (segment === undefined) continue;
      const groups: ConditionTrace[][] | undefined = segments && [];
      const buckets: BucketTrace[] | undefined = segments && [];
      const matched = segment.groups === undefined || this.#matches(segment.groups, groups);
      const choice = matched ? this.#choose(segment, buckets) : undefined;
      segments?.push({
        index,
        name: segment.name,
        groups: groups ?? [],
        matched,
        bucket: buckets?.[0],
        variant: choice?.key,
      });
      if (choice?.variant !== undefined) {
        this.results[flag.key] = choice.variant;
        variant = choice.key;
        break;
      }
    }
    if (segments !== undefined)
      trace?.push({ flag: flag.key, segments, variant, fault: undefined } satisfies FlagTrace);
  }

  #matches(groups: readonly (readonly Test[])[], trace: ConditionTrace[][] | undefined): boolean {
    for (const group of groups) {
      const seen: ConditionTrace[] | undefined = trace && [];
      if (seen !== undefined) trace?.push(seen);
      if (this.#matchesAll(group, seen)) return true;
    }
    return false;
  }

  #matchesAll(group: readonly Test[], trace: ConditionTrace[] | undefined): boolean {
    for (const test of group) {
      const reading = this.#read(test.property);
      const matched = test.matches(reading);
      trace?.push({ condition: test.condition, saw: reading.raw, matched });
      if (!matched) return false;
    }
    return true;
  }

  #read(property: Property): Reading {
    const known = this.#readings[property.number];
    if (known !== undefined) return known;
    const reading = property.read(this.#target);
    // What depends on flags may look different to a later flag.
    if (!property.ofResult) this.#readings[property.number] = reading;
    return reading;
  }

  #choose(segment: SegmentPlan, trace: BucketTrace[] | undefined): Choice | undefined {
    const { bucket } = segment;
    if (bucket === undefined) return segment.choice;
    const subject = this.#subject(bucket.property);
    if (subject === null) {
      trace?.push(unbucketed(bucket.property.selector));
      return segment.choice;
    }
    const hash = subject.hash(bucket.salt);
    const allocationValue = hash % 100;
    const distributionValue = Math.floor(hash / 100);
    let allocationRange: Allocation["range"] | undefined;
    let found: DistributionPlan | undefined;
    for (const { range, distributions } of bucket.allocations) {
      if (!(allocationValue >= range[0] && allocationValue < range[1])) continue;
      allocationRange = range;
      found = distributions.find((each) => distributionValue >= each.range[0] && distributionValue < each.range[1]);
      if (found !== undefined) break;
    }
    trace?.push({
      selector: bucket.property.selector,
      input: `${bucket.salt.text}/${subject.text}`,
      hash,
      allocation: allocationValue,
      distribution: distributionValue,
      allocationRange,
      distributionRange: found?.range,
    });
    return found?.choice ?? segment.choice;
  }

  /** What is bucketed; null when missing, empty or without a string form. */
  #subject(property: Property): Subject | null {
    const known = this.#subjects[property.number];
    if (known !== undefined) return known;
    const subject = createSubject(this.#read(property).raw);
    if (!property.ofResult) this.#subjects[property.number] = subject;
    return subject;
  }
}

function createSubject(value: unknown): Subject | null {
  try {
    const text = toText(value);
    return text ? new Subject(text) : null;
  } catch {
    return null;
  }
}

const unbucketed = (selector: readonly string[]): BucketTrace => ({
  selector,
  input: undefined,
  hash: undefined,
  allocation: undefined,
  distribution: undefined,
  allocationRange: undefined,
  distributionRange: undefined,
});
