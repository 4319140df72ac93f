/** Sets of UTF-16 code units, as sorted, disjoint, closed ranges: `[first, last, first, last, …]`. */
export type CodeUnits = readonly number[];

export const lastCodeUnit = 0xffff;

/** Everything in at least one of the sets. */
export function unite(sets: readonly CodeUnits[]): CodeUnits {
  const ranges: [number, number][] = [];
  for (const set of sets) {
    for (let i = 0; i < set.length; i += 2) ranges.push([set[i] ?? 0, set[i + 1] ?? 0]);
  }
  ranges.sort((a, b) => a[0] - b[0]);
  const united: number[] = [];
  for (const [first, last] of ranges) {
    const end = united.at(-1);
    if (end !== undefined && first <= end + 1) united[united.length - 1] = Math.max(end, last);
    else united.push(first, last);
  }
  return united;
}

export function invert(set: CodeUnits): CodeUnits {
  const inverted: number[] = [];
  let first = 0;
  for (let i = 0; i < set.length; i += 2) {
    const start = set[i] ?? 0;
    if (start > first) inverted.push(first, start - 1);
    first = (set[i + 1] ?? 0) + 1;
  }
  if (first <= lastCodeUnit) inverted.push(first, lastCodeUnit);
  return inverted;
}

export const digits: CodeUnits = [0x30, 0x39];
/** `\w` without the flags `i` and `u`. */
export const wordUnits: CodeUnits = [0x30, 0x39, 0x41, 0x5a, 0x5f, 0x5f, 0x61, 0x7a];
export const lineEnds: CodeUnits = [0x0a, 0x0a, 0x0d, 0x0d, 0x2028, 0x2029];
/** `\s`: ECMAScript's WhiteSpace and LineTerminator. */
export const spaces: CodeUnits = [
  [0x09, 0x0d],
  [0x20, 0x20],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
].flat();
