import { describe, expect, it } from "vitest";
import { checkFlag } from "../../../src/model/check/check-flag.ts";
import type { FeatureFlag } from "../../../src/model/feature-flag.ts";
import type { Variation } from "../../../src/model/variation.ts";
import { cohort, flag, resources, variation } from "../resources.ts";

const found = (changes: Partial<FeatureFlag>, overrides: Variation["overrides"] = {}) => {
  const checked = flag(changes);
  const variations = [variation("a"), variation("b", { overrides })];
  return checkFlag(checked, resources({ feature_flags: [checked], variations })).map(
    ({ code, path }) => `${code} ${path}`,
  );
};
const rollout = { dependencies: { none: ["a"] }, inclusions: { z: { user_ids: [], device_ids: [] } } };

it("asks nothing of an archived flag, which nobody could mend", () => {
  expect(found({ rollout })).toEqual([
    "flag_dependency_not_found feature_flags[0].rollout.dependencies.none",
    "variation_not_found feature_flags[0].rollout.inclusions",
  ]);
  expect(found({ rollout, status: "archived" })).toEqual([]);
});

it("takes a method of all objects for no parameter", () => {
  expect(found({}, { toString: { value: "x" } })).toEqual([
    "variation_unknown_parameter feature_flags[0].variations[1].overrides.toString",
  ]);
});

it("knows the default in any order of members", () => {
  const parameters: FeatureFlag["parameters"] = { theme: { type: "object", value: { dark: true, size: 1 } } };
  expect(found({ parameters }, { theme: { value: { size: 1, dark: true } } })).toEqual([
    "variation_override_is_default feature_flags[0].variations[1].overrides.theme",
  ]);
});

it("counts regular expressions and globs of the whole rollout", () => {
  const selector = ["context", "user", "country"];
  const target = (values: string[]) => ({
    name: "Some",
    conditions: [[{ selector, op: "glob match" as const, values }]],
    percentage: 0,
    weights: {},
  });
  const targeting = [target(Array(25).fill("a*")), target(Array(25).fill("b*"))];
  expect(found({ rollout: { targeting } })).toEqual([]);
  expect(found({ rollout: { targeting: [...targeting, target(["c"])] } })).toEqual([
    "rollout_invalid_regex feature_flags[0].rollout.targeting",
  ]);
  expect(found({ rollout: { targeting: [target(["fine", `${"x".repeat(1000)}*y`])] } })).toEqual([
    "rollout_invalid_regex feature_flags[0].rollout.targeting[0].conditions",
  ]);
});

describe("conditions on cohorts", () => {
  const check = (condition: {
    selector?: string[];
    op?: "is" | "contains" | "set contains any" | "set is not";
    values?: string[];
  }) => {
    const made = {
      selector: ["context", "user", "cohort_ids"],
      op: "set contains any" as const,
      values: ["coh_A"],
      ...condition,
    };
    const country = { selector: ["context", "user", "country"], op: "is" as const, values: ["coh_None"] };
    const target = { name: "Some", conditions: [[country], [country, made]], percentage: 0, weights: {} };
    const checked = flag({ rollout: { targeting: [target] } });
    return checkFlag(checked, resources({ feature_flags: [checked], cohorts: [cohort("A"), cohort("B")] }));
  };
  const path = "feature_flags[0].rollout.targeting[0].conditions[1][1]";

  it("name cohorts that are there, by a set operator", () => {
    expect(check({})).toEqual([]);
    expect(check({ op: "set is not", values: ["coh_A", "coh_B"] })).toEqual([]);
    expect(check({ selector: ["context", "user", "cohort_id"], op: "is", values: ["coh_None"] })).toEqual([]);
  });

  it("are refused by an operator that would ask each id by itself", () => {
    const [problem, ...others] = check({ op: "is" });
    expect(others).toEqual([]);
    expect(problem).toMatchObject({ code: "rollout_invalid_condition", path });
    expect(problem?.message).toContain("use set contains any or set does not contain any, not is");
    expect(check({ op: "contains" })).toMatchObject([{ code: "rollout_invalid_condition" }]);
  });

  it("are refused for a cohort that is not there, and for something in the list", () => {
    expect(check({ values: ["coh_A", "coh_None"] })).toEqual([
      { code: "cohort_not_found", message: "no cohort coh_None", path: `${path}.values[1]` },
    ]);
    expect(check({ values: ["(none)"] })).toMatchObject([{ code: "cohort_not_found" }]);
    expect(check({ selector: ["context", "user", "cohort_ids", "0"] })).toMatchObject([
      { code: "rollout_invalid_condition", path },
    ]);
  });
});
