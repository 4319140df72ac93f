import { describe, expect, it } from "vitest";
import { warningsAbout } from "../../src/control/invalidated.ts";
import type { Group } from "../../src/model/group.ts";
import type { Resources } from "../../src/model/resources.ts";
import {
  experiment,
  flag,
  holdout,
  mutex,
  resources,
  segment,
  share,
  variation,
  variations,
} from "../model/resources.ts";

const place = { tenant: "acme", at: "2030-01-01T00:00:00.000Z", hostname: "admin.example.com" };
const state = (changes: Partial<Resources> = {}, activeLimit = 1) => ({
  resources: resources(changes),
  activeLimit,
  verifiesUsers: false,
});
const codesOf = (before: ReturnType<typeof state>, after: ReturnType<typeof state>) =>
  warningsAbout({ before, after }, place).map(({ description }) => /no longer valid: (\w+)/.exec(description)?.[1]);

const phones = segment("phones", [{ match: { device_type: ["mobile"] } }]);
const bySegment = experiment({
  allocation_strategy: "segment",
  allocations: [
    { variation_id: "var_b", is_control: false, segment_id: "seg_phones", priority: 1 },
    { variation_id: "var_a", is_control: true, is_fallback: true },
  ],
});
const onUsers = experiment({ assignment_config: { subject: "user" } });
const dependent = flag({ rollout: { dependencies: { other: ["on"] } } });
const other = flag({ id: "flg_Other", key: "other", name: "Other" });
const on = variation("on", { feature_flag_id: "flg_Other" });
const off2 = variation("second", { feature_flag_id: "flg_Other" });

describe("warns, whatever made an active experiment invalid", () => {
  it.each<[string, Partial<Resources>, Partial<Resources>, string]>([
    ["its flag archived", {}, { feature_flags: [flag({ status: "archived" })] }, "feature_flag_not_active"],
    ["its flag gone", {}, { feature_flags: [] }, "feature_flag_not_found"],
    [
      "a parameter that variations override gone",
      {},
      { feature_flags: [flag({ parameters: { wide: { type: "boolean", value: false } } })] },
      "variation_unknown_parameter",
    ],
    [
      "its flag left to the gate, which cannot verify users",
      { experiments: [onUsers], feature_flags: [flag({ deployments: ["gate", "dep_App"] })] },
      { experiments: [onUsers], feature_flags: [flag({ deployments: ["gate"] })] },
      "experiment_user_not_verifiable",
    ],
    ["a variation gone", {}, { variations: variations.slice(1) }, "variation_not_from_flag"],
    [
      "a segment gone",
      { experiments: [bySegment], segments: [phones] },
      { experiments: [bySegment] },
      "segment_not_found",
    ],
    [
      "what its flag depends on gone",
      { feature_flags: [dependent, other], variations: [...variations, on, off2] },
      { feature_flags: [dependent] },
      "flag_dependency_not_found",
    ],
    [
      "its own split",
      {},
      { experiments: [experiment({ allocations: [share("a", 99, true)] })] },
      "experiment_invalid_allocation_weights",
    ],
  ])("%s", (_, before, after, code) => {
    expect(codesOf(state(before), state(after))).toEqual([code]);
  });

  it("a lower limit of active experiments", () => {
    const second = experiment({ id: "exp_Second", name: "Second", feature_flag_id: "flg_Other" });
    const both = {
      feature_flags: [flag(), other],
      variations: [
        ...variations,
        ...variations.map((one) => ({ ...one, id: `${one.id}2`, feature_flag_id: "flg_Other" })),
      ],
      experiments: [experiment(), { ...second, allocations: [{ ...share("a", 100, true), variation_id: "var_a2" }] }],
    };
    expect(codesOf(state(both, 2), state(both, 1))).toEqual(["experiment_active_limit_exceeded"]);
  });
});

describe("is silent", () => {
  const archived = { feature_flags: [flag({ status: "archived" })] };
  it.each<[string, Partial<Resources>, Partial<Resources>]>([
    ["while all is well", {}, {}],
    ["about what was invalid before", archived, archived],
    ["about what has become valid", archived, {}],
    [
      "about drafts",
      { experiments: [experiment({ status: "draft" })] },
      { ...archived, experiments: [experiment({ status: "draft" })] },
    ],
    ["about what was not active", { experiments: [experiment({ status: "paused" })] }, archived],
    ["about what is new", { experiments: [] }, archived],
  ])("%s", (_, before, after) => {
    expect(codesOf(state(before), state(after))).toEqual([]);
  });
});

describe("is silent about groups, which say who is assigned and never whether an experiment is valid", () => {
  const inSlot = mutex([0], { slots: [{ percentage: 0, feature_flag_ids: ["flg_Page"] }] });
  it.each<[string, Group[], Group[]]>([
    ["formed", [], [holdout(), inSlot]],
    ["dissolved", [holdout(), inSlot], []],
    ["that leave the flag nobody", [holdout(), mutex([50])], [holdout({ percentage: 100 }), inSlot]],
    ["that drop the flag", [holdout(), inSlot], [holdout({ feature_flag_ids: [] }), mutex([100])]],
    ["at fault themselves", [], [holdout({ feature_flag_ids: ["flg_Page", "flg_Gone"] }), mutex([60, 60])]],
  ])("%s", (_, before, after) => {
    expect(codesOf(state({ groups: before }), state({ groups: after }))).toEqual([]);
  });

  it("unless the same commit made it invalid", () => {
    const after = state({ groups: [holdout()], feature_flags: [flag({ status: "archived" })] });
    expect(codesOf(state(), after)).toEqual(["feature_flag_not_active"]);
  });
});

it("keeps an entry short enough for many of them to travel together", () => {
  const allocations = Array.from({ length: 20 }, (_, index) => share(`gone${index}`, 5, index === 0));
  const after = state({ experiments: [experiment({ name: "\u540d".repeat(255), allocations })] });
  const [entry] = warningsAbout({ before: state(), after }, place);
  expect(new TextEncoder().encode(JSON.stringify(entry)).length).toBeLessThan(5_000);
});
