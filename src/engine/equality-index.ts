/**
 * Answers all equality conditions on one property together: each value leads to the set of conditions that list it,
 * so one look-up a context replaces a comparison for each condition and value.
 */
import { equalityKey } from "./equality-key.ts";
import { bitOf, fullWord, toPlace, wordOf } from "./places.ts";
import { isPlainText, Reading } from "./reading.ts";

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

const maxFew = 4;

/**
 * Answers come as words of bits, one bit a group of conditions: set unless its condition here rules the group out. They
 * may be shared; do not write to them.
 */
export class EqualityIndex {
  readonly #byValue = new Map<string, ConditionSet>();
  readonly #none = new ConditionSet([]);
  /** The same values with their answers, when they are so few that comparing is faster than hashing. */
  #few: readonly string[] | undefined;
  #fewTruths: readonly Bits[] = [];
  /** Which lengths the values have, modulo 32, as bits: most texts are told apart from all values by it. */
  #lengths = 0;
  readonly #rules: { readonly number: number; readonly rule: EqualityRule }[] = [];
  /** The place of the condition added last. */
  #last = -1;
  /** Groups that have no condition here. */
  #open: Bits = [];
  #negated: Bits = [];
  #ofSets: Bits = [];
  #whenMissing: Bits = [];
  #unlisted: Bits = [];
  #unreadable: Bits = [];
  /** The words of places that have a condition here, in order: an answer has one word for each. */
  readonly words: number[] = [];

  /** Whether this place can be added: places ascend, and each has one condition here. */
  hasRoom(place: number): boolean {
    return place > this.#last;
  }

  /** Takes in one more condition, of the group at `place`. `seal` ends this. */
  add(values: readonly string[], rule: EqualityRule, place: number): void {
    if (this.words.at(-1) !== wordOf(place)) this.words.push(wordOf(place));
    const number = toPlace(this.words.length - 1, bitOf(place));
    this.#last = place;
    this.#rules.push({ number, rule });
    for (const value of values) {
      const key = equalityKey(value);
      this.#byValue.set(key, (this.#byValue.get(key) ?? this.#none).with(number));
    }
  }

  seal(): void {
    for (const key of this.#byValue.keys()) this.#lengths |= 1 << (key.length & 31);
    const used = this.#select(() => true);
    this.#open = used.map((bits) => ~bits & fullWord);
    this.#negated = this.#select((rule) => rule.negated);
    this.#ofSets = this.#select((rule) => rule.ofSets);
    this.#whenMissing = this.#opened(this.#select((rule) => rule.whenMissing));
    this.#unlisted = this.#truth(this.#none);
    this.#unreadable = this.#open;
    if (this.#byValue.size > maxFew) return;
    this.#few = [...this.#byValue.keys()];
    this.#fewTruths = [...this.#byValue.values()].map((set) => this.#truth(set));
  }

  /** @param value Undefined when missing; never null. */
  answer(value: unknown): Bits {
    if (isPlainText(value)) return this.answerText(value);
    return value === undefined ? this.#whenMissing : this.answerReading(new Reading(value));
  }

  /** The same, for a value that is not missing and has been read. */
  answerReading({ list, text }: Reading): Bits {
    if (list !== undefined) return this.#ofList(list);
    return text === undefined ? this.#unreadable : this.answerText(text.text);
  }

  /** The same, for a text that holds no list. */
  answerText(text: string): Bits {
    const { length } = text;
    if ((this.#lengths & (1 << (length & 31))) === 0) return this.#unlisted;
    const key = length === 4 || length === 5 ? equalityKey(text) : text;
    const few = this.#few;
    if (few === undefined) {
      const set = this.#byValue.get(key);
      return set === undefined ? this.#unlisted : (set.truth ?? this.#truth(set));
    }
    for (let i = 0; i < few.length; i++) if (few[i] === key) return this.#fewTruths[i] as Bits;
    return this.#unlisted;
  }

  #ofList(texts: readonly string[]): Bits {
    const any = this.#bits([]);
    const all = any.map(() => fullWord);
    for (const text of texts) {
      const listed = this.#listed(this.#byValue.get(equalityKey(text)) ?? this.#none);
      for (let word = 0; word < listed.length; word++) {
        any[word] = (any[word] ?? 0) | (listed[word] ?? 0);
        all[word] = (all[word] ?? 0) & (listed[word] ?? 0);
      }
    }
    const truth = any.map((anyListed, word) => {
      const negated = this.#negated[word] ?? 0;
      const ofSets = this.#ofSets[word] ?? 0;
      const allListed = all[word] ?? 0;
      // `is not` holds when any element is unlike all values, so it fails only when every element is listed.
      return (~negated & anyListed) | (negated & ofSets & ~anyListed) | (negated & ~ofSets & ~allListed);
    });
    return this.#opened(truth);
  }

  /** What a text answers that is listed by just these conditions. */
  #truth(set: ConditionSet): Bits {
    set.truth ??= this.#opened(
      this.#listed(set).map((listed, word) => (listed ^ (this.#negated[word] ?? 0)) & ~(this.#ofSets[word] ?? 0)),
    );
    return set.truth;
  }

  #listed(set: ConditionSet): Bits {
    set.listed ??= this.#bits(set.members);
    return set.listed;
  }

  #opened(bits: Bits): Bits {
    return bits.map((word, at) => word | (this.#open[at] ?? 0));
  }

  #select(holds: (rule: EqualityRule) => boolean): Bits {
    return this.#bits(this.#rules.filter(({ rule }) => holds(rule)).map(({ number }) => number));
  }

  #bits(numbers: readonly number[]): number[] {
    const bits = this.words.map(() => 0);
    for (const number of numbers) bits[wordOf(number)] = (bits[wordOf(number)] ?? 0) | (1 << bitOf(number));
    return bits;
  }
}
