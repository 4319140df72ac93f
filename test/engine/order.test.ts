import * as fc from "fast-check";
import { expect, test } from "vitest";
import { findCycles, sortByDependency } from "../../src/engine/order.ts";

const graph = fc
  .integer({ min: 1, max: 12 })
  .chain((size) => fc.array(fc.array(fc.nat(size - 1), { maxLength: 3 }), { minLength: size, maxLength: size }));

/** Whether `to` can be reached from `from` in one step or more. */
function reaches(dependencies: readonly (readonly number[])[], from: number, to: number): boolean {
  const seen = new Set(dependencies[from]);
  for (const at of seen) for (const next of dependencies[at] ?? []) seen.add(next);
  return seen.has(to);
}

test("findCycles finds exactly what can reach itself", { timeout: 60_000 }, () => {
  void fc.assert(
    fc.property(graph, (dependencies) => {
      const own = [...dependencies.keys()].filter((at) => reaches(dependencies, at, at));
      expect([...findCycles(dependencies)].sort((a, b) => a - b)).toEqual(own);
    }),
    { numRuns: 5_000 },
  );
});

test("sortByDependency lists what is reachable, once, each after what it depends on", { timeout: 60_000 }, () => {
  void fc.assert(
    fc.property(graph, fc.array(fc.nat(11), { maxLength: 4 }), (graph, wanted) => {
      const dependencies = graph.map((all, at) => all.filter((each) => each > at));
      const roots = wanted.filter((root) => root < dependencies.length);
      const sorted = sortByDependency(dependencies, roots);
      const reachable = [...dependencies.keys()].filter((at) =>
        roots.some((root) => root === at || reaches(dependencies, root, at)),
      );
      expect(sorted.toSorted((a, b) => a - b)).toEqual(reachable);
      for (const [position, at] of sorted.entries()) {
        for (const each of dependencies[at] ?? []) expect(sorted.indexOf(each)).toBeLessThan(position);
      }
    }),
    { numRuns: 5_000 },
  );
});

test("a chain of 100,000 does not overflow the stack", { timeout: 60_000 }, () => {
  const dependencies = Array.from({ length: 100_000 }, (_, at) => (at === 99_999 ? [] : [at + 1]));
  expect(sortByDependency(dependencies, [0])[0]).toBe(99_999);
  expect(findCycles(dependencies).size).toBe(0);
  dependencies[99_999] = [0];
  expect(findCycles(dependencies).size).toBe(100_000);
});
