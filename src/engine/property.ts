import { EqualityIndex, equalityKey } from "./equality-index.ts";
import { select } from "./select.ts";
import { Text, toText, toTextList } from "./text.ts";

const noBits = new Int32Array(0);

/** What one context holds at one selector, in the forms the conditions ask for. */
export class Reading {
  readonly kind: "missing" | "text" | "list" | "unreadable";
  readonly raw: unknown;
  /** Set when `kind` is text. */
  readonly text: Text | undefined = undefined;
  /** Set when `kind` is list. */
  readonly list: readonly string[] | undefined = undefined;
  /** Equality conditions that list the text, or at least one element. */
  readonly any: Int32Array;
  /** Equality conditions that list the text, or every element. */
  readonly all: Int32Array;
  #elements: readonly Text[] | undefined;
  #keys: Set<string> | undefined;

  constructor(raw: unknown, index: EqualityIndex | undefined) {
    this.raw = raw;
    this.any = this.all = noBits;
    this.kind = "missing";
    try {
      const list = toTextList(raw);
      if (list !== undefined) {
        this.kind = "list";
        this.list = list;
        if (index !== undefined) ({ any: this.any, all: this.all } = index.lookUpAll(list));
        return;
      }
      const text = toText(raw);
      if (text === undefined) {
        if (raw !== undefined) this.kind = "unreadable";
        return;
      }
      this.kind = "text";
      this.text = new Text(text);
      if (index !== undefined) this.any = this.all = index.lookUp(text);
    } catch {
      this.kind = "unreadable";
    }
  }

  get elements(): readonly Text[] {
    this.#elements ??= (this.list ?? []).map((text) => new Text(text));
    return this.#elements;
  }

  /** The list's elements as they compare for equality. */
  get keys(): ReadonlySet<string> {
    this.#keys ??= new Set((this.list ?? []).map(equalityKey));
    return this.#keys;
  }
}

/** A selector that flags ask for, with the equality conditions on it. */
export class Property {
  /** Position among the properties of the compiled flags. */
  readonly number: number;
  readonly selector: readonly string[];
  /** Whether it depends on flags evaluated before, so that its value may change within one evaluation. */
  readonly ofResult: boolean;
  #index: EqualityIndex | undefined;

  constructor(selector: readonly string[], number: number) {
    this.number = number;
    this.selector = selector;
    this.ofResult = selector[0] === "result";
  }

  /** Takes in an equality condition and returns its number in `Reading.any` and `Reading.all`. */
  addEquality(values: readonly string[]): number {
    this.#index ??= new EqualityIndex();
    return this.#index.add(values);
  }

  read(target: object): Reading {
    return new Reading(select(target, this.selector), this.#index);
  }
}
