import { describe, expect, it } from "vitest";
import { checkExperiment } from "../../../src/model/check/check-experiment.ts";
import { checkResources } from "../../../src/model/check/check-resources.ts";
import type { Experiment } from "../../../src/model/experiment.ts";
import type { FeatureFlag } from "../../../src/model/feature-flag.ts";
import type { Resources } from "../../../src/model/resources.ts";
import { experiment, flag, resources, segment, share, variation, variations } from "../resources.ts";

const found = (given: Resources) => checkResources(given).map(({ code, path }) => `${code} ${path}`);
const withExperiment = (changes: Partial<Experiment>) => resources({ experiments: [experiment(changes)] });
const withRollout = (rollout: NonNullable<FeatureFlag["rollout"]>, others: FeatureFlag[] = []) =>
  resources({ feature_flags: [flag({ rollout }), ...others] });
const mobile = segment("Mobile", [{ match: { device_type: ["mobile"] } }]);
const segments = (allocations: Experiment["allocations"], changes: Partial<Experiment> = {}) =>
  resources({
    segments: [mobile],
    experiments: [experiment({ allocation_strategy: "segment", allocations, ...changes })],
  });
const fallback = { variation_id: "var_a", is_control: true, is_fallback: true };
const targeted = { variation_id: "var_b", is_control: false, segment_id: "seg_Mobile", priority: 1 };

describe("checkResources", () => {
  it("finds nothing where nothing is wrong", () => {
    expect(found(resources())).toEqual([]);
    expect(found(segments([targeted, fallback]))).toEqual([]);
  });

  it.each<[string, Resources, string[]]>([
    [
      "a flag in draft",
      resources({ feature_flags: [flag({ status: "draft" })] }),
      ["feature_flag_not_active experiments[0].feature_flag_id"],
    ],
    ["no flag", resources({ feature_flags: [] }), ["feature_flag_not_found experiments[0].feature_flag_id"]],
    [
      "no control",
      withExperiment({ allocations: [share("a", 50), share("b", 50)] }),
      ["experiment_missing_control experiments[0].allocations"],
    ],
    [
      "two controls",
      withExperiment({ allocations: [share("a", 50, true), share("b", 50, true)] }),
      ["experiment_missing_control experiments[0].allocations"],
    ],
    [
      "weights of 99",
      withExperiment({ allocations: [share("a", 50, true), share("b", 49)] }),
      ["experiment_invalid_allocation_weights experiments[0].allocations"],
    ],
    [
      "a variation of another flag",
      withExperiment({ allocations: [share("a", 50, true), share("z", 50)] }),
      ["variation_not_from_flag experiments[0].allocations[1].variation_id"],
    ],
    [
      "a variation twice",
      withExperiment({ allocations: [share("a", 50, true), share("a", 50)] }),
      ["experiment_duplicate_allocation experiments[0].allocations[1].variation_id"],
    ],
    ["falling levels", withExperiment({ levels: [50, 10] }), ["experiment_invalid_levels experiments[0].levels"]],
    ["a level beyond all", withExperiment({ levels: [50, 101] }), ["experiment_invalid_levels experiments[0].levels"]],
    ["a level below none", withExperiment({ levels: [-1, 50] }), ["experiment_invalid_levels experiments[0].levels"]],
    ["a level twice", withExperiment({ levels: [5, 5] }), ["experiment_invalid_levels experiments[0].levels"]],
    [
      "no allocations",
      withExperiment({ allocations: [] }),
      [
        "experiment_missing_allocations experiments[0].allocations",
        "experiment_missing_control experiments[0].allocations",
        "experiment_invalid_allocation_weights experiments[0].allocations",
      ],
    ],
    [
      "a level that is none",
      withExperiment({ levels: [10, 50], current_level: 20 }),
      ["experiment_invalid_levels experiments[0].current_level"],
    ],
    [
      "no fallback",
      segments([{ ...targeted, is_control: true }]),
      ["experiment_missing_default experiments[0].allocations"],
    ],
    [
      "two fallbacks",
      segments([fallback, { ...fallback, is_control: false }]),
      ["experiment_multiple_defaults experiments[0].allocations"],
    ],
    [
      "no segment",
      segments([{ ...targeted, segment_id: "seg_Gone" }, fallback]),
      ["segment_not_found experiments[0].allocations[0].segment_id"],
    ],
    [
      "neither segment nor fallback",
      segments([{ variation_id: "var_b", is_control: false }, fallback]),
      ["experiment_incomplete_allocation experiments[0].allocations[0]"],
    ],
    [
      "levels on segments",
      segments([targeted, fallback], { levels: [10] }),
      ["experiment_invalid_levels experiments[0].levels"],
    ],
    [
      "two active",
      resources({ experiments: [experiment(), experiment({ id: "exp_B", name: "Other" })] }),
      ["experiment_active_limit_exceeded experiments[1].status"],
    ],
    [
      "the same names",
      resources({ experiments: [experiment(), experiment({ id: "exp_B", status: "draft" })] }),
      ["duplicate_name experiments[1].name"],
    ],
    [
      "one variation",
      resources({ variations: [variation("a"), variation("b", { feature_flag_id: "flg_Gone" })] }),
      [
        "feature_flag_too_few_variations feature_flags[0].variations",
        "variation_not_from_flag experiments[0].allocations[1].variation_id",
      ],
    ],
    [
      "an unknown parameter",
      resources({ variations: [...variations, variation("d", { overrides: { tilte: { value: "x" } } })] }),
      ["variation_unknown_parameter feature_flags[0].variations[3].overrides.tilte"],
    ],
    [
      "a parameter that every object inherits",
      resources({ variations: [...variations, variation("d", { overrides: { toString: { value: "x" } } })] }),
      ["variation_unknown_parameter feature_flags[0].variations[3].overrides.toString"],
    ],
    [
      "an override of another type",
      resources({ variations: [...variations, variation("d", { overrides: { wide: { value: "yes" } } })] }),
      ["variation_override_type_mismatch feature_flags[0].variations[3].overrides.wide"],
    ],
    [
      "an override that changes nothing",
      resources({ variations: [...variations, variation("d", { overrides: { wide: { value: false } } })] }),
      ["variation_override_is_default feature_flags[0].variations[3].overrides.wide"],
    ],
    [
      "an unknown dependency",
      withRollout({ dependencies: { gone: ["on"] } }),
      ["flag_dependency_not_found feature_flags[0].rollout.dependencies.gone"],
    ],
    [
      "a dependency on itself",
      withRollout({ dependencies: { page: ["a"] } }),
      ["flag_dependency_cycle feature_flags[0].rollout.dependencies.page"],
    ],
    [
      "an unknown variation of a dependency",
      withRollout({ dependencies: { other: ["on"] } }, [
        flag({ id: "flg_O", key: "other", name: "Other", status: "draft" }),
      ]),
      ["variation_not_found feature_flags[0].rollout.dependencies.other"],
    ],
    [
      "an inclusion in nothing",
      withRollout({ inclusions: { z: { user_ids: [], device_ids: [] } } }),
      ["variation_not_found feature_flags[0].rollout.inclusions"],
    ],
    [
      "a target of nobody",
      withRollout({ targeting: [{ name: "None", percentage: 10, weights: { a: 0 } }] }),
      [
        "rollout_invalid_weights feature_flags[0].rollout.targeting[0].weights",
        "rollout_incomplete_target feature_flags[0].rollout.targeting[0]",
      ],
    ],
    [
      "a regular expression that may run away",
      withRollout({
        targeting: [
          {
            name: "Odd",
            percentage: 1,
            weights: { a: 1 },
            conditions: [[{ selector: ["context", "user", "domain"], op: "regex match", values: ["(?=a)b"] }]],
          },
        ],
      }),
      ["rollout_invalid_regex feature_flags[0].rollout.targeting[0].conditions"],
    ],
  ])("finds %s", (_, given, expected) => {
    expect(found(given)).toEqual(expected);
  });

  it("lets drafts be incomplete, not dangling", () => {
    expect(found(withExperiment({ status: "draft", allocations: [] }))).toEqual([]);
    expect(found(withExperiment({ status: "draft", allocations: [share("z", 1)] }))).toEqual([
      "variation_not_from_flag experiments[0].allocations[0].variation_id",
    ]);
    expect(found(withExperiment({ status: "archived", allocations: [share("z", 1)] }))).toEqual([]);
  });

  it("knows a cycle from a chain", () => {
    const chain = (dependencies: Record<string, string[]>, id: string, key: string) =>
      flag({ id, key, name: `Flag ${key}`, status: "draft", rollout: { dependencies } });
    const own = (of: string) => variation("on", { id: `var_${of}`, feature_flag_id: of });
    const given = (last: Record<string, string[]>) =>
      resources({
        feature_flags: [
          flag({ rollout: { dependencies: { x: ["on"] } } }),
          chain({ y: ["on"] }, "flg_X", "x"),
          chain(last, "flg_Y", "y"),
        ],
        variations: [...variations, own("flg_X"), own("flg_Y")],
      });
    expect(found(given({}))).toEqual([]);
    expect(found(given({ page: ["a"] })).map((problem) => problem.split(" ")[0])).toEqual(
      Array.from({ length: 3 }, () => "flag_dependency_cycle"),
    );
  });
});

describe("checkExperiment", () => {
  const draft = experiment({ id: "exp_B", name: "Other", status: "draft" });
  it("judges a draft as if it were to be activated", () => {
    const given = resources({ experiments: [experiment(), draft] });
    expect(checkExperiment(draft, given).map(({ code }) => code)).toEqual(["experiment_active_limit_exceeded"]);
    expect(checkExperiment(draft, given, { activeLimit: 2 }).map(({ code }) => code)).toEqual(["feature_flag_shared"]);
    const more = resources({
      experiments: [experiment(), experiment({ id: "exp_C", name: "Third", feature_flag_id: "flg_Other" }), draft],
    });
    expect(checkExperiment(draft, more, { activeLimit: 2 }).map(({ code }) => code)).toEqual([
      "experiment_active_limit_exceeded",
      "feature_flag_shared",
    ]);
    expect(checkExperiment(experiment(), given)).toEqual([]);
  });

  it("lets an experiment on all flows run only by itself", () => {
    const second = flag({ id: "flg_Other", key: "other", name: "Other" });
    const codes = (flows: readonly [active: "all" | "authentication", draft: "all" | "authentication"]) => {
      const [running, waiting] = flows;
      const given = resources({
        feature_flags: [flag(), second],
        experiments: [
          experiment({ id: "exp_C", name: "Third", feature_flag_id: "flg_Other", authentication_flow: running }),
          { ...draft, authentication_flow: waiting },
        ],
      });
      const judged = given.experiments[1];
      return judged && checkExperiment(judged, given, { activeLimit: 3 }).map(({ code }) => code);
    };
    expect(codes(["authentication", "authentication"])).toEqual([]);
    expect(codes(["all", "authentication"])).toEqual(["experiment_active_limit_exceeded"]);
    expect(codes(["authentication", "all"])).toEqual(["experiment_active_limit_exceeded"]);
  });

  describe("an experiment on users in a tenant without user settings", () => {
    const onUsers = experiment({ assignment_config: { subject: "user" } });
    const codes = (deployments: FeatureFlag["deployments"], options: object) =>
      checkExperiment(
        onUsers,
        resources({ feature_flags: [flag({ deployments })], experiments: [onUsers] }),
        options,
      ).map(({ code, path }) => `${code} ${path}`);

    it.each<[string[], boolean | undefined, string[]]>([
      [["gate"], false, ["experiment_user_not_verifiable experiments[0].assignment_config.subject"]],
      [["gate"], true, []],
      [["gate"], undefined, []],
      [["gate", "dep_App"], false, []],
      [["dep_App"], false, []],
      [[], false, []],
    ])("on a flag enabled in %j, verifiesUsers: %s", (deployments, verifiesUsers, expected) => {
      expect(codes(deployments, verifiesUsers === undefined ? {} : { verifiesUsers })).toEqual(expected);
    });

    it("assigns devices all the same", () => {
      expect(checkExperiment(experiment(), resources(), { verifiesUsers: false })).toEqual([]);
    });
  });

  it("follows edits of the flag and the segments it uses", () => {
    const renamed = resources({ feature_flags: [flag({ parameters: { heading: { type: "string", value: "Hi" } } })] });
    expect(checkExperiment(experiment(), renamed).map(({ code }) => code)).toEqual([
      "variation_unknown_parameter",
      "variation_unknown_parameter",
    ]);
  });

  it("does not mind an override that a parameter has caught up with", () => {
    const given = resources({
      feature_flags: [
        flag({ parameters: { title: { type: "string", value: "Welcome" }, wide: { type: "boolean", value: false } } }),
      ],
    });
    expect(checkExperiment(experiment(), given)).toEqual([]);
  });
});
