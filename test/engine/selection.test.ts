import { EvaluationEngine, topologicalSort } from "@amplitude/experiment-core";
import { expect, test } from "vitest";
import { compileFlags } from "../../src/engine/compile.ts";
import type { Flag } from "../../src/engine/flag.ts";
import { maxKept } from "../../src/engine/selection.ts";

const keys = Array.from({ length: 6 }, (_, number) => (number === 3 ? "__proto__" : `flag-${number}`));
/** Each asks for the one two places on; whoever has a country gets `on`, unless the one it depends on is off. */
const flags = keys.map((key, number): Flag => {
  const ahead = keys[number + 2];
  const selector = ["context", "user", "country"];
  return {
    key,
    variants: { on: { key: "on" }, off: { key: "off" } },
    segments: [
      { conditions: [[{ selector, op: "is", values: [`c${number}`] }]], variant: "off" },
      { conditions: [[{ selector, op: "is not", values: ["(none)"] }]], variant: "on" },
    ],
    ...(ahead && { dependencies: [ahead] }),
  };
});

type CoreFlags = Parameters<typeof topologicalSort>[0];

/** As `[key, variant]`: an object would take `__proto__` for something else. */
function evaluateInCore(country: string | undefined, asked: readonly string[]): [string, string | undefined][] {
  const plain = flags.map((flag) => ({ ...flag, key: flag.key.replaceAll("__", "-") }));
  const byKey = Object.fromEntries(
    plain.map((flag) => [
      flag.key,
      { ...flag, dependencies: flag.dependencies?.map((key) => key.replaceAll("__", "-")) },
    ]),
  ) as unknown as CoreFlags;
  const sorted = topologicalSort(
    byKey,
    asked.map((key) => key.replaceAll("__", "-")),
  );
  const results = new EvaluationEngine().evaluate({ user: { country } }, sorted);
  return Object.entries(results).map(([key, { key: variant }]) => [key.replace("-proto-", "__proto__"), variant]);
}

function* listsUpTo(length: number, before: readonly string[] = []): Generator<readonly string[]> {
  yield before;
  if (before.length < length) for (const key of [...keys, "unknown"]) yield* listsUpTo(length, [...before, key]);
}

test("more lists of keys than are remembered, each asked for twice, give what core gives", () => {
  const { evaluate } = compileFlags(flags);
  const lists = [...listsUpTo(4)].filter((list) => list.length !== 3);
  expect(lists.length).toBeGreaterThan(maxKept);
  for (const list of [...lists, ...lists]) {
    for (const country of [`c${list.length}`, undefined]) {
      const results = evaluate({ user: { country } }, list);
      expect(Object.entries(results).map(([key, { key: variant }]) => [key, variant])).toEqual(
        evaluateInCore(country, list),
      );
      expect(Object.getPrototypeOf(results)).toBe(Object.prototype);
    }
  }
});

test("the record is the caller's, also for some flags", () => {
  const { evaluate } = compileFlags(flags);
  const context = { user: { country: "x" } };
  for (const asked of [["flag-5"], ["flag-4", "flag-5"]]) {
    const results = evaluate(context, asked);
    const before = { ...results };
    for (const key of asked) delete results[key];
    results.more = { key: "more" };
    expect(evaluate(context, asked)).toEqual(before);
  }
});
