/** Lists of members, one a cohort, as entries of the index: each subject once, with the set of cohorts it is in. */
import type { ShardEntries } from "./shard.ts";

export interface MemberList {
  cohort: string;
  /** Ascending, unique. */
  hashes: BigUint64Array;
}

export function mergeMembers(lists: readonly MemberList[]): ShardEntries {
  const all = unite(lists.map(({ hashes }) => hashes));
  const set = new Uint32Array(all.length);
  // Set 0 is the empty one; each other is an earlier set and one cohort more.
  const sets: number[][] = [[]];
  const known = new Map<number, number>();
  lists.forEach(({ hashes }, cohort) => {
    let at = 0;
    for (const hash of hashes) {
      at = seek(all, hash, at);
      const before = set[at] as number;
      const step = before * lists.length + cohort;
      let next = known.get(step);
      if (next === undefined) {
        next = sets.push([...(sets[before] ?? []), cohort]) - 1;
        known.set(step, next);
      }
      set[at] = next;
    }
  });
  return {
    cohorts: lists.map(({ cohort }) => cohort),
    sets,
    hashes: new Uint32Array(all.buffer, 0, all.length * 2),
    set,
  };
}

/** The entries from `start` up to `end`, with only the sets and cohorts that they use. */
export function sliceEntries(entries: ShardEntries, start: number, end: number): ShardEntries {
  const cohorts: string[] = [];
  const cohortPlace = new Map<number, number>();
  const sets: number[][] = [];
  const setPlace = new Map<number, number>();
  const place = (cohort: number) => {
    let known = cohortPlace.get(cohort);
    if (known === undefined) {
      known = cohorts.push(entries.cohorts[cohort] ?? "") - 1;
      cohortPlace.set(cohort, known);
    }
    return known;
  };
  const set = new Uint32Array(end - start);
  for (let entry = start; entry < end; entry++) {
    const old = entries.set[entry] as number;
    let known = setPlace.get(old);
    if (known === undefined) {
      known = sets.push((entries.sets[old] ?? []).map(place)) - 1;
      setPlace.set(old, known);
    }
    set[entry - start] = known;
  }
  return { cohorts, sets, hashes: entries.hashes.slice(start * 2, end * 2), set };
}

/** All values of all lists, ascending, each once. */
export function unite(lists: readonly BigUint64Array[]): BigUint64Array<ArrayBuffer> {
  const all = new BigUint64Array(lists.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const list of lists) {
    all.set(list, end);
    end += list.length;
  }
  // One list is in order already, and most tenants have one that is far the longest.
  if (lists.length > 1) all.sort();
  return lists.length > 1 ? unique(all) : all;
}

/** Drops what stands twice; `sorted` is written over. */
export function unique(sorted: BigUint64Array<ArrayBuffer>): BigUint64Array<ArrayBuffer> {
  let end = 0;
  for (let at = 0; at < sorted.length; at++) {
    if (at === 0 || sorted[at] !== sorted[end - 1]) sorted[end++] = sorted[at] as bigint;
  }
  return sorted.slice(0, end);
}

/** Where `hash`, which is there, stands in `all` at `from` or after: short steps first, since lists go side by side. */
function seek(all: BigUint64Array, hash: bigint, from: number): number {
  let step = 1;
  let low = from;
  while (low + step < all.length && (all[low + step] as bigint) < hash) {
    low += step;
    step *= 2;
  }
  let high = Math.min(low + step, all.length - 1);
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((all[middle] as bigint) < hash) low = middle + 1;
    else high = middle;
  }
  return low;
}
