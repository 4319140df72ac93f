import type { EqualityIndex } from "./equality-index.ts";
import { fieldNumber } from "./fields.ts";

/** What a slot is the place of. */
export type SlotKind = "context" | "all results" | "one result" | "property";

/** An index that answers for all flags at once, with its number. */
export interface SharedIndex {
  readonly number: number;
  readonly index: EqualityIndex;
}

/** A place in a context that flags ask for, or that lies on the way to one. */
export class Slot {
  readonly number: number;
  readonly selector: readonly string[];
  /** The place one name up; undefined where the selector is a single name. */
  readonly parent: Slot | undefined;
  /** The last name of the selector. */
  readonly name: string;
  /** Number of the field of that name; -1 when there is none. */
  readonly field: number;
  readonly kind: SlotKind;
  /** Whether it depends on flags evaluated before, so that it may change within one evaluation. */
  readonly changes: boolean;
  /** The equality conditions on it. */
  readonly indexes: SharedIndex[] = [];

  constructor(number: number, selector: readonly string[], parent: Slot | undefined) {
    this.number = number;
    this.selector = selector;
    this.parent = parent;
    this.name = selector.at(-1) ?? "";
    this.field = fieldNumber(this.name);
    this.kind = kindOf(selector);
    this.changes = selector[0] === "result";
  }
}

function kindOf(selector: readonly string[]): SlotKind {
  if (selector.length === 1 && selector[0] === "context") return "context";
  if (selector[0] !== "result" || selector.length > 2) return "property";
  return selector.length === 1 ? "all results" : "one result";
}

/** The places that flags ask for, as a tree: what lies on the way to several is looked up once. */
export class Slots {
  readonly list: Slot[] = [];
  readonly #bySelector = new Map<string, Slot>();

  find(selector: readonly string[]): Slot {
    const key = JSON.stringify(selector);
    const known = this.#bySelector.get(key);
    if (known !== undefined) return known;
    const parent = selector.length > 1 ? this.find(selector.slice(0, -1)) : undefined;
    const slot = new Slot(this.list.length, selector, parent);
    this.list.push(slot);
    this.#bySelector.set(key, slot);
    return slot;
  }
}
