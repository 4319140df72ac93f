/**
 * Every evaluation agrees with experiment-core's, outside the exceptions that docs/evaluation.md lists.
 * `EVALUATIONS=5000000 npx vitest run --config test/vitest.config.ts --project pure differential` runs longer, `SEED=…`
 * repeats a run.
 */
import { isDeepStrictEqual } from "node:util";
import { EvaluationEngine, topologicalSort } from "@amplitude/experiment-core";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { compileFlags } from "../../src/engine/compile.ts";
import type { FlagTrace } from "../../src/engine/trace.ts";
import { context, flags, someFlagKeys } from "./arbitraries.ts";

const evaluations = Number(process.env.EVALUATIONS ?? 200_000);
const seed = Number(process.env.SEED ?? Math.trunc(Math.random() * 0x7fffffff));
const contextsPerSet = 50;

type CoreFlags = Parameters<typeof topologicalSort>[0];

test(`agrees with experiment-core over ${evaluations} evaluations`, { timeout: 20_000 + evaluations }, () => {
  console.log(`differential test: SEED=${seed}`);
  const core = new EvaluationEngine();
  let compared = 0;
  let present = 0;
  void fc.assert(
    fc.property(
      flags,
      fc.array(context, { minLength: contextsPerSet, maxLength: contextsPerSet }),
      someFlagKeys,
      (set, contexts, keys) => {
        const compiled = compileFlags(set);
        expect([...compiled.faults]).toEqual([]);
        const sorted = topologicalSort(
          Object.fromEntries(set.map((flag) => [flag.key, flag])) as unknown as CoreFlags,
          keys,
        );
        for (const [turn, each] of contexts.entries()) {
          const wanted = core.evaluate(each as Record<string, unknown>, sorted);
          const trace: FlagTrace[] | undefined = turn % 8 === 0 ? [] : undefined;
          const got = compiled.evaluate(each, keys, trace);
          compared++;
          present += Object.keys(got).length;
          if (!isDeepStrictEqual(got, wanted))
            expect({ context: each, results: got }).toEqual({ context: each, results: wanted });
          // Few flags go a shorter way, but never with a trace: both must come to the same.
          if (trace === undefined && set.length <= 4) expect(compiled.evaluate(each, keys, [])).toEqual(got);
          if (trace === undefined) continue;
          expect(trace.map(({ flag }) => flag)).toEqual(sorted.map(({ key }) => key));
          for (const { flag, variant } of trace) expect(variant !== undefined).toBe(Object.hasOwn(got, flag));
        }
      },
    ),
    { numRuns: Math.ceil(evaluations / contextsPerSet), seed },
  );
  console.log(`differential test: ${compared} evaluations, ${present} variants, no difference`);
  expect(compared).toBeGreaterThanOrEqual(evaluations);
});
