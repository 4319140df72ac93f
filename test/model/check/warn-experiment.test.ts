import { expect, it } from "vitest";
import {
  maxStampedConfigCharacters,
  type WarningOptions,
  warnAboutExperiment,
} from "../../../src/model/check/warn-experiment.ts";
import type { Experiment } from "../../../src/model/experiment.ts";
import type { FeatureFlag } from "../../../src/model/feature-flag.ts";
import { experiment, flag, resources, segment, share, variation, variations } from "../resources.ts";

interface Given {
  experiment?: Partial<Experiment>;
  flag?: Partial<FeatureFlag>;
  options?: Partial<WarningOptions>;
}

function found({ experiment: changes = {}, flag: flagChanges = {}, options = {} }: Given, more: object = {}): string[] {
  const warned = experiment(changes);
  const given = resources({
    feature_flags: [flag({ deployments: ["gate"], ...flagChanges })],
    experiments: [warned],
    ...more,
  });
  const warnings = warnAboutExperiment(warned, given, {
    verifiesUsers: false,
    gateFlows: ["authentication", "password_reset"],
    ...options,
  });
  return warnings.map(({ code, path }) => `${code} ${path}`);
}

const onUsers = { assignment_config: { subject: "user" } } as const;
const unverifiable = ["experiment_user_not_verifiable assignment_config.subject"];
const withoutPages = ["authentication_flow_without_pages authentication_flow"];
const single = ["experiment_single_variation allocations"];
const onMobile = { variation_id: "var_b", is_control: false, segment_id: "seg_Mobile", priority: 1 };
const fallback = { variation_id: "var_a", is_control: true, is_fallback: true };

it.each<[string, Given, string[]]>([
  ["nothing unusual", {}, []],
  ["users that only apps know", { experiment: onUsers, flag: { deployments: ["gate", "dep_App"] } }, unverifiable],
  ["users nobody knows, which is an error", { experiment: onUsers }, []],
  ["users of apps alone", { experiment: onUsers, flag: { deployments: ["dep_App"] } }, []],
  [
    "users that the gate verifies",
    { experiment: onUsers, flag: { deployments: ["gate", "dep_App"] }, options: { verifiesUsers: true } },
    [],
  ],
  ["a flow without pages", { experiment: { authentication_flow: "mfa_challenge" } }, withoutPages],
  ["a flow with pages", { experiment: { authentication_flow: "password_reset" } }, []],
  ["every flow", { experiment: { authentication_flow: "all" }, options: { gateFlows: [] } }, []],
  [
    "a flow without pages in apps",
    { experiment: { authentication_flow: "mfa_challenge" }, flag: { deployments: ["dep_App"] } },
    [],
  ],
  ["one allocation", { experiment: { allocations: [share("a", 100, true)] } }, single],
  ["a weight of 0", { experiment: { allocations: [share("a", 0, true), share("b", 100)] } }, single],
  ["no allocations, which is an error", { experiment: { allocations: [] } }, []],
  [
    "one variation for everyone and for a segment",
    { experiment: { allocation_strategy: "segment", allocations: [{ ...onMobile, variation_id: "var_a" }, fallback] } },
    single,
  ],
  ["segments", { experiment: { allocation_strategy: "segment", allocations: [onMobile, fallback] } }, []],
])("%s", (_, given, expected) => {
  expect(found(given, { segments: [segment("Mobile", [])] })).toEqual(expected);
});

it("says nothing where the flag is gone, which is an error", () => {
  expect(found({ experiment: { authentication_flow: "mfa_challenge" } }, { feature_flags: [] })).toEqual([]);
});

/** `{"title":"…","wide":false}` as base64url, of which three bytes make four characters. */
const titleOf = (characters: number) =>
  "x".repeat((characters * 3) / 4 - JSON.stringify({ title: "", wide: false }).length);

it.each([
  ["of the greatest size", maxStampedConfigCharacters, "b", []],
  ["one step larger", maxStampedConfigCharacters + 4, "b", ["experiment_config_too_large allocations[1].variation_id"]],
  ["without an allocation", maxStampedConfigCharacters + 4, "c", ["experiment_config_too_large feature_flag_id"]],
])("a config %s", (_, characters, key, expected) => {
  const large = variation(key, { overrides: { title: { value: titleOf(characters) } } });
  const all = variations.map((other) => (other.id === large.id ? large : other));
  expect(found({}, { variations: all })).toEqual(expected);
});

it("counts bytes, not letters", () => {
  const large = variation("b", { overrides: { title: { value: "ü".repeat(900) } } });
  expect(found({}, { variations: [...variations.slice(0, 1), large] })).toHaveLength(1);
});
