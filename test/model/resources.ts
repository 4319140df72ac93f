/** Builders of resources for tests: a flag `page` with variations a, b and c, and what is put on it. */
import type { Cohort } from "../../src/model/cohort.ts";
import type { Allocation, Experiment } from "../../src/model/experiment.ts";
import type { FeatureFlag } from "../../src/model/feature-flag.ts";
import type { Group } from "../../src/model/group.ts";
import type { Resources } from "../../src/model/resources.ts";
import type { Segment } from "../../src/model/segment.ts";
import type { Variation } from "../../src/model/variation.ts";

const times = { created_at: "2025-01-01T00:00:00Z", updated_at: "2025-01-01T00:00:00Z" };

export const flag = (changes: Partial<FeatureFlag> = {}): FeatureFlag => ({
  ...times,
  id: "flg_Page",
  key: "page",
  name: "Page",
  type: "self",
  status: "active",
  parameters: { title: { type: "string", value: "Hello" }, wide: { type: "boolean", value: false } },
  deployments: ["gate"],
  ...changes,
});

export const variation = (key: string, changes: Partial<Variation> = {}): Variation => ({
  ...times,
  id: `var_${key}`,
  feature_flag_id: "flg_Page",
  key,
  name: `Variation ${key}`,
  overrides: {},
  ...changes,
});

export const segment = (key: string, rules: Segment["rules"], changes: Partial<Segment> = {}): Segment => ({
  ...times,
  id: `seg_${key}`,
  name: `Segment ${key}`,
  type: "self",
  rules,
  ...changes,
});

export const share = (key: string, weight: number, is_control = false): Allocation => ({
  variation_id: `var_${key}`,
  weight,
  is_control,
});

export const experiment = (changes: Partial<Experiment> = {}): Experiment => ({
  ...times,
  id: "exp_Page",
  name: "Page test",
  feature_flag_id: "flg_Page",
  authentication_flow: "authentication",
  allocation_strategy: "percentage",
  assignment_config: { subject: "device" },
  status: "active",
  allocations: [share("a", 50, true), share("b", 50)],
  epoch: 1,
  ...changes,
});

export const cohort = (key: string, changes: Partial<Cohort> = {}): Cohort => ({
  ...times,
  id: `coh_${key}`,
  name: `Cohort ${key}`,
  id_type: "device",
  source: { type: "push" },
  refresh_minutes: 60,
  ...changes,
});

type Of<Type extends Group["type"]> = Extract<Group, { type: Type }>;

export const holdout = (changes: Partial<Of<"holdout">> = {}): Of<"holdout"> => ({
  ...times,
  id: "grp_Everyone",
  type: "holdout",
  key: "everyone",
  name: "Everyone",
  percentage: 10,
  feature_flag_ids: ["flg_Page"],
  ...changes,
});

/** One slot a percentage, empty unless said. */
export const mutex = (
  percentages: number[],
  changes: Partial<Of<"mutual_exclusion">> = {},
): Of<"mutual_exclusion"> => ({
  ...times,
  id: "grp_LogIn",
  type: "mutual_exclusion",
  key: "log_in",
  name: "Log-in",
  slots: percentages.map((percentage) => ({ percentage, feature_flag_ids: [] })),
  ...changes,
});

export const variations = [
  variation("a"),
  variation("b", { overrides: { title: { value: "Welcome" } } }),
  variation("c", { overrides: { wide: { value: true } } }),
];

export const resources = (changes: Partial<Resources> = {}): Resources => ({
  feature_flags: [flag()],
  variations,
  experiments: [experiment()],
  segments: [],
  groups: [],
  deployments: [],
  cohorts: [],
  ...changes,
});
