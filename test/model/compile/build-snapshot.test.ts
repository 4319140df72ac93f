import * as v from "valibot";
import { describe, expect, it } from "vitest";
import sample from "../../../scripts/sample/login-page.json" with { type: "json" };
import { compileFlags } from "../../../src/engine/compile.ts";
import { checkResources } from "../../../src/model/check/check-resources.ts";
import { buildSnapshot } from "../../../src/model/compile/build-snapshot.ts";
import type { Resources } from "../../../src/model/resources.ts";
import { snapshotSchema } from "../../../src/model/snapshot.ts";
import { readConfiguration } from "../../../src/model/transfer/configuration.ts";
import { experiment, flag, holdout, mutex, resources, segment, share, variation, variations } from "../resources.ts";

const at = "2025-01-31T12:00:00.000Z";
const options = { tenant: "default", version: 3, publishedAt: at };
const build = (of: Resources) => v.parse(snapshotSchema, buildSnapshot(of, options));
const served = (of: Resources) => build(of).flags.map(({ key, metadata }) => `${metadata?.flagType} ${key}`);
const rollout = { all_users: { percentage: 100, weights: { a: 1 } } };

describe("buildSnapshot", () => {
  it("builds the sample as it always has", async () => {
    const read = readConfiguration(sample, { at });
    if ("problems" in read) throw new Error(JSON.stringify(read.problems));
    expect(checkResources(read.resources)).toEqual([]);
    // Keys are drawn when an import is done.
    const deployments = read.resources.deployments.map((one) => ({ ...one, key_hash: `hash of ${one.name}` }));
    const snapshot = build({ ...read.resources, deployments });
    expect(compileFlags(snapshot.flags).faults.size).toBe(0);
    await expect(`${JSON.stringify(snapshot, null, 2)}\n`).toMatchFileSnapshot("login-page.snapshot.txt");
  });

  it("knows experiments of every state, and serves the active ones", () => {
    const states = ["draft", "active", "paused", "completed", "archived"] as const;
    const of = resources({
      experiments: states.map((status) => experiment({ id: `exp_${status}`, name: status, status })),
    });
    expect(build(of).experiments.map(({ status }) => status)).toEqual(states);
    expect(build(of).flags.map(({ metadata }) => metadata?.experimentKey)).toEqual(["exp_active"]);
  });

  it("says when a completed experiment ended", () => {
    const ended_at = "2025-03-01T00:00:00.000Z";
    const of = resources({ experiments: [experiment({ status: "completed", ended_at })] });
    expect(build(of).experiments[0]).toMatchObject({ status: "completed", ended_at });
  });

  it("tells of an experiment all that stamping and forcing need", () => {
    const of = resources({
      feature_flags: [flag({ rollout: { sticky_bucketing: true } })],
      segments: [segment("Mobile", [{ match: { device_type: ["mobile"] } }])],
      experiments: [
        experiment({
          epoch: 4,
          assignment_config: { subject: "user" },
          allocation_strategy: "segment",
          allocations: [
            { variation_id: "var_b", is_control: false, segment_id: "seg_Mobile", priority: 1 },
            { variation_id: "var_a", is_control: true, is_fallback: true },
          ],
        }),
      ],
    });
    expect(build(of).experiments).toEqual([
      {
        id: "exp_Page",
        name: "Page test",
        status: "active",
        flag_key: "page",
        authentication_flow: "authentication",
        epoch: 4,
        subject: "user",
        sticky: true,
        control: "var_a",
        variations: [
          { id: "var_a", key: "a", config: { title: "Hello", wide: false } },
          { id: "var_b", key: "b", config: { title: "Welcome", wide: false } },
          { id: "var_c", key: "c", config: { title: "Hello", wide: true } },
        ],
        segments: [{ id: "seg_Mobile", variation_id: "var_b" }],
      },
    ]);
  });

  it.each<[string, Partial<Resources>, string[]]>([
    ["an experiment before its flag's rollout", { feature_flags: [flag({ rollout })] }, ["experiment page"]],
    [
      "the rollout once it is paused",
      { feature_flags: [flag({ rollout })], experiments: [experiment({ status: "paused" })] },
      ["release page"],
    ],
    ["nothing of a flag with neither", { experiments: [] }, []],
    [
      "nothing of a flag that is not active",
      { feature_flags: [flag({ rollout, status: "archived" })], experiments: [] },
      [],
    ],
    [
      "nothing of a faulty experiment, not even the rollout",
      { feature_flags: [flag({ rollout })], experiments: [experiment({ allocations: [share("a", 60, true)] })] },
      [],
    ],
    [
      "the first of two on one flag",
      { experiments: [experiment(), experiment({ id: "exp_B", name: "Other" })] },
      ["experiment page"],
    ],
  ])("serves %s", (_, changes, expected) => {
    expect(served(resources(changes))).toEqual(expected);
  });

  it("lets a faulty flag cost the others nothing", () => {
    const of = resources({
      feature_flags: [
        flag(),
        flag({
          id: "flg_B",
          key: "other",
          name: "Other",
          rollout: { all_users: { percentage: 9, weights: { z: 1 } } },
        }),
      ],
      variations: [
        ...variations,
        variation("x", { feature_flag_id: "flg_B" }),
        variation("y", { feature_flag_id: "flg_B" }),
      ],
    });
    expect(served(of)).toEqual(["experiment page"]);
  });

  it("gives a parameter named like what objects inherit its own value", () => {
    const of = resources({
      feature_flags: [flag({ parameters: Object.fromEntries([["toString", { type: "number", value: 1 }]]) })],
      variations: [variation("a")],
    });
    expect(build(of).experiments[0]?.variations[0]?.config).toEqual({ toString: 1 });
  });

  it("leaves out an archived experiment whose flag is gone", () => {
    const of = resources({ experiments: [experiment({ status: "archived", feature_flag_id: "flg_Gone" })] });
    expect(build(of).experiments).toEqual([]);
  });

  describe("groups", () => {
    const groups = [
      mutex([], {
        slots: [
          { percentage: 40, feature_flag_ids: [] },
          { percentage: 60, feature_flag_ids: ["flg_Page"] },
        ],
      }),
      holdout(),
      holdout({ id: "grp_Empty", key: "empty", name: "Empty", feature_flag_ids: [] }),
    ];
    const guarded = (of: Resources) => {
      const page = build(of).flags.find(({ key }) => key === "page");
      return [page?.dependencies, page?.segments[0]];
    };
    const guard = (...conditions: [string, string][]) => [
      conditions.map(([key]) => key),
      {
        conditions: conditions.map(([key, allowed]) => [
          { selector: ["result", key, "key"], op: "is not", values: [allowed] },
        ]),
        variant: "off",
        metadata: { segmentName: "flag-dependencies" },
      },
    ];
    const both = guard(["mutex-log_in", "slot-2"], ["holdout-everyone", "on"]);

    it("stand before the flags that depend on them, if any is served", () => {
      expect(served(resources({ groups }))).toEqual([
        "mutual-exclusion-group mutex-log_in",
        "holdout-group holdout-everyone",
        "experiment page",
      ]);
      expect(served(resources({ groups, experiments: [] }))).toEqual([]);
      expect(served(resources({ groups, feature_flags: [flag({ status: "archived" })] }))).toEqual([]);
    });

    it("guard an experiment and a rollout alike", () => {
      expect(guarded(resources({ groups }))).toEqual(both);
      expect(guarded(resources({ groups, feature_flags: [flag({ rollout })], experiments: [] }))).toEqual(both);
    });

    it("guard beside the flag's own dependencies", () => {
      const other = flag({ id: "flg_O", key: "other", name: "Other", status: "draft" });
      const of = resources({
        groups: [holdout()],
        feature_flags: [flag({ rollout: { dependencies: { other: ["o"] } } }), other],
        variations: [...variations, variation("o", { feature_flag_id: "flg_O" })],
      });
      expect(guarded(of)).toEqual(guard(["other", "o"], ["holdout-everyone", "on"]));
    });
  });

  it("tells which flags a deployment's key may fetch, served or not", () => {
    const times = { created_at: at, updated_at: at };
    const of = resources({
      feature_flags: [
        flag({ deployments: ["dep_App", "dep_Back"] }),
        flag({ id: "flg_O", key: "other", name: "Other", status: "draft", deployments: ["dep_App"] }),
      ],
      deployments: [
        { ...times, id: "dep_App", name: "App", type: "client", key: "client-key", key_hash: "hash-1" },
        { ...times, id: "dep_Back", name: "Back end", type: "server", key_hash: "hash-2" },
        { ...times, id: "dep_Empty", name: "Empty", type: "server", key_hash: "hash-3" },
      ],
    });
    expect(build(of).deployments).toEqual([
      { id: "dep_App", type: "client", key_hash: "hash-1", flag_keys: ["page", "other"] },
      { id: "dep_Back", type: "server", key_hash: "hash-2", flag_keys: ["page"] },
      { id: "dep_Empty", type: "server", key_hash: "hash-3", flag_keys: [] },
    ]);
    expect(build(of).unserved).toEqual({ other: ["title", "wide"] });
    expect(build(resources())).not.toHaveProperty("unserved");
  });
});

describe("a large tenant", () => {
  /** Fields read of the resources while a snapshot of `size` flags, experiments and segments is built. */
  function reads(size: number): number {
    let count = 0;
    const watched = <Item extends object>(item: Item): Item =>
      new Proxy(item, {
        get(of, field) {
          count++;
          return Reflect.get(of, field);
        },
      });
    const numbers = Array.from({ length: size }, (_, index) => index + 1);
    const ids = numbers.map((number) => `flg_${number}`);
    const of: Resources = {
      feature_flags: numbers.map((number) =>
        watched(
          flag({
            id: `flg_${number}`,
            key: `flag_${number}`,
            name: `Flag ${number}`,
            deployments: ["dep_App"],
            rollout: {
              // In tens, so that no chain grows with the tenant.
              dependencies: number % 10 === 0 ? {} : { [`flag_${number - (number % 10) || size}`]: ["a"] },
              targeting: [
                { name: "Target", segment_id: `seg_${(number % size) + 1}`, percentage: 50, weights: { a: 1, b: 1 } },
              ],
            },
          }),
        ),
      ),
      variations: ids.flatMap((feature_flag_id, index) =>
        ["a", "b", "c"].map((key) => watched(variation(key, { id: `var_${key}${index + 1}`, feature_flag_id }))),
      ),
      experiments: numbers.map((number) =>
        watched(
          experiment({
            id: `exp_${number}`,
            name: `Experiment ${number}`,
            feature_flag_id: `flg_${number}`,
            status: number <= 20 ? "active" : "completed",
            allocations: [share(`a${number}`, 50, true), share(`b${number}`, 50)],
          }),
        ),
      ),
      segments: numbers.map((number) => watched(segment(`${number}`, [{ match: { country: ["CH"] } }]))),
      groups: [
        watched(holdout({ feature_flag_ids: ids })),
        watched(mutex([], { slots: [{ percentage: 50, feature_flag_ids: ids }] })),
      ],
      deployments: [],
      cohorts: [],
    };
    const snapshot = buildSnapshot(of, options);
    expect(snapshot.flags).toHaveLength(size + 2);
    return count;
  }

  it("costs as much more as it is larger", () => {
    const [small, large] = [reads(100), reads(400)];
    expect(large / small).toBeLessThan(6);
  });
});
