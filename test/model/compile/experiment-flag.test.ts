import { EvaluationEngine } from "@amplitude/experiment-core";
import { describe, expect, it } from "vitest";
import { compileFlags } from "../../../src/engine/compile.ts";
import type { Flag } from "../../../src/engine/flag.ts";
import { experimentFlag } from "../../../src/model/compile/experiment-flag.ts";
import { groupFlag } from "../../../src/model/compile/group-flag.ts";
import { rolloutFlag } from "../../../src/model/compile/rollout-flag.ts";
import type { Experiment } from "../../../src/model/experiment.ts";
import type { FeatureFlag } from "../../../src/model/feature-flag.ts";
import { experiment, flag, mutex, segment, share, variation, variations } from "../resources.ts";

const segments = [
  segment("Mobile", [{ match: { device_type: ["mobile", "tablet"] } }]),
  segment("Swiss", [{ match: { country: ["CH"] } }]),
];

const compile = (changes: Partial<Experiment> = {}, flagChanges: Partial<FeatureFlag> = {}): Flag =>
  experimentFlag({
    experiment: experiment(changes),
    flag: flag(flagChanges),
    variations,
    segments,
    memberships: [],
    flagVersion: 7,
  });

const roll = (rollout: NonNullable<FeatureFlag["rollout"]>): Flag =>
  rolloutFlag({ flag: flag({ rollout }), variations, segments, memberships: [], flagVersion: 7 });

/** Variant and segment name; ours and Amplitude's engine must agree. */
function evaluate(flags: Flag[], user: Record<string, unknown>, key = "page"): [unknown, unknown] {
  const ours = compileFlags(flags).evaluate({ user })[key];
  const theirs = new EvaluationEngine().evaluate({ user }, structuredClone(flags) as never)[key];
  expect(ours).toEqual(theirs);
  return [ours?.key, ours?.metadata?.segmentName];
}

const names = (compiled: Flag) => compiled.segments.map(({ metadata }) => metadata?.segmentName);

describe("percentage experiments", () => {
  it("compile to one segment of all users", () => {
    const compiled = compile();
    expect(compiled.metadata).toEqual({
      deployed: true,
      epoch: 1,
      evaluationMode: "remote",
      flagType: "experiment",
      flagVersion: 7,
      experimentKey: "exp_Page",
    });
    expect(compiled.variants).toEqual({
      a: { key: "a", value: "a", payload: { title: "Hello", wide: false }, metadata: { variationId: "var_a" } },
      b: { key: "b", value: "b", payload: { title: "Welcome", wide: false }, metadata: { variationId: "var_b" } },
      c: { key: "c", value: "c", payload: { title: "Hello", wide: true }, metadata: { variationId: "var_c" } },
      off: { key: "off", metadata: { default: true } },
    });
    expect(compiled.segments).toEqual([
      {
        bucket: {
          selector: ["context", "user", "device_id"],
          salt: "exp_Page",
          allocations: [
            {
              range: [0, 100],
              distributions: [
                { variant: "a", range: [0, 21474837] },
                { variant: "b", range: [21474836, 42949673] },
              ],
            },
          ],
        },
        variant: "off",
        metadata: { segmentName: "All Other Users" },
      },
    ]);
    expect(compiled.dependencies).toBeUndefined();
  });

  it("split 20,000 devices evenly, each always alike", () => {
    const engine = compileFlags([compile()]);
    let a = 0;
    for (let i = 0; i < 20_000; i += 1) {
      const { page } = engine.evaluate({ user: { device_id: `device-${i}` } });
      if (page?.key === "a") a += 1;
      else expect(page?.key).toBe("b");
    }
    // Five standard deviations of a binomial: 5 × √(20,000 / 4).
    expect(Math.abs(a - 10_000)).toBeLessThan(354);
  });

  it("take part up to the current level, and who is in stays where they were as it rises", () => {
    const at = (current_level: number) => compileFlags([compile({ levels: [10, 50, 100], current_level })]);
    const [low, high] = [at(10), at(50)];
    let inside = 0;
    for (let i = 0; i < 10_000; i += 1) {
      const user = { device_id: `device-${i}` };
      const before = low.evaluate({ user }).page?.key;
      if (before === "off") continue;
      inside += 1;
      expect(high.evaluate({ user }).page?.key).toBe(before);
    }
    expect(Math.abs(inside - 1000)).toBeLessThan(150);
  });

  it("begin at the first level", () => {
    expect(compile({ levels: [5, 100] }).segments[0]?.bucket?.allocations[0]?.range).toEqual([0, 5]);
    expect(compile({ levels: [0, 100] }).segments[0]).toMatchObject({ variant: "off" });
  });

  it("bucket by user after log-in, by their own salt", () => {
    const compiled = compile({ assignment_config: { subject: "user" }, bucketing_salt: "salt" });
    expect(compiled.segments[0]?.bucket).toMatchObject({ selector: ["context", "user", "user_id"], salt: "salt" });
    expect(evaluate([compiled], { device_id: "d" })[0]).toBe("off");
  });

  it("keep no bucket where one variation gets all", () => {
    const compiled = compile({ allocations: [share("a", 0, true), share("b", 100)] });
    expect(compiled.segments).toEqual([{ variant: "b", metadata: { segmentName: "All Other Users" } }]);
  });
});

describe("segment experiments", () => {
  const compiled = compile({
    allocation_strategy: "segment",
    allocations: [
      // That a fallback names a segment too changes nothing.
      { variation_id: "var_a", is_control: true, is_fallback: true, segment_id: "seg_Swiss", priority: 1 },
      { variation_id: "var_b", is_control: false, segment_id: "seg_Swiss", priority: 2 },
      { variation_id: "var_c", is_control: false, segment_id: "seg_Mobile", priority: 1 },
    ],
  });
  it.each([
    [{ device_type: "mobile", country: "CH" }, "c", "Segment Mobile"],
    [{ device_type: "desktop", country: "CH" }, "b", "Segment Swiss"],
    [{ device_type: "desktop", country: "DE" }, "a", "All Other Users"],
    [{}, "a", "All Other Users"],
  ])("give %j %s", (user, variant, name) => {
    expect(evaluate([compiled], user)).toEqual([variant, name]);
  });
  it("say which segment it was", () => {
    expect(compiled.segments[0]?.metadata).toEqual({ segmentName: "Segment Mobile", segmentId: "seg_Mobile" });
  });
});

describe("what comes before targeting", () => {
  const rollout = {
    dependencies: { gate: ["on"] },
    inclusions: { b: { user_ids: ["u-b"], device_ids: ["d-b"] }, c: { user_ids: [], device_ids: ["d-c"] } },
    sticky_bucketing: true,
  };
  const gate = rolloutFlag({
    flag: flag({ id: "flg_Gate", key: "gate", rollout: { all_users: { percentage: 50, weights: { on: 1 } } } }),
    variations: [variation("on"), variation("other")],
    segments: [],
    memberships: [],
    flagVersion: 7,
  });
  const compiled = compile({ allocations: [share("a", 100, true), share("b", 0)] }, { rollout });
  const devices = Array.from({ length: 200 }, (_, i) => `device-${i}`);
  const open = devices.filter((device_id) => evaluate([gate], { device_id }, "gate")[0] === "on");
  const shut = devices.filter((device_id) => !open.includes(device_id));

  it("stands in the engine's order", () => {
    expect(names(compiled)).toEqual([
      "flag-dependencies",
      "individual-inclusions",
      "individual-inclusions",
      "sticky-bucketing",
      "sticky-bucketing",
      "sticky-bucketing",
      "All Other Users",
    ]);
    expect(compiled.dependencies).toEqual(["gate"]);
  });

  it("lets through only whom the other flag gives an allowed variation", () => {
    expect(open.length).toBeGreaterThan(50);
    for (const device_id of open) expect(evaluate([gate, compiled], { device_id })[0]).toBe("a");
    for (const device_id of shut)
      expect(evaluate([gate, compiled], { device_id })).toEqual(["off", "flag-dependencies"]);
  });

  it("lets no one through when the other flag is missing", () => {
    expect(evaluate([compiled], { device_id: open[0] })).toEqual(["off", "flag-dependencies"]);
  });

  it("lets no one through whom the flag's groups do not, nor anyone when a group is missing", () => {
    const group = mutex([], { slots: [{ percentage: 50, feature_flag_ids: ["flg_Page"] }] });
    const member = experimentFlag({
      experiment: experiment({ allocations: [share("a", 100, true), share("b", 0)] }),
      flag: flag({ rollout: { inclusions: rollout.inclusions } }),
      variations,
      segments: [],
      memberships: [{ group, variant: "slot-1" }],
      flagVersion: 7,
    });
    const flags = [groupFlag(group, 7), member];
    const inside = devices.filter((device_id) => evaluate(flags, { device_id }, "mutex-log_in")[0] === "slot-1");
    expect(inside.length).toBeGreaterThan(50);
    for (const device_id of devices) {
      const expected = inside.includes(device_id) ? ["a", "All Other Users"] : ["off", "flag-dependencies"];
      expect(evaluate(flags, { device_id })).toEqual(expected);
      expect(evaluate([member], { device_id })).toEqual(["off", "flag-dependencies"]);
    }
    expect(evaluate(flags, { user_id: "u-b" })).toEqual(["off", "flag-dependencies"]);
  });

  it("includes by user or device, before sticky bucketing", () => {
    const free = compile({}, { rollout: { ...rollout, dependencies: {} } });
    const user_properties = { "[Experiment] page": "a" };
    expect(evaluate([free], { user_id: "u-b", user_properties })).toEqual(["b", "individual-inclusions"]);
    expect(evaluate([free], { device_id: "d-b" })).toEqual(["b", "individual-inclusions"]);
    expect(evaluate([free], { device_id: "d-c" })).toEqual(["c", "individual-inclusions"]);
  });

  it.each([
    ["a", ["a", "sticky-bucketing"]],
    ["c", ["c", "sticky-bucketing"]],
    ["off", ["b", "All Other Users"]],
    ["gone", ["b", "All Other Users"]],
  ])("keeps the earlier variation %s if there still is one", (earlier, expected) => {
    const free = compile({ is_stateful: true, allocations: [share("a", 0, true), share("b", 100)] });
    expect(evaluate([free], { user_properties: { "[Experiment] page": earlier } })).toEqual(expected);
  });
});

describe("rollouts", () => {
  it("target segments and conditions, top to bottom", () => {
    const compiled = roll({
      targeting: [
        { name: "Swiss people", segment_id: "seg_Swiss", percentage: 100, weights: { b: 1 } },
        {
          name: "Pro plan",
          conditions: [[{ selector: ["context", "user", "user_properties", "plan"], op: "is", values: ["pro"] }]],
          percentage: 100,
          weights: { c: 3 },
        },
      ],
      all_users: { percentage: 0, weights: { a: 1 } },
    });
    expect(compiled.metadata).toMatchObject({ flagType: "release", flagVersion: 7 });
    expect(evaluate([compiled], { country: "CH" })).toEqual(["b", "Swiss people"]);
    expect(evaluate([compiled], { user_properties: { plan: "pro" } })).toEqual(["c", "Pro plan"]);
    expect(evaluate([compiled], {})).toEqual(["off", "All Other Users"]);
  });

  it("lay weights out in the order of the variations, whatever order they were written in", () => {
    const compiled = roll({ bucketing_key: "user_id", all_users: { percentage: 40, weights: { c: 1, a: 3 } } });
    expect(compiled.segments).toEqual([
      {
        bucket: {
          selector: ["context", "user", "user_id"],
          salt: "flg_Page",
          allocations: [
            {
              range: [0, 40],
              distributions: [
                { variant: "a", range: [0, 32212255] },
                { variant: "c", range: [32212254, 42949673] },
              ],
            },
          ],
        },
        variant: "off",
        metadata: { segmentName: "All Other Users" },
      },
    ]);
  });

  it("give no one a target whose segment is gone", () => {
    const compiled = roll({
      targeting: [{ name: "Gone", segment_id: "seg_Gone", percentage: 100, weights: { b: 1 } }],
    });
    expect(evaluate([compiled], { country: "CH" })).toEqual(["off", "All Other Users"]);
  });
});
