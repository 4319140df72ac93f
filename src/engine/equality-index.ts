/**
 * Answers all equality conditions on one property together: each value leads to the set of conditions that list it,
 * so one look-up per context replaces one comparison per condition and value.
 */

/** A set of condition numbers. Sets are shared: values listed by the same conditions lead to the same one. */
class ConditionSet {
  readonly #members: readonly number[];
  readonly #larger = new Map<number, ConditionSet>();
  #bits: Int32Array | undefined;

  constructor(members: readonly number[]) {
    this.#members = members;
  }

  with(member: number): ConditionSet {
    if (this.#members.at(-1) === member) return this;
    let larger = this.#larger.get(member);
    if (larger === undefined) {
      larger = new ConditionSet([...this.#members, member]);
      this.#larger.set(member, larger);
    }
    return larger;
  }

  /** Bit `n & 31` of word `n >> 5` tells whether condition `n` is a member. `words` is the same at every call. */
  bits(words: number): Int32Array {
    if (this.#bits === undefined) {
      this.#bits = new Int32Array(words);
      for (const member of this.#members)
        this.#bits[member >> 5] = (this.#bits[member >> 5] ?? 0) | (1 << (member & 31));
    }
    return this.#bits;
  }
}

/**
 * The form under which a value is compared: itself, but booleans in lower case. Comparing these forms is
 * experiment-core's `matchesIs`, whichever side holds the boolean.
 */
export function equalityKey(value: string): string {
  if (value.length !== 4 && value.length !== 5) return value;
  const lower = value.toLowerCase();
  return lower === "true" || lower === "false" ? lower : value;
}

export class EqualityIndex {
  readonly #empty = new ConditionSet([]);
  readonly #byValue = new Map<string, ConditionSet>();
  #conditions = 0;

  /** Takes in the values of one more condition and returns its number. All must be added before the first look-up. */
  add(values: readonly string[]): number {
    const condition = this.#conditions++;
    for (const value of values) {
      const key = equalityKey(value);
      this.#byValue.set(key, (this.#byValue.get(key) ?? this.#empty).with(condition));
    }
    return condition;
  }

  get #words(): number {
    return (this.#conditions + 31) >> 5;
  }

  /** The conditions that list `value`. */
  lookUp(value: string): Int32Array {
    return (this.#byValue.get(equalityKey(value)) ?? this.#empty).bits(this.#words);
  }

  /** The conditions that list at least one of `values`, and those that list every one. */
  lookUpAll(values: readonly string[]): { any: Int32Array; all: Int32Array } {
    const any = new Int32Array(this.#words);
    const all = new Int32Array(this.#words).fill(-1);
    for (const value of values) {
      const bits = this.lookUp(value);
      for (let word = 0; word < bits.length; word++) {
        any[word] = (any[word] ?? 0) | (bits[word] ?? 0);
        all[word] = (all[word] ?? 0) & (bits[word] ?? 0);
      }
    }
    return { any, all };
  }
}
