import { describe, expect, it } from "vitest";
import { buildSnapshot } from "../../src/model/compile/build-snapshot.ts";
import { compileSnapshot } from "../../src/snapshot/compiled.ts";
import { unservedOf } from "../../src/snapshot/deployments.ts";
import { experiment, flag, resources, variation } from "../model/resources.ts";

const published = { tenant: "acme", version: 7, publishedAt: "2025-01-31T12:00:00.000Z" };
const [page, other] = [flag(), flag({ id: "flg_Other", key: "other", name: "Other" })];
const both = buildSnapshot(
  resources({
    feature_flags: [page, other],
    variations: [
      variation("a"),
      variation("b"),
      variation("x", { feature_flag_id: "flg_Other" }),
      variation("y", { feature_flag_id: "flg_Other" }),
    ],
    experiments: [
      experiment(),
      experiment({
        id: "exp_Other",
        name: "Other test",
        feature_flag_id: "flg_Other",
        allocations: [
          { variation_id: "var_x", weight: 50, is_control: true },
          { variation_id: "var_y", weight: 50, is_control: false },
        ],
      }),
    ],
  }),
  published,
);
const user = { device_id: "device-1" };

/** The sample with what a test spoils: its first flag or its first experiment. */
function spoiled(part: "flags" | "experiments", changes: object) {
  const [first, ...rest] = both[part];
  return compileSnapshot(JSON.stringify({ ...both, [part]: [{ ...first, ...changes }, ...rest] }), "acme");
}

describe("what is no snapshot", () => {
  it.each([
    ["not JSON", "<html>"],
    ["cut short", JSON.stringify(both).slice(0, -1)],
    ["null", "null"],
    ["a list", "[]"],
    ["another schema", JSON.stringify({ ...both, schema: 2 })],
    ["no version", JSON.stringify({ ...both, version: undefined })],
    ["a version of 1.5", JSON.stringify({ ...both, version: 1.5 })],
    ["flags that are no list", JSON.stringify({ ...both, flags: {} })],
    ["another tenant's", JSON.stringify({ ...both, tenant: "beta" })],
  ])("%s is refused", (_, text) => {
    expect(() => compileSnapshot(text, "acme")).toThrow();
  });
});

describe("a broken part fails alone", () => {
  it.each([
    ["without variants", { variants: null }],
    ["with segments that are none", { segments: [17] }],
    ["with a range that is none", { segments: [{ bucket: { selector: ["context"], salt: "", allocations: [{}] } }] }],
    [
      "with a refused regular expression",
      {
        segments: [{ conditions: [[{ selector: ["context", "user", "x"], op: "regex match", values: ["(?=a)("] }]] }],
      },
    ],
    ["that depends on itself", { dependencies: ["page"] }],
  ])("a flag %s", (_, changes) => {
    const snapshot = spoiled("flags", changes);
    expect(Object.keys(snapshot.flags.evaluate({ user }))).toEqual(["other"]);
    expect(snapshot.faults).toEqual([expect.stringContaining("page")]);
  });

  it.each([
    ["without variations", { variations: undefined }],
    ["of no known status", { status: "running" }],
    ["that is another's double", { id: "exp_Other" }],
    ["whose id would break a header", { id: "exp_\r\nx-experiment-control: true" }],
    ["whose id would part a list", { id: "exp_1,exp_2" }],
    ["whose id is no ASCII", { id: "exp_é" }],
    ["whose id is half a character", { id: "exp_\ud800" }],
    ["one of whose variations has such an id", { variations: [{ id: "a\nb", key: "a", config: {} }] }],
    ["one of whose segments has such an id", { segments: [{ id: "a b\u0000", variation_id: "var_a" }] }],
  ])("an experiment %s", (_, changes) => {
    const snapshot = spoiled("experiments", changes);
    expect(snapshot.active.map(({ id }) => id)).toEqual(["exp_Other"]);
    expect([...snapshot.experiments.keys()]).toEqual(["exp_Other"]);
    expect(snapshot.faults).toHaveLength(1);
  });
});

it("has nothing to say of a sound one", () => {
  const snapshot = compileSnapshot(JSON.stringify(both), "acme");
  expect(snapshot.faults).toEqual([]);
  expect(snapshot.active.map(({ flagKey }) => flagKey)).toEqual(["page", "other"]);
});

it.each([
  ["none, as before there were any", undefined],
  ["none that can be read", [17]],
])("serves a snapshot with deployments: %s", (_, deployments) => {
  const snapshot = compileSnapshot(JSON.stringify({ ...both, deployments }), "acme");
  expect(snapshot.active).toHaveLength(2);
});

it("knows the parameters of what serves nobody, where they can be read", () => {
  const unservedIn = (unserved: unknown) =>
    unservedOf(compileSnapshot(JSON.stringify({ ...both, unserved }), "acme")).get("idle");
  expect([unservedIn({ idle: ["title"] }), unservedIn(undefined), unservedIn({ idle: 5 })]).toEqual([
    ["title"],
    undefined,
    undefined,
  ]);
});

it("says which flags are enabled at the gate: all, where the snapshot does not", () => {
  const enabledIn = (gate: unknown) =>
    ["login_page", "other"].map((key) =>
      compileSnapshot(JSON.stringify({ ...both, gate }), "acme").gate.isEnabled(key),
    );
  expect(enabledIn({ flag_keys: ["login_page"] })).toEqual([true, false]);
  expect(enabledIn({ flag_keys: [] })).toEqual([false, false]);
  expect(enabledIn(undefined)).toEqual([true, true]);
});

describe("what is asked about cohorts", () => {
  const condition = (...values: string[]) => ({
    selector: ["context", "user", "cohort_ids"],
    op: "set contains any",
    values,
  });
  const index = {
    bits: 1,
    generations: [3, 4],
    ready: {
      coh_A: { id_type: "device", size: 1, refreshed_at: "2025-01-31T12:00:00.000Z" },
      coh_User: { id_type: "user", size: 1, refreshed_at: "2025-01-31T12:00:00.000Z" },
    },
  };
  /** The sample, its two flags with these conditions and dependencies. */
  function asking(
    page: string[] | null,
    dependencies: object = {},
    published: { cohorts: unknown } = { cohorts: index },
    extra: object[] = [],
  ) {
    const [first, second] = both.flags;
    const asked = page && [
      { conditions: [[], [condition(...page.slice(0, 1)), condition(...page.slice(1))]], variant: "a" },
    ];
    const flags = [
      { ...first, segments: [...(first?.segments ?? []), ...(asked ?? [])] },
      { ...second, ...dependencies },
      ...extra,
    ];
    return compileSnapshot(JSON.stringify({ ...both, flags, ...published }), "acme");
  }
  const needs = ({ active }: ReturnType<typeof compileSnapshot>) =>
    active.map(({ cohorts }) => cohorts && [cohorts.ids.join(), cohorts.missing.join()]);

  it("is nothing where no condition does, and no look-up is made", () => {
    const snapshot = asking(null);
    expect(needs(snapshot)).toEqual([null, null]);
    expect(snapshot).toMatchObject({ gate: { needsUser: false }, cohorts: index, faults: [] });
  });

  it("is found in every branch, and of every flag that one depends on, through others too", () => {
    expect(needs(asking(["coh_A", "coh_B"]))).toEqual([["coh_A,coh_B", "coh_B"], null]);
    const between = { key: "between", variants: {}, segments: [], dependencies: ["page"] };
    const snapshot = asking(["coh_A"], { dependencies: ["between", "gone"] }, { cohorts: index }, [between]);
    expect(needs(snapshot)).toEqual([
      ["coh_A", ""],
      ["coh_A", ""],
    ]);
  });

  it("is asked of the user where the cohort is of users", () => {
    expect(asking(["coh_User"]).gate.needsUser).toBe(true);
    expect(asking(["coh_A"]).gate.needsUser).toBe(false);
    expect(asking(["__proto__", "constructor"])).toMatchObject({ gate: { needsUser: false } });
  });

  it("is of no flag that is left out", () => {
    const broken = { key: "broken", variants: null, segments: [{ conditions: [[condition("coh_A")]] }] };
    expect(needs(asking(null, { dependencies: ["broken"] }, { cohorts: index }, [broken]))).toEqual([null, null]);
  });

  it.each([
    ["none", undefined, 0],
    ["null", null, 1],
    ["a list", [], 1],
    ["without a generation of each shard", { ...index, generations: [3] }, 1],
    ["of half a bit", { ...index, bits: 0.5 }, 1],
    ["of far too many shards", { ...index, bits: 40, generations: [] }, 1],
    ["with a generation that is none", { ...index, generations: [3, "../4"] }, 1],
    ["of ids of no known kind", { ...index, ready: { coh_A: { ...index.ready.coh_A, id_type: "email" } } }, 1],
  ])("is answered for no cohort by an index: %s", (_, cohorts, faults) => {
    const snapshot = asking(["coh_A"], {}, { cohorts });
    expect(needs(snapshot)).toEqual([["coh_A", "coh_A"], null]);
    expect(snapshot.cohorts).toBeNull();
    expect(snapshot.faults).toHaveLength(faults);
    expect(Object.keys(snapshot.flags.evaluate({ user })).sort()).toEqual(["other", "page"]);
  });
});
