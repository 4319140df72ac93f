/**
 * Answers all equality conditions on one property together: each value leads to the set of conditions that list it,
 * so one look-up a context replaces a comparison for each condition and value.
 */

/** What an equality condition makes of a property. */
export interface EqualityRule {
  /** `is not`, `set does not contain any`. */
  negated: boolean;
  /** `set …`: never holds for a single text. */
  ofSets: boolean;
  whenMissing: boolean;
}

export type Bits = readonly number[];

/** A set of condition numbers. Sets are shared: values listed by the same conditions lead to the same one. */
class ConditionSet {
  readonly members: readonly number[];
  readonly #larger = new Map<number, ConditionSet>();
  /** Kept here by the index, which makes them when first asked for. */
  listed: Bits | undefined;
  truth: Bits | undefined;

  constructor(members: readonly number[]) {
    this.members = members;
  }

  with(member: number): ConditionSet {
    if (this.members.at(-1) === member) return this;
    let larger = this.#larger.get(member);
    if (larger === undefined) {
      larger = new ConditionSet([...this.members, member]);
      this.#larger.set(member, larger);
    }
    return larger;
  }
}

/**
 * The form under which a value is compared: itself, but booleans in lower case. Comparing these forms is
 * experiment-core's `matchesIs`, whichever side holds the boolean.
 */
export function equalityKey(value: string): string {
  const { length } = value;
  if (length !== 4 && length !== 5) return value;
  // Only `t…` of four letters or `f…` of five can be a boolean.
  if ((value.charCodeAt(0) | 0x20) !== (length === 4 ? 0x74 : 0x66)) return value;
  const lower = value.toLowerCase();
  return lower === "true" || lower === "false" ? lower : value;
}

/** Bits of a word that are used: with 30, V8 keeps every word as a small integer, on all its builds. */
const wordBits = 30;
/** The word and the bit that answer condition `condition`. */
export const wordOf = (condition: number): number => Math.floor(condition / wordBits);
export const bitOf = (condition: number): number => 1 << (condition % wordBits);

const maxFew = 4;

/** Answers come as words of bits, one bit a condition. They may be shared; do not write to them. */
export class EqualityIndex {
  readonly #byValue = new Map<string, ConditionSet>();
  readonly #none = new ConditionSet([]);
  /** The same entries, when they are so few that comparing is faster than hashing. */
  #few: readonly (readonly [string, ConditionSet])[] | undefined;
  /** Which lengths the values have, modulo 32, as bits: most texts are told apart from all values by it. */
  #lengths = 0;
  readonly #rules: EqualityRule[] = [];
  #negated: Bits = [];
  #ofSets: Bits = [];
  #whenMissing: Bits = [];
  /** Length of an answer; set by `seal`. */
  words = 0;

  /** Takes in one more condition and returns its number. `seal` ends this. */
  add(values: readonly string[], rule: EqualityRule): number {
    const condition = this.#rules.push(rule) - 1;
    for (const value of values) {
      const key = equalityKey(value);
      this.#byValue.set(key, (this.#byValue.get(key) ?? this.#none).with(condition));
    }
    return condition;
  }

  seal(): void {
    if (this.#byValue.size <= maxFew) this.#few = [...this.#byValue];
    for (const key of this.#byValue.keys()) this.#lengths |= 1 << (key.length & 31);
    this.words = Math.ceil(this.#rules.length / wordBits);
    this.#negated = this.#select((rule) => rule.negated);
    this.#ofSets = this.#select((rule) => rule.ofSets);
    this.#whenMissing = this.#select((rule) => rule.whenMissing);
  }

  ofMissing(): Bits {
    return this.#whenMissing;
  }

  ofText(text: string): Bits {
    const set = this.#find(text);
    set.truth ??= this.#listed(set).map(
      (listed, word) => (listed ^ (this.#negated[word] ?? 0)) & ~(this.#ofSets[word] ?? 0),
    );
    return set.truth;
  }

  ofList(texts: readonly string[]): Bits {
    const any = this.#bits([]);
    const all = any.map(() => -1);
    for (const text of texts) {
      const listed = this.#listed(this.#find(text));
      for (let word = 0; word < listed.length; word++) {
        any[word] = (any[word] ?? 0) | (listed[word] ?? 0);
        all[word] = (all[word] ?? 0) & (listed[word] ?? 0);
      }
    }
    return any.map((anyListed, word) => {
      const negated = this.#negated[word] ?? 0;
      const ofSets = this.#ofSets[word] ?? 0;
      const allListed = all[word] ?? 0;
      // `is not` holds when any element is unlike all values, so it fails only when every element is listed.
      return (~negated & anyListed) | (negated & ofSets & ~anyListed) | (negated & ~ofSets & ~allListed);
    });
  }

  #find(text: string): ConditionSet {
    if ((this.#lengths & (1 << (text.length & 31))) === 0) return this.#none;
    const key = equalityKey(text);
    const few = this.#few;
    if (few === undefined) return this.#byValue.get(key) ?? this.#none;
    for (let i = 0; i < few.length; i++) {
      const entry = few[i];
      if (entry !== undefined && entry[0] === key) return entry[1];
    }
    return this.#none;
  }

  #listed(set: ConditionSet): Bits {
    set.listed ??= this.#bits(set.members);
    return set.listed;
  }

  #select(holds: (rule: EqualityRule) => boolean): Bits {
    return this.#bits([...this.#rules.entries()].filter(([, rule]) => holds(rule)).map(([condition]) => condition));
  }

  #bits(conditions: readonly number[]): number[] {
    const bits = Array.from({ length: this.words }, () => 0);
    for (const condition of conditions) bits[wordOf(condition)] = (bits[wordOf(condition)] ?? 0) | bitOf(condition);
    return bits;
  }
}
