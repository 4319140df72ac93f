import { equalityKey } from "./equality-key.ts";
import { Text, toText, toTextList } from "./text.ts";
import { unitAt } from "./unit-at.ts";

/** Whether a value is a text that cannot hold a list: it has no bracket at its start. */
export const isPlainText = (value: unknown): value is string =>
  typeof value === "string" && (value.length === 0 || unitAt(value, 0) !== 91);

/** The value of a property in the forms the operators ask for. */
export class Reading {
  readonly kind: "missing" | "text" | "list" | "unreadable";
  /** Set when `kind` is text. */
  readonly text: Text | undefined = undefined;
  /** Set when `kind` is list. */
  readonly list: readonly string[] | undefined = undefined;
  #elements: readonly Text[] | undefined;
  #keys: ReadonlySet<string> | undefined;

  /** @param value Undefined when missing; never null. */
  constructor(value: unknown) {
    if (isPlainText(value)) {
      this.kind = "text";
      this.text = new Text(value);
      return;
    }
    this.kind = value === undefined ? "missing" : "unreadable";
    try {
      this.list = toTextList(value);
      const text = this.list === undefined ? toText(value) : undefined;
      if (text !== undefined) this.text = new Text(text);
      if (this.list !== undefined) this.kind = "list";
      else if (text !== undefined) this.kind = "text";
    } catch {
      // No form that could be compared: no condition holds, negated or not.
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
