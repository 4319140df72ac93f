/** Running numbers of one experiment: parts that are stored one by one, of keys, of fields that count. */

/** Field → how many. */
export type Tally = Record<string, number>;
/** Key, its pieces parted by tabs, → what is counted under it. */
export type Part = Map<string, Tally>;

export const otherValue = "(other)";
/** Of one attribute in one part: whoever makes values up must not fill the memory. */
const mostValues = 100;

export const keyOf = (...pieces: readonly (string | number)[]): string => pieces.join("\t");

export function add(tally: Tally, field: string, count: number): void {
  tally[field] = (tally[field] ?? 0) + count;
}

export class Tallies {
  readonly parts = new Map<string, Part>();
  /** Parts that were added to. */
  readonly changed = new Set<string>();
  /** Parts as they are stored. */
  readonly stored = new Map<string, string>();
  readonly #load: (part: string) => Part;
  readonly #values = new Map<string, Set<string>>();

  /** @param load what is stored of a part; an empty one where nothing is */
  constructor(load: (part: string) => Part = () => new Map()) {
    this.#load = load;
  }

  part(name: string): Part {
    let part = this.parts.get(name);
    if (part === undefined) {
      part = this.#load(name);
      this.parts.set(name, part);
    }
    return part;
  }

  /** What is counted under a key, to be added to. */
  at(name: string, key: string): Tally {
    const part = this.part(name);
    let tally = part.get(key);
    if (tally === undefined) {
      tally = {};
      part.set(key, tally);
    }
    this.changed.add(name);
    return tally;
  }

  add(name: string, key: string, field: string, count: number): void {
    add(this.at(name, key), field, count);
  }

  /** As `at`, under a value of many: those past the most that are told apart go together as `otherValue`. */
  atValue(name: string, attribute: string, value: string, rest: string): Tally {
    const key = `${attribute}\t${value}\t${rest}`;
    const known = this.part(name).get(key);
    if (known !== undefined) {
      this.changed.add(name);
      return known;
    }
    const values = this.#valuesOf(name, attribute);
    if (values.size < mostValues) values.add(value);
    return this.at(name, values.has(value) ? key : `${attribute}\t${otherValue}\t${rest}`);
  }

  /** What has once been told apart stays so: keys of values outlive their last unit, so that what was added can be taken away. */
  #valuesOf(part: string, name: string): Set<string> {
    const id = keyOf(part, name);
    const known = this.#values.get(id);
    if (known !== undefined) return known;
    const values = new Set<string>();
    for (const key of this.part(part).keys()) {
      const [of, value = ""] = key.split("\t");
      if (of === name && value !== otherValue) values.add(value);
    }
    this.#values.set(id, values);
    return values;
  }
}

/** What counts nothing is left out, but for keys that have to be remembered. */
export function writePart(part: Part, keepsKeys: boolean): string {
  const entries = [...part].flatMap(([key, tally]) => {
    const counts = Object.entries(tally).filter(([, count]) => count !== 0);
    return counts.length > 0 || keepsKeys ? [[key, Object.fromEntries(counts)] as const] : [];
  });
  return JSON.stringify(Object.fromEntries(entries));
}

export function readPart(body: string): Part {
  return new Map(Object.entries(JSON.parse(body) as Record<string, Tally>));
}
