import { readFileSync } from "node:fs";
import { EvaluationEngine, topologicalSort } from "@amplitude/experiment-core";
import { expect, test } from "vitest";
import { compileFlags } from "../../src/engine/compile.ts";
import type { EvaluationContext, Flag, Variant } from "../../src/engine/flag.ts";
import { murmur3 } from "../../src/engine/murmur3.ts";

interface EvaluationCase {
  name: string;
  exception?: string;
  flags: Flag[];
  context: EvaluationContext;
  flagKeys?: string[];
  expected: Record<string, Variant>;
}
interface ConditionCase {
  exception?: string;
  op: string;
  values: string[];
  property?: unknown;
  holds: boolean;
}

// Read and parsed here: bundlers of JSON stumble over the lone surrogate in it.
const table = JSON.parse(readFileSync(`${import.meta.dirname}/../fixtures/evaluation-cases.json`, "utf8")) as {
  version: number;
  hashes: { text: string; hash: number }[];
  conditions: ConditionCase[];
  evaluations: EvaluationCase[];
};
const { hashes, conditions, evaluations } = table;

/** A flag that is present exactly when the condition holds, and a context that bears the property. */
function askCondition({ op, values, ...rest }: ConditionCase): { flags: Flag[]; context: EvaluationContext } {
  const condition = { selector: ["context", "user", "user_properties", "p"], op, values };
  const flag = {
    key: "flag",
    variants: { on: { key: "on" } },
    segments: [{ conditions: [[condition]], variant: "on" }],
  };
  return { flags: [flag], context: { user: { user_properties: "property" in rest ? { p: rest.property } : {} } } };
}

function askCore(flags: Flag[], context: EvaluationContext, flagKeys?: string[]): Record<string, unknown> {
  const byKey = Object.fromEntries(flags.map((flag) => [flag.key, flag]));
  const sorted = topologicalSort(byKey as unknown as Parameters<typeof topologicalSort>[0], flagKeys);
  return new EvaluationEngine().evaluate(context as Record<string, unknown>, sorted);
}

test("the table is of a version this loop reads", () => {
  expect(table.version).toBe(1);
});

test.each(hashes)("murmur3($text) is $hash", ({ text, hash }) => {
  expect(murmur3(text)).toBe(hash);
});

test.each(conditions)("$op $values on $property: $holds", (each) => {
  const { flags, context } = askCondition(each);
  expect(Object.hasOwn(compileFlags(flags).evaluate(context), "flag")).toBe(each.holds);
  if (each.exception === undefined) expect(Object.hasOwn(askCore(flags, context), "flag")).toBe(each.holds);
});

test.each(evaluations)("$name", ({ flags, context, flagKeys, expected, exception }) => {
  expect(compileFlags(flags).evaluate(context, flagKeys)).toEqual(expected);
  const core = () => askCore(flags, context, flagKeys);
  if (exception === undefined) expect(core()).toEqual(expected);
  // An exception that is none any more must leave the table.
  else expect(() => expect(core()).toEqual(expected)).toThrow();
});
