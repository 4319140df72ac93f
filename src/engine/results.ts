import type { Variant } from "./flag.ts";

/** Beyond this V8 keeps an object's properties in a hash table, which is slow to copy. */
const maxTemplateKeys = 128;

/** The flags in `numbers` that have a variant, by key. Any key is an own property, `__proto__` too. */
export function collect(
  keys: readonly string[],
  variants: readonly (Variant | undefined)[],
  numbers: readonly number[],
): Record<string, Variant> {
  // Without a prototype at first: then V8 fills it as a hash table, in a tenth of the time where flags are many, and
  // `__proto__` is a key like others.
  const results: Record<string, Variant> = Object.create(null);
  for (const number of numbers) {
    const variant = variants[number];
    if (variant !== undefined) results[keys[number] ?? ""] = variant;
  }
  return Object.setPrototypeOf(results, Object.prototype);
}

/**
 * Makes result records of all flags by copying the first one and writing what differs: filling a record key by key
 * costs more than evaluating the flags. An object from JSON.parse keeps its layout in one hidden class, where one that
 * was filled key by key becomes a hash table after a dozen.
 */
export class ResultTemplate {
  readonly #keys: readonly string[];
  #variants: readonly Variant[] | undefined;
  #record: Record<string, Variant> = {};

  constructor(keys: readonly string[]) {
    this.#keys = keys;
  }

  /** The record of these variants; undefined when copying would not pay: a flag has none, or there are too many. */
  copy(variants: readonly (Variant | undefined)[]): Record<string, Variant> | undefined {
    const keys = this.#keys;
    if (keys.length > maxTemplateKeys) return undefined;
    const known = this.#variants ?? this.#fill(variants);
    if (known === undefined) return undefined;
    const record = { ...this.#record };
    for (let number = 0; number < keys.length; number++) {
      const variant = variants[number];
      if (variant === undefined) return undefined;
      if (variant !== known[number]) record[keys[number] ?? ""] = variant;
    }
    return record;
  }

  #fill(variants: readonly (Variant | undefined)[]): readonly Variant[] | undefined {
    const all = variants.filter((variant) => variant !== undefined);
    if (all.length < this.#keys.length) return undefined;
    this.#record = JSON.parse(JSON.stringify(Object.fromEntries(this.#keys.map((key) => [key, null]))));
    for (const [number, variant] of all.entries()) this.#record[this.#keys[number] ?? ""] = variant;
    this.#variants = all;
    return all;
  }
}
