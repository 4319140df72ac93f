import { EvaluationEngine } from "@amplitude/experiment-core";
import { describe, expect, it } from "vitest";
import { compileFlags } from "../../../src/engine/compile.ts";
import type { Flag } from "../../../src/engine/flag.ts";
import { buildSnapshot } from "../../../src/model/compile/build-snapshot.ts";
import { groupFlag, populations } from "../../../src/model/compile/group-flag.ts";
import { experiment, flag, holdout, mutex, resources, share, variation } from "../resources.ts";

const subjects = 100_000;
const user = (index: number) => ({ user: { device_id: `device-${index}` } });

/** Five standard deviations of how many of `of` subjects fall into a share. */
const slack = (share: number, of = subjects) => 5 * Math.sqrt(of * share * (1 - share));

describe("groupFlag", () => {
  it("compiles a holdout", () => {
    expect(groupFlag(holdout({ percentage: 10 }), 7)).toEqual({
      key: "holdout-everyone",
      variants: { holdout: { key: "holdout", value: "holdout" }, on: { key: "on", value: "on" } },
      segments: [
        {
          bucket: {
            selector: ["context", "user", "device_id"],
            salt: "grp_Everyone",
            allocations: [
              {
                range: [0, 100],
                distributions: [
                  { variant: "holdout", range: [0, 4294968] },
                  { variant: "on", range: [4294967, 42949673] },
                ],
              },
            ],
          },
          variant: "holdout",
          metadata: { segmentName: "All Other Users" },
        },
      ],
      metadata: { deployed: false, evaluationMode: "remote", flagType: "holdout-group", flagVersion: 7 },
    });
  });

  it("compiles a mutual exclusion group", () => {
    const compiled = groupFlag(mutex([50, 0, 20], { bucketing_key: "user_id", bucketing_salt: "salt" }), 7);
    expect(compiled.key).toBe("mutex-log_in");
    expect(Object.keys(compiled.variants)).toEqual(["slot-1", "slot-2", "slot-3", "unallocated"]);
    expect(compiled.metadata).toMatchObject({ deployed: false, flagType: "mutual-exclusion-group" });
    expect(compiled.segments).toEqual([
      {
        bucket: {
          selector: ["context", "user", "user_id"],
          salt: "salt",
          allocations: [
            {
              range: [0, 100],
              distributions: [
                { variant: "slot-1", range: [0, 21474837] },
                { variant: "slot-3", range: [21474836, 30064772] },
                { variant: "unallocated", range: [30064770, 42949673] },
              ],
            },
          ],
        },
        variant: "unallocated",
        metadata: { segmentName: "All Other Users" },
      },
    ]);
  });

  it.each<[string, Flag, string]>([
    ["is held out where some are", groupFlag(holdout({ percentage: 10 }), 1), "holdout"],
    ["is not where nobody is", groupFlag(holdout({ percentage: 0 }), 1), "on"],
    ["is where everybody is", groupFlag(holdout({ percentage: 100 }), 1), "holdout"],
    ["is in no slot", groupFlag(mutex([50, 50]), 1), "unallocated"],
    ["is in the one slot of all", groupFlag(mutex([100]), 1), "slot-1"],
    ["is in no slot where slots are empty", groupFlag(mutex([0]), 1), "unallocated"],
  ])("who has no id %s", (_, compiled, expected) => {
    expect(compileFlags([compiled]).evaluate({ user: {} })[compiled.key]?.key).toBe(expected);
  });

  it("keeps everyone held out as a holdout grows", () => {
    const [small, large] = [10, 25].map((percentage) => compileFlags([groupFlag(holdout({ percentage }), 1)]));
    let held = 0;
    for (let index = 0; index < 10_000; index++) {
      if (small?.evaluate(user(index))["holdout-everyone"]?.key !== "holdout") continue;
      held++;
      expect(large?.evaluate(user(index))["holdout-everyone"]?.key).toBe("holdout");
    }
    expect(Math.abs(held - 1000)).toBeLessThan(slack(0.1, 10_000));
  });
});

describe("two experiments in one mutual exclusion group and one holdout", () => {
  const own = (id: string) => [variation("a", { feature_flag_id: id }), variation("b", { feature_flag_id: id })];
  const experimentOn = (id: string) =>
    experiment({
      id: `exp_${id}`,
      name: id,
      feature_flag_id: `flg_${id}`,
      allocations: [share(`a${id}`, 50, true), share(`b${id}`, 50)],
    });
  const { flags } = buildSnapshot(
    resources({
      feature_flags: ["Page", "Other"].map((id) => flag({ id: `flg_${id}`, key: id.toLowerCase(), name: id })),
      variations: ["Page", "Other"].flatMap((id) =>
        own(`flg_${id}`).map((one) => ({ ...one, id: `var_${one.key}${id}` })),
      ),
      experiments: ["Page", "Other"].map(experimentOn),
      groups: [
        mutex([30, 50], {
          slots: [
            { percentage: 30, feature_flag_ids: ["flg_Page"] },
            { percentage: 50, feature_flag_ids: ["flg_Other"] },
          ],
        }),
        holdout({ percentage: 20, feature_flag_ids: ["flg_Page", "flg_Other"] }),
      ],
    }),
    { tenant: "default", version: 3, publishedAt: "2025-01-31T12:00:00.000Z" },
  );
  const compiled = compileFlags(flags);
  const counts = new Map<string, number>();
  for (let index = 0; index < subjects; index++) {
    const results = compiled.evaluate(user(index));
    const seen = ["holdout-everyone", "mutex-log_in", "page", "other"].map((key) => results[key]?.key);
    counts.set(seen.join(" "), (counts.get(seen.join(" ")) ?? 0) + 1);
  }
  const count = (wanted: RegExp) =>
    [...counts].reduce((sum, [seen, number]) => sum + (wanted.test(seen) ? number : 0), 0);
  const expectShare = (wanted: RegExp, expected: number) =>
    expect(Math.abs(count(wanted) - expected * subjects), String(wanted)).toBeLessThan(slack(expected));

  it("compile without a fault", () => {
    expect(compiled.faults.size).toBe(0);
  });

  it("have no subject in common, nor any that is held out, and miss none that is theirs", () => {
    expect([...counts.keys()].sort()).toEqual([
      "holdout slot-1 off off",
      "holdout slot-2 off off",
      "holdout unallocated off off",
      "on slot-1 a off",
      "on slot-1 b off",
      "on slot-2 off a",
      "on slot-2 off b",
      "on unallocated off off",
    ]);
  });

  it("get the shares of subjects that the groups leave them", () => {
    expectShare(/^holdout/, 0.2);
    expectShare(/slot-1/, 0.3);
    expectShare(/slot-2/, 0.5);
    expectShare(/^on slot-1 [ab] off$/, 0.3 * 0.8);
    expectShare(/^on slot-2 off [ab]$/, 0.5 * 0.8);
  });

  it("split evenly what is left: who is held out, or in a slot, tells nothing of the variation", () => {
    for (const [slot, place] of [
      ["slot-1", (key: string) => `${key} off`],
      ["slot-2", (key: string) => `off ${key}`],
    ] as const) {
      const all = count(new RegExp(`^on ${slot}`));
      const a = count(new RegExp(`^on ${slot} ${place("a")}$`));
      expect(Math.abs(a - all / 2)).toBeLessThan(slack(0.5, all));
    }
  });

  it("are evaluated as Amplitude does", () => {
    for (let index = 0; index < 2_000; index++) {
      const theirs = new EvaluationEngine().evaluate(user(index), structuredClone(flags) as never);
      expect(compiled.evaluate(user(index))).toEqual(theirs);
    }
  });
});

describe("populations", () => {
  const slots = (...percentages: number[]) =>
    mutex(percentages, {
      slots: percentages.map((percentage, index) => ({ percentage, feature_flag_ids: [`flg_${index + 1}`] })),
    });
  const changed = (before: Parameters<typeof populations>[0], after: Parameters<typeof populations>[0]) => {
    const [had, has] = [populations(before), populations(after)];
    return [...new Set([...had.keys(), ...has.keys()])].filter((flagId) => had.get(flagId) !== has.get(flagId));
  };

  it("change with the slots before", () => {
    expect(changed(slots(10, 20, 30), slots(10, 25, 30))).toEqual(["flg_2", "flg_3"]);
  });
  it("change for who joins or leaves a slot", () => {
    expect(changed(slots(10, 20), slots(10, 20, 30))).toEqual(["flg_3"]);
    expect(changed(slots(10, 20, 30), slots(10, 20))).toEqual(["flg_3"]);
  });
  it("change for all with the salt or the id that is hashed", () => {
    expect(changed(slots(10, 20), { ...slots(10, 20), bucketing_salt: "new" })).toHaveLength(2);
    expect(changed(slots(10, 20), { ...slots(10, 20), bucketing_key: "user_id" })).toHaveLength(2);
  });
  it("change with the percentage held out", () => {
    const before = holdout({ percentage: 10 });
    expect(changed(before, holdout({ percentage: 11 }))).toEqual(["flg_Page"]);
    expect(changed(before, holdout({ percentage: 0 }))).toEqual(["flg_Page"]);
    expect(changed(holdout({ percentage: 0 }), holdout({ percentage: 100 }))).toEqual(["flg_Page"]);
  });
  it("are the same under another name", () => {
    expect(changed(slots(10, 20), { ...slots(10, 20), name: "Another", bucketing_key: "device_id" })).toEqual([]);
    expect(changed(holdout({ percentage: 10 }), holdout({ percentage: 10, name: "Another" }))).toEqual([]);
  });
});
