import type { Variant } from "./flag.ts";

type Results = Record<string, Variant>;
type Variants = readonly (Variant | undefined)[];

/** Beyond this V8 keeps an object's properties in a hash table, which is slow to copy. */
const maxTemplateKeys = 128;
/** Up to so many, adding keys to an object one by one is cheaper than making it a hash table. */
const maxFewKeys = 8;
/** How many records of a single flag are kept: one a variant and segment that gives it. */
const maxSingles = 16;

/**
 * No variants yet. Not a copy of as many `undefined`s, nor a list that grows: V8 may lay an array of nothing but `undefined`
 * out for floats, and has then to convert it at the first variant.
 */
export const createBlankVariants = (count: number): (Variant | undefined)[] => new Array(count);

/** The flags in `numbers` that have a variant, by key. Any key is an own property, `__proto__` too. */
export function collect(keys: readonly string[], variants: Variants, numbers: readonly number[]): Results {
  if (numbers.length > maxFewKeys) return collectMany(keys, variants, numbers);
  const results: Results = {};
  for (const number of numbers) {
    const key = keys[number] as string;
    const variant = variants[number];
    if (key === "__proto__") return collectMany(keys, variants, numbers);
    if (variant !== undefined) results[key] = variant;
  }
  return results;
}

function collectMany(keys: readonly string[], variants: Variants, numbers: readonly number[]): Results {
  // Without a prototype at first: then V8 fills it as a hash table, in a tenth of the time where flags are many, and
  // `__proto__` is a key like others.
  const results: Results = Object.create(null);
  for (const number of numbers) {
    const variant = variants[number];
    if (variant !== undefined) results[keys[number] as string] = variant;
  }
  return Object.setPrototypeOf(results, Object.prototype);
}

/**
 * A record with these keys and no values yet. An object from JSON.parse keeps its layout in one hidden class, where one
 * that was filled key by key becomes a hash table after a dozen.
 */
const createBlank = (keys: readonly string[]): Results =>
  JSON.parse(JSON.stringify(Object.fromEntries(keys.map((key) => [key, null]))));

/** A record in the making: a copy of an earlier one, to be written to where its variant is another. */
export interface Draft {
  readonly record: Results;
  readonly keys: readonly string[];
  /** What is in the record, by position of the key. */
  readonly variants: readonly Variant[];
}

/**
 * Makes result records of the same flags by copying the first one and writing what differs: filling a record key by key
 * costs more than evaluating the flags. Of a single flag there is a record for each variant, and nothing to write.
 */
export class ResultTemplate {
  readonly #keys: readonly string[];
  readonly #numbers: readonly number[];
  /** By position in `numbers`. */
  #variants: readonly Variant[] | undefined;
  #record: Results = {};
  readonly #singles: { readonly variant: Variant; readonly record: Results }[] = [];

  /** @param numbers Those of the flags, which are the positions of their keys and variants. */
  constructor(keys: readonly string[], numbers: readonly number[]) {
    this.#keys = numbers.map((number) => keys[number] as string);
    this.#numbers = numbers;
  }

  /** Undefined when there is nothing to copy yet, or copying would not pay. */
  begin(): Draft | undefined {
    const variants = this.#variants;
    return variants && { record: { ...this.#record }, keys: this.#keys, variants };
  }

  /** The record of these variants; undefined when copying would not pay: a flag has none, or there are too many. */
  copy(variants: Variants): Results | undefined {
    const keys = this.#keys;
    const numbers = this.#numbers;
    if (keys.length === 1) return this.#copySingle(variants[numbers[0] as number]);
    if (keys.length > maxTemplateKeys) return undefined;
    const known = this.#variants ?? this.#fill(variants);
    if (known === undefined) return undefined;
    const record = { ...this.#record };
    for (let i = 0; i < keys.length; i++) {
      const variant = variants[numbers[i] as number];
      if (variant === undefined) return undefined;
      if (variant !== known[i]) record[keys[i] as string] = variant;
    }
    return record;
  }

  #copySingle(variant: Variant | undefined): Results | undefined {
    if (variant === undefined) return undefined;
    const singles = this.#singles;
    for (let i = 0; i < singles.length; i++) {
      const single = singles[i] as (typeof singles)[number];
      if (single.variant === variant) return { ...single.record };
    }
    if (singles.length === maxSingles) return undefined;
    const record = createBlank(this.#keys);
    record[this.#keys[0] as string] = variant;
    singles.push({ variant, record });
    return { ...record };
  }

  #fill(variants: Variants): readonly Variant[] | undefined {
    const all = this.#numbers.map((number) => variants[number]).filter((variant) => variant !== undefined);
    if (all.length < this.#keys.length) return undefined;
    this.#record = createBlank(this.#keys);
    for (const [i, variant] of all.entries()) this.#record[this.#keys[i] as string] = variant;
    this.#variants = all;
    return all;
  }
}
