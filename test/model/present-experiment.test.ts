import { expect, it } from "vitest";
import { activated } from "../../src/model/activate-experiment.ts";
import { checkExperiment } from "../../src/model/check/check-experiment.ts";
import { presentExperiment, presentProblem } from "../../src/model/present-experiment.ts";
import { experiment, flag, resources, segment, share, variation, variations } from "./resources.ts";

const at = "2025-02-03T04:05:06Z";
const mobile = segment("Mobile", [{ match: { device_type: ["mobile"] } }]);
const limit = { activeLimit: 1 };

it("adds what is worked out anew each time", () => {
  const given = resources({ experiments: [experiment({ levels: [5, 100] })] });
  const [stored] = given.experiments;
  expect(presentExperiment(stored ?? experiment(), given, limit)).toEqual({
    ...stored,
    current_level: 5,
    is_valid: true,
    editable_fields: ["name", "description"],
  });
  expect(presentExperiment(experiment(), resources(), limit)).not.toHaveProperty("current_level");
});

it("says where a fault is by names, not by places in the store", () => {
  const names = ["client_id", "connection", "connection_type", "organization_id", "domain", "user_agent", "region"];
  const complex = { not_match: Object.fromEntries(names.map((name) => [name, { ends_with: ["x"] }])) };
  const given = resources({
    feature_flags: [flag({ id: "flg_Other", key: "other", name: "Other" }), flag()],
    variations: [...variations, variation("d", { overrides: { wide: { value: "yes" }, "two\nlines": { value: 1 } } })],
    segments: [mobile, segment("Odd", [{ match: { country: ["DE"] } }, complex])],
    experiments: [
      experiment({ id: "exp_B", name: "Other test", status: "draft" }),
      experiment({
        status: "draft",
        allocation_strategy: "segment",
        allocations: [
          { variation_id: "var_z", is_control: false, segment_id: "seg_Odd", priority: 1 },
          { variation_id: "var_a", is_control: true, is_fallback: true },
        ],
      }),
    ],
  });
  const [, judged] = given.experiments;
  const shown = checkExperiment(judged ?? experiment(), given).map((problem) => presentProblem(problem, given));
  expect(shown).toEqual([
    {
      code: "variation_not_from_flag",
      message:
        "allocations[0].variation_id: var_z is not a variation of feature flag page; its variations: var_a, var_b, var_c, var_d",
    },
    {
      code: "variation_override_type_mismatch",
      message: `feature flag "Page", variations[3].overrides.wide: must be of the parameter's type, boolean`,
    },
    {
      code: "variation_unknown_parameter",
      message: `feature flag "Page", variations[3].overrides.two\nlines: feature flag page has no parameter two\nlines, only: title, wide`,
    },
    {
      code: "segment_too_complex",
      message: `segment "Segment Odd", rules[1]: not_match may use starts_with and ends_with on at most 6 attributes of a rule`,
    },
  ]);
});

it("activation copies what the experiment refers to, each time anew, and keeps the first start", () => {
  const rollout = {
    sticky_bucketing: true,
    inclusions: { a: { user_ids: ["u"], device_ids: [] } },
    all_users: { percentage: 1, weights: { a: 1 } },
  };
  const draft = experiment({
    status: "draft",
    levels: [5, 100],
    allocations: [
      share("a", 50, true),
      { ...share("b", 50), variation_snapshot: { id: "old" }, segment_snapshot: null },
    ],
  });
  const given = resources({ feature_flags: [flag({ rollout })], experiments: [draft] });
  const first = activated(draft, given, at);
  expect(first).toEqual({
    ...draft,
    status: "active",
    started_at: at,
    current_level: 5,
    feature_flag_snapshot: flag({ rollout: { sticky_bucketing: true } }),
    allocations: [
      { ...share("a", 50, true), variation_snapshot: variations[0] },
      { ...share("b", 50), variation_snapshot: variations[1] },
    ],
  });
  const renamed = resources({ variations: [variation("a", { name: "Renamed" }), variation("b")] });
  const again = activated({ ...first, status: "paused", current_level: 100 }, renamed, "2026-01-01T00:00:00Z");
  expect(again).toMatchObject({ started_at: at, current_level: 100 });
  expect(again.allocations[0]?.variation_snapshot).toMatchObject({ name: "Renamed" });
});

it("activation copies segments", () => {
  const allocations = [
    { variation_id: "var_b", is_control: false, segment_id: "seg_Mobile", priority: 1 },
    { variation_id: "var_a", is_control: true, is_fallback: true },
  ];
  const draft = experiment({ status: "draft", allocation_strategy: "segment", allocations });
  const { allocations: copied } = activated(draft, resources({ segments: [mobile], experiments: [draft] }), at);
  expect(copied).toEqual([
    { ...allocations[0], variation_snapshot: variations[1], segment_snapshot: mobile },
    { ...allocations[1], variation_snapshot: variations[0] },
  ]);
});
