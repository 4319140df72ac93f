/** Settings that are numbers within a range. */

/** Name → smallest, largest, and what holds where nothing is said. */
export type NumberRanges<Name extends string> = Readonly<Record<Name, readonly [number, number, number]>>;

export interface ReadNumbers<Name extends string> {
  values: Record<Name, number>;
  /** Each names the setting and what would be right. */
  faults: [Name, string][];
}

/** A setting that is wrong holds as if it were not there, and is among the faults. */
export function readNumbers<Name extends string>(
  ranges: NumberRanges<Name>,
  env: Partial<Record<Name, string>>,
  isWhole = false,
): ReadNumbers<Name> {
  const faults: [Name, string][] = [];
  const read = (name: Name): number => {
    const [least, most, fallback] = ranges[name];
    const text = env[name];
    if (!text) return fallback;
    const number = Number(text);
    if (number >= least && number <= most && (!isWhole || Number.isInteger(number))) return number;
    const kind = isWhole ? "a whole number" : "a number";
    faults.push([name, `must be ${kind} from ${least} to ${most} (got ${JSON.stringify(text)})`]);
    return fallback;
  };
  const names = Object.keys(ranges) as Name[];
  const values = Object.fromEntries(names.map((name) => [name, read(name)])) as Record<Name, number>;
  return { values, faults };
}
