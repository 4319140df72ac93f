/** Thompson's construction: a regular expression as the steps of a non-deterministic automaton. */
import type { CodeUnits } from "./code-units.ts";
import { type Assertion, PatternError, type PatternNode } from "./pattern-syntax.ts";

/** Steps an automaton may have; a counted repetition counts as many times as it repeats. */
export const maxSteps = 1000;

export type Step =
  | { kind: "units"; units: CodeUnits; next: number }
  | { kind: "split"; next: number; other: number }
  | { kind: "assertion"; holds: Assertion; next: number }
  | { kind: "accept" };

export class Program {
  readonly steps: Step[] = [{ kind: "accept" }];
  readonly start: number;
  #budget = maxSteps;

  /** @throws PatternError when the automaton would have more than `maxSteps` steps. */
  constructor(node: PatternNode) {
    this.start = this.#emit(node, 0);
  }

  #push(step: Step): number {
    return this.steps.push(step) - 1;
  }

  /** Adds the steps for `node`, leading on to step `next`; returns the first of them. */
  #emit(node: PatternNode, next: number): number {
    // Counted a visit, not a step: `(){9999}` makes no steps but must not take long either.
    if (this.#budget-- <= 0) throw new PatternError(`the regular expression is too large: over ${maxSteps} steps`);
    switch (node.kind) {
      case "units":
        return this.#push({ kind: "units", units: node.units, next });
      case "assertion":
        return this.#push({ kind: "assertion", holds: node.holds, next });
      case "sequence":
        return node.items.reduceRight((after, item) => this.#emit(item, after), next);
      case "choice":
        return node.options
          .map((option) => this.#emit(option, next))
          .reduceRight((other, option) => this.#push({ kind: "split", next: option, other }));
      case "repeat":
        return this.#emitRepeat(node.item, node.min, node.max, next);
    }
  }

  #emitRepeat(item: PatternNode, min: number, max: number, next: number): number {
    let first = next;
    if (max === Infinity) {
      const loop = { kind: "split" as const, next, other: next };
      first = this.#push(loop);
      loop.other = this.#emit(item, first);
    } else {
      for (let i = min; i < max; i++) first = this.#push({ kind: "split", next: this.#emit(item, first), other: next });
    }
    for (let i = 0; i < min; i++) first = this.#emit(item, first);
    return first;
  }
}
