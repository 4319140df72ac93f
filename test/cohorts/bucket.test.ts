import * as fc from "fast-check";
import { expect, it } from "vitest";
import {
  addMembers,
  type BucketMembers,
  countChanges,
  findHash,
  removeMembers,
  sortMembers,
} from "../../src/cohorts/bucket.ts";

/** Members of one bucket; few values, so that some share a hash and many share its first bits. */
const hash = fc.oneof(
  fc.bigInt(0n, 2n ** 56n - 1n),
  fc.bigInt(0n, 40n),
  fc.bigInt(0n, 40n).map((low) => (1n << 40n) + low),
);
const hashes = fc.array(hash, { maxLength: 200 });

function membersOf(values: readonly bigint[]): BucketMembers {
  const words = new Uint32Array(new BigUint64Array(values.map((value) => value + (0xa7n << 56n))).buffer);
  return { words, ids: values.map(String) };
}
const valuesOf = ({ words, ids }: BucketMembers) => {
  expect([...new BigUint64Array(words.buffer)]).toEqual(ids.map((id) => BigInt(id) + (0xa7n << 56n)));
  return ids.map(BigInt);
};
const ascending = (values: Iterable<bigint>) => [...new Set(values)].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));

it("members come out in order of their hashes, each once, with their ids", () => {
  return fc.assert(
    fc.property(hashes, (values) => {
      expect(valuesOf(sortMembers(membersOf(values)))).toEqual(ascending(values));
    }),
  );
});

it("many thousands too, and those whose hashes differ in the last bits alone", () => {
  const values = Array.from({ length: 70_000 }, (_, at) => (BigInt(at % 300) << 44n) + BigInt((at * 7919) % 64));
  expect(valuesOf(sortMembers(membersOf(values)))).toEqual(ascending(values));
});

it("members added, removed and counted are those of the sets", () => {
  return fc.assert(
    fc.property(hashes, hashes, (a, b) => {
      const [before, given] = [sortMembers(membersOf(a)), sortMembers(membersOf(b))];
      expect(valuesOf(addMembers(before, given))).toEqual(ascending([...a, ...b]));
      expect(valuesOf(removeMembers(before, given))).toEqual(ascending(a.filter((value) => !b.includes(value))));
      expect(countChanges(before.words, given.words)).toEqual({
        added: new Set(b.filter((value) => !a.includes(value))).size,
        removed: new Set(a.filter((value) => !b.includes(value))).size,
      });
    }),
  );
});

it("a hash is found where it stands, and nowhere else", () => {
  return fc.assert(
    fc.property(hashes, hash, (values, wanted) => {
      const { words, ids } = sortMembers(membersOf(values));
      const full = wanted + (0xa7n << 56n);
      expect(findHash(words, Number(full >> 32n), Number(full & 0xffffffffn))).toBe(ids.indexOf(String(wanted)));
    }),
  );
});
