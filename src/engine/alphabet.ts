/** Divides the code units into the classes that a pattern tells apart. */
import { type CodeUnits, lastCodeUnit } from "./code-units.ts";

export class Alphabet {
  /** Where each class begins, ascending. */
  readonly #starts: readonly number[];
  readonly #ascii = new Uint16Array(128);

  constructor(sets: readonly CodeUnits[]) {
    const starts = new Set([0]);
    for (const set of sets) {
      for (let i = 0; i < set.length; i += 2) {
        starts.add(set[i] ?? 0);
        if ((set[i + 1] ?? 0) < lastCodeUnit) starts.add((set[i + 1] ?? 0) + 1);
      }
    }
    this.#starts = [...starts].sort((a, b) => a - b);
    for (let unit = 0; unit < 128; unit++) this.#ascii[unit] = this.#search(unit);
  }

  /** How many classes there are, numbered from 0. */
  get size(): number {
    return this.#starts.length;
  }

  classOf(unit: number): number {
    return unit < 128 ? (this.#ascii[unit] ?? 0) : this.#search(unit);
  }

  /** The classes that make up a set the alphabet was built from. */
  classesIn(set: CodeUnits): ReadonlySet<number> {
    const classes = new Set<number>();
    for (let i = 0; i < set.length; i += 2) {
      const last = this.#search(set[i + 1] ?? 0);
      for (let each = this.#search(set[i] ?? 0); each <= last; each++) classes.add(each);
    }
    return classes;
  }

  #search(unit: number): number {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#starts[middle] ?? 0) <= unit) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
