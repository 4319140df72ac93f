import { expect, test } from "vitest";
import { compileFlags } from "../../src/engine/compile.ts";
import type { Flag, Range } from "../../src/engine/flag.ts";
import { createRandom } from "./random.ts";

const subjects = 1_000_000;

/** What chi-square stays below with probability 0.999, by degrees of freedom. */
const critical: Record<number, number> = { 1: 10.828, 2: 13.816, 4: 18.467, 19: 43.82 };

/** Weights as Amplitude compiles them to ranges; they may overlap by a little, and the first that holds a value wins. */
function toRanges(weights: readonly number[]): Range[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let sum = 0;
  return weights.map((weight) => {
    const start = Math.floor((sum / total) * 42_949_672);
    sum += weight;
    return [start, Math.ceil((sum / total) * 42_949_673)];
  });
}

function createFlag(key: string, salt: string, weights: readonly number[], allocation = 100): Flag {
  const names = weights.map((_, position) => `v${position}`);
  return {
    key,
    variants: Object.fromEntries(["off", ...names].map((name) => [name, { key: name }])),
    segments: [
      {
        bucket: {
          selector: ["context", "user", "device_id"],
          salt,
          allocations: [
            {
              range: [0, allocation],
              distributions: toRanges(weights).map((range, position) => ({ variant: `v${position}`, range })),
            },
          ],
        },
        variant: "off",
      },
    ],
  };
}

const twenty = Array.from({ length: 20 }, (_, position) => position + 1);
const splits: { name: string; weights: number[]; allocation: number }[] = [
  { name: "50/50", weights: [1, 1], allocation: 100 },
  { name: "1/99", weights: [1, 99], allocation: 100 },
  { name: "33/33/34", weights: [33, 33, 34], allocation: 100 },
  { name: "20 variations", weights: twenty, allocation: 100 },
  { name: "0%", weights: [1, 1], allocation: 0 },
  { name: "100%", weights: [1], allocation: 100 },
];

/** Evaluates a million random device ids and hands each result to `see`. */
function evaluateSubjects(flags: readonly Flag[], seed: number, see: (variants: readonly string[]) => void): void {
  const { evaluate } = compileFlags(flags);
  const random = createRandom(seed);
  for (let i = 0; i < subjects; i++) {
    const results = evaluate({
      user: { device_id: `${random(2 ** 32).toString(36)}-${random(2 ** 32).toString(36)}` },
    });
    see(flags.map(({ key }) => results[key]?.key ?? "absent"));
  }
}

const chiSquare = (observed: readonly number[], expected: readonly number[]): number =>
  observed.reduce((sum, count, cell) => sum + (count - (expected[cell] ?? 0)) ** 2 / (expected[cell] ?? 0), 0);

test("a million subjects split as the weights say, within what chance allows", { timeout: 60_000 }, () => {
  const flags = splits.map(({ name, weights, allocation }) => createFlag(name, `salt of ${name}`, weights, allocation));
  const counts = flags.map(() => new Map<string, number>());
  evaluateSubjects(flags, 1, (variants) => {
    for (const [at, variant] of variants.entries()) counts[at]?.set(variant, (counts[at].get(variant) ?? 0) + 1);
  });
  for (const [at, { name, weights, allocation }] of splits.entries()) {
    const observed = weights.map((_, position) => counts[at]?.get(`v${position}`) ?? 0);
    const off = counts[at]?.get("off") ?? 0;
    expect(off, name).toBe(allocation === 0 ? subjects : 0);
    if (allocation === 0 || weights.length === 1) continue;
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const statistic = chiSquare(
      observed,
      weights.map((weight) => (weight / total) * subjects),
    );
    expect(statistic, name).toBeLessThan(critical[weights.length - 1] ?? 0);
  }
});

test("two salts split independently", { timeout: 60_000 }, () => {
  const weights = [33, 33, 34];
  const cells = new Map<string, number>();
  const flags = [createFlag("a", "exp_1", weights), createFlag("b", "exp_2", weights)];
  evaluateSubjects(flags, 2, (variants) => {
    const cell = variants.join();
    cells.set(cell, (cells.get(cell) ?? 0) + 1);
  });
  const names = ["v0", "v1", "v2"];
  const count = (a: string, b: string): number => cells.get(`${a},${b}`) ?? 0;
  const rows = names.map((a) => names.reduce((sum, b) => sum + count(a, b), 0));
  const columns = names.map((b) => names.reduce((sum, a) => sum + count(a, b), 0));
  const observed = names.flatMap((a) => names.map((b) => count(a, b)));
  const expected = rows.flatMap((row) => columns.map((column) => (row * column) / subjects));
  expect(chiSquare(observed, expected)).toBeLessThan(critical[4] ?? 0);
});

test("raising the allocation never moves a subject that is in, and lets in as many as it says", {
  timeout: 60_000,
}, () => {
  const levels = [1, 5, 10, 25, 50, 75, 99, 100];
  const flags = levels.map((level) => createFlag(`at ${level}%`, "exp_ramp", [50, 30, 20], level));
  const allocated = levels.map(() => 0);
  let moved = 0;
  evaluateSubjects(flags, 3, (variants) => {
    let first: string | undefined;
    for (const [at, variant] of variants.entries()) {
      if (variant === "off") {
        if (first !== undefined) moved++;
        continue;
      }
      first ??= variant;
      if (variant !== first) moved++;
      allocated[at] = (allocated[at] ?? 0) + 1;
    }
  });
  expect(moved).toBe(0);
  for (const [at, level] of levels.entries()) {
    const expected = (subjects * level) / 100;
    const spread = Math.sqrt(expected * (1 - level / 100));
    expect(Math.abs((allocated[at] ?? 0) - expected)).toBeLessThanOrEqual(3.3 * spread);
  }
});
