import { Evaluator } from "./evaluate.ts";
import type { EvaluationContext, Flag, Variant } from "./flag.ts";
import { findCycles, sortByDependency } from "./order.ts";
import { PatternError } from "./pattern.ts";
import type { Plan } from "./plan.ts";
import { PlanBuilder } from "./plan-builder.ts";
import { Selections } from "./selection.ts";
import type { TraceSink } from "./trace.ts";
import { findShapeFault } from "./well-formed.ts";

export interface CompiledFlags {
  /**
   * The variant of each flag that has one for this context, by flag key, with metadata merged
   * `{...flag, ...segment, ...variant}`. Never throws. The variants are frozen and shared between calls; the record
   * itself is the caller's. Every key is an own property, `__proto__` too; ask `Object.hasOwn` about a key that comes
   * from outside.
   *
   * @param flagKeys Evaluates only these flags and what they depend on, and returns all of those, as experiment-core
   *   does after `topologicalSort(flags, flagKeys)`. Unknown keys are ignored; an empty list evaluates nothing.
   * @param trace Receives what was seen and decided, flag by flag; a flag with a fault comes with its reason.
   */
  evaluate(context: EvaluationContext, flagKeys?: readonly string[], trace?: TraceSink): Record<string, Variant>;
  /** Flags that cannot be evaluated and are absent from all results: key → reason in words. */
  readonly faults: ReadonlyMap<string, string>;
}

/** Splits flags into those that have a shape and a place in the order, by key, and the reasons of the others. */
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
  const wellFormed = [...sound.values()];
  for (const position of findCycles(linkDependencies(wellFormed))) {
    const key = wellFormed[position]?.key ?? "";
    sound.delete(key);
    faults.set(key, "the flag depends on itself, directly or through others");
  }
  return { sound, faults };
}

/** Positions of the flags each flag depends on; those not in the list are left out. */
function linkDependencies(flags: readonly Flag[]): number[][] {
  const positions = new Map(flags.map(({ key }, position) => [key, position]));
  return flags.map(({ dependencies }) =>
    (dependencies ?? []).map((key) => positions.get(key)).filter((position) => position !== undefined),
  );
}

/** Each flag after those it depends on. */
function sortFlags(flags: readonly Flag[]): Flag[] {
  const dependencies = linkDependencies(flags);
  return sortByDependency(dependencies, dependencies.keys())
    .map((position) => flags[position])
    .filter((flag) => flag !== undefined);
}

/** Enters the flags in a plan, in order; one that cannot be compiled becomes a fault. */
function planFlags(flags: readonly Flag[], faults: Map<string, string>): Plan {
  const builder = new PlanBuilder(flags.length);
  for (const flag of flags) {
    try {
      builder.add(flag);
    } catch (error) {
      if (!(error instanceof PatternError)) throw error;
      faults.set(flag.key, error.message);
    }
  }
  return builder.build();
}

/**
 * Prepares flags for evaluation: everything that depends on the flags alone is done here, once. A flag that is
 * malformed, on a dependency cycle, or holds a refused regular expression is left out and listed in `faults`; flags
 * that depend on it see it as absent, and the others are untouched. The flags must not change afterwards.
 */
export function compileFlags(flags: readonly Flag[]): CompiledFlags {
  const { sound, faults } = sift(flags);
  const plan = planFlags(sortFlags([...sound.values()]), faults);
  const sorted = plan.flags.map((key) => sound.get(key)).filter((flag) => flag !== undefined);
  const evaluator = new Evaluator(plan);
  const selections = new Selections(plan, linkDependencies(sorted));

  return {
    faults,
    evaluate(context, flagKeys, trace) {
      const selection = flagKeys === undefined ? selections.all : selections.find(flagKeys);
      const results = evaluator.evaluate(context, selection, trace);
      if (trace !== undefined) traceFaults(faults, flagKeys, trace);
      return results;
    },
  };
}

function traceFaults(
  faults: ReadonlyMap<string, string>,
  flagKeys: readonly string[] | undefined,
  trace: TraceSink,
): void {
  for (const [flag, fault] of faults) {
    if (flagKeys === undefined || flagKeys.includes(flag))
      trace.push({ flag, segments: [], variant: undefined, fault });
  }
}
