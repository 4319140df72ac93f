import fc from "fast-check";
import { expect, it } from "vitest";
import { newEpoch, withEpoch } from "../../src/model/epoch.ts";
import type { Experiment } from "../../src/model/experiment.ts";
import { experiment, share } from "./resources.ts";

const paused = experiment({ status: "paused", epoch: 3 });
const after = (changes: Partial<Experiment>, from = paused) => withEpoch(from, { ...from, ...changes }).epoch;
const fallback = { variation_id: "var_a", is_control: true, is_fallback: true };
const targeted = (key: string, priority: number, variation = "b") => ({
  variation_id: `var_${variation}`,
  is_control: false,
  segment_id: `seg_${key}`,
  priority,
});
const bySegment = experiment({
  status: "paused",
  epoch: 3,
  allocation_strategy: "segment",
  allocations: [targeted("x", 1), targeted("y", 2), fallback],
});

it.each<[string, Partial<Experiment>]>([
  ["weights", { allocations: [share("a", 60, true), share("b", 40)] }],
  ["a variation", { allocations: [share("a", 50, true), share("c", 50)] }],
  ["one more variation", { allocations: [share("a", 50, true), share("b", 25), share("c", 25)] }],
  ["their order, which ranges follow", { allocations: [share("b", 50), share("a", 50, true)] }],
  ["the salt", { bucketing_salt: "pepper" }],
  ["stickiness", { is_stateful: true }],
])("begins anew with %s", (_, changes) => {
  expect(after(changes)).toBe(4);
});

it.each<[string, Partial<Experiment>]>([
  ["the same split", { allocations: [share("a", 50, true), share("b", 50)] }],
  ["the same split in other numbers", { allocations: [share("a", 1, true), share("b", 1)] }],
  ["a variation that gets nobody", { allocations: [share("a", 50, true), share("c", 0), share("b", 50)] }],
  ["another control", { allocations: [share("a", 50), share("b", 50, true)] }],
  ["the salt that was meant anyway", { bucketing_salt: "exp_Page" }],
  ["no stickiness, said aloud", { is_stateful: false }],
  ["a name", { name: "Another name" }],
  ["the ramp", { levels: [5, 50], current_level: 50 }],
])("stays with %s", (_, changes) => {
  expect(after(changes)).toBe(3);
});

it.each<[string, Experiment["allocations"], number]>([
  ["the same segments", [targeted("x", 1), targeted("y", 2), fallback], 3],
  ["the same order in other numbers", [fallback, targeted("y", 20), targeted("x", 10)], 3],
  ["another order", [targeted("x", 2), targeted("y", 1), fallback], 4],
  ["another segment", [targeted("x", 1), targeted("z", 2), fallback], 4],
  ["another variation for a segment", [targeted("x", 1), targeted("y", 2, "c"), fallback], 4],
  ["another fallback", [targeted("x", 1), targeted("y", 2), { ...fallback, variation_id: "var_c" }], 4],
])("by segments: %s", (_, allocations, epoch) => {
  expect(after({ allocations }, bySegment)).toBe(epoch);
});

it("a draft has no epochs to part", () => {
  const draft = experiment({ status: "draft" });
  expect(after({ allocations: [share("a", 1, true), share("b", 99)] }, draft)).toBe(1);
  expect(newEpoch(draft).epoch).toBe(1);
  expect(newEpoch(paused).epoch).toBe(4);
});

it("weights in proportion are one split", () => {
  const weights = fc.array(fc.integer({ min: 0, max: 33 }), { minLength: 1, maxLength: 3 });
  return fc.assert(
    fc.property(weights, fc.integer({ min: 1, max: 3 }), (parts, factor) => {
      const split = (by: number) => parts.map((weight, index) => share("abc".charAt(index), weight * by));
      expect(after({ allocations: split(factor) }, { ...paused, allocations: split(1) })).toBe(3);
    }),
  );
});
