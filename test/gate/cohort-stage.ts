/** A tenant with an experiment on a cohort and one on none, and what may become of the cohort's shard. */

import { buildSnapshot } from "../../src/model/compile/build-snapshot.ts";
import type { Experiment } from "../../src/model/experiment.ts";
import type { CohortIndex, Snapshot } from "../../src/model/snapshot.ts";
import { type PublishedCohort, publishIndex } from "../cohorts/published.ts";
import { cohort, experiment, flag, resources, segment, variation } from "../model/resources.ts";
import { publish, realStores } from "./stage.ts";

const published = { tenant: "acme", publishedAt: "2025-01-31T12:00:00.000Z" };

/** Its flag is `page`, whose variation b is for the members of `coh_In` who are not in `coh_Out`, and a for the rest. */
export const onCohorts = (changes: Partial<Experiment> = {}): Experiment =>
  experiment({
    allocation_strategy: "segment",
    allocations: [
      { variation_id: "var_b", is_control: false, segment_id: "seg_In", priority: 1 },
      { variation_id: "var_a", is_control: true, is_fallback: true },
    ],
    ...changes,
  });

const plain = experiment({
  id: "exp_Plain",
  name: "Plain",
  feature_flag_id: "flg_Plain",
  allocations: [
    { variation_id: "var_x", weight: 0, is_control: true },
    { variation_id: "var_y", weight: 100, is_control: false },
  ],
});

export const tenantOnCohorts = (changes: Partial<Experiment> = {}) =>
  resources({
    feature_flags: [flag(), flag({ id: "flg_Plain", key: "plain", name: "Plain" })],
    variations: [
      variation("a"),
      variation("b"),
      variation("x", { feature_flag_id: "flg_Plain" }),
      variation("y", { feature_flag_id: "flg_Plain" }),
    ],
    experiments: [onCohorts(changes), plain],
    segments: [segment("In", [{ match: { cohort: ["coh_In"] }, not_match: { cohort: ["coh_Out"] } }])],
    cohorts: [cohort("In"), cohort("Out")],
  });

/** Publishes it, with an index of these members. */
export async function publishCohorts(
  cohorts: Readonly<Record<string, PublishedCohort>>,
  options: { version?: number; generation?: number; of?: ReturnType<typeof tenantOnCohorts> } = {},
): Promise<CohortIndex> {
  const { version = 1, generation = version, of = tenantOnCohorts() } = options;
  const index = await publishIndex(realStores.kv, cohorts, { generation });
  await publish(buildSnapshot(of, { ...published, version, cohorts: index }) satisfies Snapshot);
  return index;
}

export const devices = (...members: string[]): PublishedCohort => ({ type: "device", members });
