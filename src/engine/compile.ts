import { compileCondition } from "./conditions.ts";
import { type BucketPlan, type Choice, Evaluation, type FlagPlan, type SegmentPlan } from "./evaluate.ts";
import type { Bucket, EvaluationContext, Flag, Segment, Variant } from "./flag.ts";
import { findCycles, sortByDependency } from "./order.ts";
import { PatternError } from "./pattern.ts";
import { Property } from "./property.ts";
import { Salt } from "./salted-hash.ts";
import type { TraceSink } from "./trace.ts";
import { findShapeFault } from "./well-formed.ts";

export interface CompiledFlags {
  /**
   * The variant of each flag that has one for this context, by flag key, with metadata merged
   * `{...flag, ...segment, ...variant}`. Never throws. The variants are frozen and shared between calls; the record
   * itself is the caller's and inherits nothing, so a flag may be called `__proto__`.
   *
   * @param flagKeys Evaluates only these flags and what they depend on, and returns all of those, as experiment-core
   *   does after `topologicalSort(flags, flagKeys)`. Unknown keys are ignored; an empty list evaluates nothing.
   * @param trace Receives what was seen and decided, flag by flag; a flag with a fault comes with its reason.
   */
  evaluate(context: EvaluationContext, flagKeys?: readonly string[], trace?: TraceSink): Record<string, Variant>;
  /** Flags that cannot be evaluated and are absent from all results: key → reason in words. */
  readonly faults: ReadonlyMap<string, string>;
}

/** Compiles the flags of one snapshot, sharing between them what they ask of a context. */
class Compiler {
  readonly #properties = new Map<string, Property>();

  /** @throws PatternError when a regular expression is refused. */
  compile(flag: Flag): FlagPlan {
    return { key: flag.key, segments: flag.segments.map((segment) => this.#segment(flag, segment)) };
  }

  #segment(flag: Flag, segment: Segment): SegmentPlan {
    const name = segment.metadata?.segmentName;
    const choices = new Map<string, Choice>();
    const choose = (key: string): Choice => {
      const known = choices.get(key);
      if (known !== undefined) return known;
      const choice = { key, variant: mergeVariant(flag, segment, key) };
      choices.set(key, choice);
      return choice;
    };
    return {
      name: typeof name === "string" ? name : undefined,
      groups: segment.conditions?.map((group) =>
        group.map((condition) => compileCondition(this.#property(condition.selector), condition)),
      ),
      bucket: segment.bucket ? this.#bucket(segment.bucket, choose) : undefined,
      choice: typeof segment.variant === "string" ? choose(segment.variant) : undefined,
    };
  }

  #bucket(bucket: Bucket, choose: (key: string) => Choice): BucketPlan {
    return {
      property: this.#property(bucket.selector),
      salt: new Salt(bucket.salt),
      allocations: bucket.allocations.map(({ range, distributions }) => ({
        range,
        distributions: distributions.map(({ range, variant }) => ({ range, choice: choose(variant) })),
      })),
    };
  }

  #property(selector: readonly string[]): Property {
    const name = JSON.stringify(selector);
    let property = this.#properties.get(name);
    if (property === undefined) {
      property = new Property(selector, this.#properties.size);
      this.#properties.set(name, property);
    }
    return property;
  }
}

function mergeVariant(flag: Flag, segment: Segment, key: string): Variant | undefined {
  const variant = Object.hasOwn(flag.variants, key) ? flag.variants[key] : undefined;
  if (variant === undefined) return undefined;
  const metadata = Object.freeze({ ...flag.metadata, ...segment.metadata, ...variant.metadata });
  return Object.freeze({ ...variant, metadata });
}

/** Splits flags into those that can be evaluated, by key in the order given, and the reasons of the others. */
function sift(flags: readonly unknown[]): { sound: Map<string, Flag>; faults: Map<string, string> } {
  const sound = new Map<string, Flag>();
  const faults = new Map<string, string>();
  for (const [position, flag] of flags.entries()) {
    const key = (flag as Partial<Flag> | null | undefined)?.key;
    if (typeof flag !== "object" || flag === null || typeof key !== "string") {
      faults.set(`#${position}`, "the flag has no key");
      continue;
    }
    const fault = sound.has(key) || faults.has(key) ? "the key is used by several flags" : findShapeFault(flag);
    if (fault === undefined) sound.set(key, flag as Flag);
    else {
      sound.delete(key);
      faults.set(key, fault);
    }
  }
  return { sound, faults };
}

/** Positions of the flags each flag depends on; unknown and broken ones are left out. */
function linkDependencies(flags: ReadonlyMap<string, Flag>): number[][] {
  const positions = new Map([...flags.keys()].map((key, position) => [key, position]));
  return [...flags.values()].map(({ dependencies }) =>
    (dependencies ?? []).map((key) => positions.get(key)).filter((position) => position !== undefined),
  );
}

/**
 * Prepares flags for evaluation: everything that depends on the flags alone is done here, once. A flag that is
 * malformed, on a dependency cycle, or holds a refused regular expression is left out and listed in `faults`; flags
 * that depend on it see it as absent, and the others are untouched. The flags must not change afterwards.
 */
export function compileFlags(flags: readonly Flag[]): CompiledFlags {
  const { sound, faults } = sift(flags);
  const keys = [...sound.keys()];
  for (const position of findCycles(linkDependencies(sound))) {
    const key = keys[position];
    if (key !== undefined) faults.set(key, "the flag depends on itself, directly or through others");
  }
  for (const key of faults.keys()) sound.delete(key);

  const compiler = new Compiler();
  const plans = new Map<string, FlagPlan>();
  for (const [key, flag] of sound) {
    try {
      plans.set(key, compiler.compile(flag));
    } catch (error) {
      if (!(error instanceof PatternError)) throw error;
      sound.delete(key);
      faults.set(key, error.message);
    }
  }
  const dependencies = linkDependencies(sound);
  const planList = [...plans.values()];
  const positions = new Map([...plans.keys()].map((key, position) => [key, position]));
  const everything = sortByDependency(dependencies, dependencies.keys());

  return {
    faults,
    evaluate(context, flagKeys, trace) {
      const evaluation = new Evaluation(context);
      const roots = flagKeys?.map((key) => positions.get(key)).filter((position) => position !== undefined);
      for (const position of roots === undefined ? everything : sortByDependency(dependencies, roots)) {
        const plan = planList[position];
        if (plan !== undefined) evaluation.evaluate(plan, trace);
      }
      if (trace !== undefined) {
        for (const [flag, fault] of faults) {
          if (flagKeys === undefined || flagKeys.includes(flag)) {
            trace.push({ flag, segments: [], variant: undefined, fault });
          }
        }
      }
      return evaluation.results;
    },
  };
}
