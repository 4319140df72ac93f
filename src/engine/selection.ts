import type { Variant } from "./flag.ts";
import { type Dependencies, sortByDependency } from "./order.ts";
import { wordOf } from "./places.ts";
import type { Plan, Question } from "./plan.ts";
import { collect, type Draft, ResultTemplate } from "./results.ts";
import type { Slot } from "./slots.ts";

function wordsOf({ starts, ends }: Plan, flag: number): number[] {
  const first = wordOf(starts[flag] as number);
  const end = (ends[flag] as number) - 1;
  return Array.from({ length: Math.max(0, wordOf(end) - first + 1) }, (_, step) => first + step);
}

/** A question with the places in some words of the groups it can rule out: by turns a word and a mask. */
export interface Asking {
  readonly question: Question;
  readonly places: readonly number[];
}

function narrow(question: Question, words: ReadonlySet<number>): Asking {
  const { places } = question;
  return { question, places: places.filter((_, at) => words.has(places[at & ~1] as number)) };
}

/** Flags that are evaluated together. */
export class Selection {
  /** In the order of evaluation: each after those it depends on. */
  readonly numbers: readonly number[];
  /** What is looked at before, each after its parent. */
  readonly slots: readonly Slot[];
  /** The words in which the flags' groups have their places. */
  readonly words: readonly number[];
  /** What is asked before, with the places that count here. */
  readonly questions: readonly Asking[];
  readonly #keys: readonly string[];
  readonly #template: ResultTemplate | undefined;

  /** @param isKept Whether it will serve again. */
  constructor(plan: Plan, numbers: readonly number[], isKept: boolean) {
    this.numbers = numbers;
    this.slots = [...new Set(numbers.flatMap((number) => plan.slotsOf[number] ?? []))].sort(
      (a, b) => a.number - b.number,
    );
    this.words = [...new Set(numbers.flatMap((number) => wordsOf(plan, number)))];
    const words = new Set(this.words);
    const questions = new Set(numbers.flatMap((number) => plan.questionsOf[number] ?? []));
    this.questions = Array.from(questions, (question) => narrow(question, words));
    this.#keys = plan.flags;
    this.#template = isKept ? new ResultTemplate(plan.flags, numbers) : undefined;
  }

  /** A record in the making; undefined when there is none to begin with. */
  begin(): Draft | undefined {
    return this.#template?.begin();
  }

  /** @param variants By flag number. */
  toRecord(variants: readonly (Variant | undefined)[]): Record<string, Variant> {
    return this.#template?.copy(variants) ?? this.collect(variants);
  }

  /** The same, without a copy of an earlier one. */
  collect(variants: readonly (Variant | undefined)[]): Record<string, Variant> {
    return collect(this.#keys, variants, this.numbers);
  }
}

/** How many lists of keys are remembered, their beginnings counted. */
export const maxKept = 512;

/** The lists of keys that begin alike. */
class Branch {
  readonly roots: readonly number[];
  readonly next = new Map<string, Branch>();
  selection: Selection | undefined;

  constructor(roots: readonly number[]) {
    this.roots = roots;
  }
}

/** Finds what to evaluate for a list of keys. The same few lists are asked for again and again. */
export class Selections {
  /** All flags. */
  readonly all: Selection;
  readonly #plan: Plan;
  /** By flag number. */
  readonly #dependencies: Dependencies;
  readonly #root = new Branch([]);
  #kept = 0;

  constructor(plan: Plan, dependencies: Dependencies) {
    this.#plan = plan;
    this.#dependencies = dependencies;
    this.all = new Selection(plan, [...plan.flags.keys()], true);
  }

  /** These flags and what they depend on; unknown keys are passed over. */
  find(keys: readonly string[]): Selection {
    let branch = this.#root;
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i] as string;
      const next = branch.next.get(key) ?? this.#grow(branch, key);
      if (next === undefined) return this.#select(this.#numbersOf(keys), false);
      branch = next;
    }
    branch.selection ??= this.#select(branch.roots, true);
    return branch.selection;
  }

  /** Undefined when there is no room. */
  #grow(branch: Branch, key: string): Branch | undefined {
    const number = this.#plan.numbers.get(key);
    if (number === undefined || branch.roots.includes(number)) return branch;
    if (this.#kept === maxKept) return undefined;
    this.#kept++;
    const next = new Branch([...branch.roots, number]);
    branch.next.set(key, next);
    return next;
  }

  #numbersOf(keys: readonly string[]): number[] {
    return keys.map((key) => this.#plan.numbers.get(key)).filter((number) => number !== undefined);
  }

  #select(roots: readonly number[], isKept: boolean): Selection {
    return new Selection(this.#plan, sortByDependency(this.#dependencies, roots), isKept);
  }
}
