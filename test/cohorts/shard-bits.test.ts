import * as fc from "fast-check";
import { expect, it } from "vitest";
import { chooseBits } from "../../src/cohorts/shard-bits.ts";

it("a new index has shards of 4,096 to 8,192 subjects", () => {
  const all = [0, 1, 8_192, 8_193, 100_000, 1_000_000, 5_000_000].map((subjects) => chooseBits(subjects, undefined));
  expect(all).toEqual([0, 0, 0, 1, 4, 7, 10]);
});

it("a number is kept through growth and loss of some, and changed in the end", () => {
  expect([8_193, 10_240].map((subjects) => chooseBits(subjects * 16, 4))).toEqual([4, 4]);
  expect([4_095, 3_072].map((subjects) => chooseBits(subjects * 16, 4))).toEqual([4, 4]);
  expect([10_241, 3_071].map((subjects) => chooseBits(subjects * 16, 4))).toEqual([5, 3]);
});

it("what was chosen stays chosen", () => {
  return fc.assert(
    fc.property(fc.integer({ min: 0, max: 200_000_000 }), fc.integer({ min: 0, max: 12 }), (subjects, current) => {
      const chosen = chooseBits(subjects, current);
      expect(chosen).toBeLessThanOrEqual(12);
      expect(chooseBits(subjects, chosen)).toBe(chosen);
      if (chosen > 0 && chosen < 12) {
        expect(subjects / 2 ** chosen).toBeGreaterThanOrEqual(3_072);
        expect(subjects / 2 ** chosen).toBeLessThanOrEqual(10_240);
      }
    }),
  );
});
