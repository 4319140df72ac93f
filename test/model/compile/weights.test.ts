import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { distributions, split } from "../../../src/model/compile/weights.ts";

const selector = ["context", "user", "device_id"];
const ranges = (...weights: number[]) =>
  distributions(weights.map((weight, index) => ({ variant: `v${index}`, weight }))).map(({ range }) => range);

describe("distributions", () => {
  it.each([
    [
      [1, 99],
      [
        [0, 429497],
        [429496, 42949673],
      ],
    ],
    [
      [99, 1],
      [
        [0, 42520177],
        [42520175, 42949673],
      ],
    ],
    [
      [50, 50],
      [
        [0, 21474837],
        [21474836, 42949673],
      ],
    ],
    [
      [33, 33, 34],
      [
        [0, 14173393],
        [14173391, 28346785],
        [28346783, 42949673],
      ],
    ],
    [
      [25, 25, 25, 25],
      [
        [0, 10737419],
        [10737418, 21474837],
        [21474836, 32212255],
        [32212254, 42949673],
      ],
    ],
    [[100], [[0, 42949673]]],
  ])("lays %j out as Amplitude does", (weights, expected) => {
    expect(ranges(...weights)).toEqual(expected);
  });

  it("gives a weight of 0 no range", () => {
    expect(
      distributions([
        { variant: "a", weight: 0 },
        { variant: "b", weight: 1 },
      ]).map((d) => d.variant),
    ).toEqual(["b"]);
  });

  it("leaves no hash without a variant and overlaps by 2 at most", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 20 }), (weights) => {
        const laid = ranges(...weights);
        expect(laid[0]?.[0]).toBe(0);
        // The largest value is floor((2^32 - 1) / 100) = 42949672; ranges are half open.
        expect(laid.at(-1)?.[1]).toBe(42949673);
        for (const [index, [start]] of laid.entries()) {
          const before = laid[index - 1]?.[1] ?? start;
          expect(start).toBeLessThanOrEqual(before);
          expect(before - start).toBeLessThanOrEqual(2);
        }
      }),
    );
  });
});

describe("split", () => {
  const weights = [
    { variant: "a", weight: 50 },
    { variant: "b", weight: 50 },
  ];
  it("allocates a percentage and leaves the rest off", () => {
    const { bucket, variant } = split({ percentage: 25, weights, selector, salt: "s" });
    expect(bucket?.allocations[0]?.range).toEqual([0, 25]);
    expect(bucket).toMatchObject({ selector, salt: "s" });
    expect(variant).toBe("off");
  });
  it.each([
    [
      "everything to one variant",
      100,
      [
        { variant: "a", weight: 100 },
        { variant: "b", weight: 0 },
      ],
      { variant: "a" },
    ],
    ["nothing allocated", 0, weights, { variant: "off" }],
    ["no weights", 100, [], { variant: "off" }],
  ])("needs no bucket for %s", (_, percentage, of, expected) => {
    expect(split({ percentage, weights: of, selector, salt: "s" })).toEqual(expected);
  });
  it("keeps the bucket when a part of everyone goes to one variant", () => {
    expect(split({ percentage: 10, weights: [{ variant: "a", weight: 1 }], selector, salt: "s" }).bucket).toBeDefined();
  });
});
