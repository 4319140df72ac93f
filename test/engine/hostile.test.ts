/** Whatever a user sends, an evaluation stays fast: no property may turn it into work for seconds. */
import { expect, test } from "vitest";
import { compileFlags } from "../../src/engine/compile.ts";
import type { Condition, EvaluationContext, Flag } from "../../src/engine/flag.ts";
import { operators } from "./arbitraries.ts";

const limitMs = 5;

const patterns = [
  ["(a+)+$", "^(a|aa)+$", "^(([a-z])+.)+[A-Z]([a-z])+$", "(x+x+)+y", "(.*)*(.*)*(.*)*z"],
  ["^(\\w+\\s?)*$", "^[\\w.+-]+@[\\w-]+\\.[\\w.]+$", "\\s+$", "(a|b)*a(a|b){8}c"],
].flat();

/** One flag an operator, and a regular expression, each asking for the same property. */
const conditions = operators.flatMap((op): Condition[] => {
  const selector = ["context", "user", "user_properties", "p"];
  if (!op.startsWith("regex")) return [{ selector, op, values: ["US", "1.2.3", "true", "42", "10.0.0-rc.1"] }];
  return patterns.map((pattern) => ({ selector, op, values: [pattern] }));
});
const flags = conditions.map(
  (condition): Flag => ({
    key: `${condition.op} ${condition.values[0]}`,
    variants: { on: { key: "on" }, off: { key: "off" } },
    segments: [
      { conditions: [[condition]], variant: "on" },
      { bucket: { selector: condition.selector, salt: "salt", allocations: [] }, variant: "off" },
    ],
  }),
);

const nested = (depth: number): unknown => {
  let value: unknown = "deep";
  for (let i = 0; i < depth; i++) value = i % 2 === 0 ? [value] : { value };
  return value;
};

const attacks: [string, unknown][] = [
  ["a version of 8 KB", `1.2.3-${"a".repeat(8192)}!`],
  ["a version of 8 KB of digits", `${"9".repeat(4096)}.${"9".repeat(4096)}`],
  ["a version of dots", `1.2.3-${"a.".repeat(4096)}!`],
  ["a version that experiment-core takes seconds for", `1.2.3-${"a".repeat(35)}!`],
  ["8 KB of a", `${"a".repeat(8192)}!`],
  ["8 KB of x", "x".repeat(8192)],
  ["8 KB of spaces", `${" ".repeat(8192)}!`],
  ["8 KB of a and b", Array.from({ length: 8192 }, (_, i) => ((i * i + (i >> 3)) % 3 === 0 ? "a" : "b")).join("")],
  ["8 KB of two-byte letters", "é".repeat(4096)],
  ["100 KB of a", "a".repeat(100_000)],
  ["JSON of depth 2,000", nested(2_000)],
  ["text of JSON of depth 4,000", `${"[".repeat(4_000)}${"]".repeat(4_000)}`],
  ["8 KB of open brackets", "[".repeat(8192)],
  ["an array of 10,000 texts", Array.from({ length: 10_000 }, (_, i) => `element-${i}`)],
  ["an array of 10,000 numbers", Array.from({ length: 10_000 }, (_, i) => i)],
  ["text of an array of 10,000", JSON.stringify(Array.from({ length: 10_000 }, (_, i) => i % 7))],
  ["an object of 1,000 names", Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`name-${i}`, i]))],
];

/** What the evaluation takes when the machine does nothing else: the least of some runs, fewer when that is little. */
function measure(run: () => void): number {
  let least = Infinity;
  for (let i = 0; i < 500 && least >= limitMs; i++) {
    const start = performance.now();
    run();
    least = Math.min(least, performance.now() - start);
  }
  return least;
}

test.each(attacks)("%s costs no operator more than 5 ms", { timeout: 120_000 }, (_, p) => {
  const context: EvaluationContext = { user: { user_properties: { p } } };
  for (const flag of flags) {
    const compiled = compileFlags([flag]);
    expect([...compiled.faults]).toEqual([]);
    expect(
      measure(() => compiled.evaluate(context)),
      flag.key,
    ).toBeLessThan(limitMs);
  }
});

test.each(["x".repeat(65_536), "🦎".repeat(16_384)])("an identifier of 64 KB is bucketed within 5 ms", (device_id) => {
  const bucket = {
    selector: ["context", "user", "device_id"],
    salt: "salt",
    allocations: [{ range: [0, 100], distributions: [{ variant: "on", range: [0, 42_949_673] }] }],
  } as const;
  const { evaluate } = compileFlags([{ key: "flag", variants: { on: { key: "on" } }, segments: [{ bucket }] }]);
  expect(measure(() => evaluate({ user: { device_id } }))).toBeLessThan(limitMs);
});

const cycle: { self?: unknown } = {};
cycle.self = cycle;

test.each([
  ["a cycle", cycle],
  ["a BigInt inside", { big: 1n }],
  ["an object without a prototype", Object.create(null)],
  ["an object with its own toString", { toString: "no function" }],
  [
    "a toJSON that throws",
    {
      toJSON: () => {
        throw new Error("no");
      },
    },
  ],
  ["a symbol", Symbol("s")],
  ["JSON of depth 100,000", nested(100_000)],
  ["a BigInt in an array", [1n, { big: 1n }]],
])("%s does not throw", (_, p) => {
  const { evaluate } = compileFlags(flags);
  expect(Object.keys(evaluate({ user: { user_properties: { p } } }))).toHaveLength(flags.length);
});

test("a getter that throws counts as missing", () => {
  const context = {
    get user(): Record<string, unknown> {
      throw new Error("no");
    },
  };
  const { evaluate } = compileFlags(flags);
  expect(evaluate(context)).toEqual(evaluate({}));
});
