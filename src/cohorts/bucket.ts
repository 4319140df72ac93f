/**
 * Members are kept in 256 buckets, by the first bits of their hash, so that no more than one bucket is ever held whole.
 * A hash is two words, low and high by turns, as a little-endian BigUint64Array has them.
 */

export const bucketCount = 256;

export const bucketOf = (high: number): number => high >>> 24;

/** Members of one bucket, each with its hash; in order of the hashes, each once, unless it is said otherwise. */
export interface BucketMembers {
  words: Uint32Array<ArrayBuffer>;
  ids: string[];
}

export const nobody: BucketMembers = { words: new Uint32Array(0), ids: [] };

/** @param unsorted members of one bucket, in any order, some of them twice */
export function sortMembers(unsorted: BucketMembers): BucketMembers {
  const { words, ids } = unsorted;
  const order = orderOf(words);
  const sorted: BucketMembers = { words: new Uint32Array(words.length), ids: [] };
  let end = 0;
  for (const at of order) {
    if (end > 0 && compare(words, at, sorted.words, end - 1) === 0) continue;
    copyHash(words, at, sorted.words, end++);
    sorted.ids.push(ids[at] as string);
  }
  sorted.words = sorted.words.slice(0, end * 2);
  return sorted;
}

export function countChanges(before: Uint32Array, after: Uint32Array): { added: number; removed: number } {
  let added = 0;
  let removed = 0;
  walk(before, after, (old, fresh) => {
    if (old < 0) added++;
    if (fresh < 0) removed++;
  });
  return { added, removed };
}

/** Those in either; a member of both as `before` has it. */
export function addMembers(before: BucketMembers, more: BucketMembers): BucketMembers {
  return pick(before, more, () => true);
}

/** Those of `before` that are not in `gone`. */
export function removeMembers(before: BucketMembers, gone: BucketMembers): BucketMembers {
  return pick(before, gone, (_, other) => other < 0);
}

/** Where a hash stands; negative when it does not. */
export function findHash(words: Uint32Array, high: number, low: number): number {
  let from = 0;
  let to = words.length / 2;
  while (from < to) {
    const middle = (from + to) >>> 1;
    const found = words[middle * 2 + 1] as number;
    if (found < high || (found === high && (words[middle * 2] as number) < low)) from = middle + 1;
    else to = middle;
  }
  return words[from * 2 + 1] === high && words[from * 2] === low ? from : -1;
}

/** Places in order of their hashes. Keys of one number each sort many times faster than pairs that are compared. */
function orderOf(words: Uint32Array): Uint32Array {
  const count = words.length / 2;
  const placeBits = 32 - Math.clz32(Math.max(count - 1, 1));
  const placeRoom = 2 ** placeBits;
  // 53 bits a key: the place, and before it as many of the hash's bits as there is room for. A bucket shares the first 8.
  const dropped = placeBits + 3;
  const lowRoom = 2 ** (32 - dropped);
  const keys = new Float64Array(count);
  for (let at = 0; at < count; at++) {
    const high = (words[at * 2 + 1] as number) & 0xffffff;
    keys[at] = (high * lowRoom + ((words[at * 2] as number) >>> dropped)) * placeRoom + at;
  }
  keys.sort();
  const order = new Uint32Array(count);
  for (let to = 0; to < count; to++) {
    const place = (keys[to] as number) % placeRoom;
    // Hashes that differ in the dropped bits alone are put right here.
    let free = to;
    for (; free > 0 && compare(words, order[free - 1] as number, words, place) > 0; free--) {
      order[free] = order[free - 1] as number;
    }
    order[free] = place;
  }
  return order;
}

function compare(a: Uint32Array, at: number, b: Uint32Array, other: number): number {
  const high = (a[at * 2 + 1] as number) - (b[other * 2 + 1] as number);
  return high !== 0 ? high : (a[at * 2] as number) - (b[other * 2] as number);
}

function copyHash(from: Uint32Array, at: number, to: Uint32Array, end: number): void {
  to[end * 2] = from[at * 2] as number;
  to[end * 2 + 1] = from[at * 2 + 1] as number;
}

/** Visits every hash of both in order, with its place in each; -1 where it is not. */
function walk(a: Uint32Array, b: Uint32Array, visit: (inA: number, inB: number) => void): void {
  let at = 0;
  let other = 0;
  while (at * 2 < a.length || other * 2 < b.length) {
    const order = at * 2 >= a.length ? 1 : other * 2 >= b.length ? -1 : compare(a, at, b, other);
    if (order < 0) visit(at++, -1);
    else if (order > 0) visit(-1, other++);
    else visit(at++, other++);
  }
}

function pick(a: BucketMembers, b: BucketMembers, isKept: (inA: number, inB: number) => boolean): BucketMembers {
  const words = new Uint32Array(a.words.length + b.words.length);
  const ids: string[] = [];
  walk(a.words, b.words, (inA, inB) => {
    if (!isKept(inA, inB)) return;
    const [from, at] = inA >= 0 ? [a, inA] : [b, inB];
    copyHash(from.words, at, words, ids.length);
    ids.push(from.ids[at] as string);
  });
  return { words: words.slice(0, ids.length * 2), ids };
}
