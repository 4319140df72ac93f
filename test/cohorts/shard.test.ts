import { expect, it } from "vitest";
import { decodeShard, encodeShard, type ShardEntries } from "../../src/cohorts/shard.ts";

const entries: ShardEntries = {
  cohorts: ["coh_a", "coh_b"],
  sets: [[0], [0, 1]],
  // Low and high words by turns.
  hashes: new Uint32Array([7, 1, 5, 2]),
  set: new Uint32Array([1, 0]),
};
const decode = (changes: Partial<ShardEntries> = {}) => decodeShard(encodeShard({ ...entries, ...changes }).buffer);

it("tells of each hash the cohorts of its set, and of any other none", () => {
  const { find } = decode();
  expect([find(1, 7), find(2, 5), find(1, 5), find(0, 0)]).toEqual([["coh_a", "coh_b"], ["coh_a"], [], []]);
});

it("that names a set or a cohort that it has not is none, rather than one whose subjects are in nothing", () => {
  expect(() => decode({ set: new Uint32Array([0, 2]) })).toThrow("an entry names set 2 of 2");
  expect(() => decode({ sets: [[0], [0, 2]] })).toThrow("a set names cohort 2 of 2");
});

it("cut short, or with something behind it, is none", () => {
  const bytes = encodeShard(entries);
  for (const size of [0, 4, 12, bytes.length - 4, bytes.length + 4]) {
    const other = new Uint8Array(size);
    other.set(bytes.slice(0, size));
    expect(() => decodeShard(other.buffer)).toThrow();
  }
});
