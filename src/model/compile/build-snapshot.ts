/** A tenant's resources as the snapshot that is published to the edge. */
import type { Flag } from "../../engine/flag.ts";
import { checkExperiment } from "../check/check-experiment.ts";
import { checkFlag, isHarmless } from "../check/check-flag.ts";
import { gateDeployment } from "../deployment.ts";
import { type Experiment, segmentAllocations } from "../experiment.ts";
import type { FeatureFlag } from "../feature-flag.ts";
import { experimentsOn, flagOf, membershipsOf, type Resources, variationsOf } from "../resources.ts";
import type { CohortIndex, Snapshot, SnapshotExperiment } from "../snapshot.ts";
import { experimentFlag, isSticky } from "./experiment-flag.ts";
import { configOf } from "./flag-segments.ts";
import { groupFlag } from "./group-flag.ts";
import { isRolledOut, rolloutFlag } from "./rollout-flag.ts";

/**
 * Builds the snapshot: experiments in every state, so that each can be forced; flags only of what serves now.
 * A flag or an active experiment with a fault is left out and costs the others nothing: its subjects are not assigned,
 * rather than assigned by half a configuration. Whether several experiments may be active is not judged here.
 * @param options.publishedAt ISO time
 * @param options.cohorts where the members of cohorts are found; nothing while there are none
 */
export function buildSnapshot(
  resources: Resources,
  options: { tenant: string; version: number; publishedAt: string; cohorts?: CohortIndex | undefined },
): Snapshot {
  const served = resources.feature_flags.flatMap((flag) => {
    const compiled = servedFlag(flag, resources, options.version);
    return compiled === undefined ? [] : [{ flag, compiled }];
  });
  const needed = new Set(served.flatMap(({ flag }) => membershipsOf(flag.id, resources).map(({ group }) => group)));
  const groups = [...needed].map((group) => groupFlag(group, options.version));
  const unserved = unservedParameters(resources, new Set(served.map(({ flag }) => flag)));
  return {
    schema: 1,
    tenant: options.tenant,
    version: options.version,
    published_at: options.publishedAt,
    // The two types differ in `readonly` alone.
    flags: [...groups, ...served.map(({ compiled }) => compiled)] as Snapshot["flags"],
    experiments: resources.experiments.flatMap((experiment) => snapshotExperiment(experiment, resources)),
    deployments: snapshotDeployments(resources),
    gate: { flag_keys: gateFlagKeys(resources) },
    ...(unserved === undefined ? {} : { unserved }),
    ...(options.cohorts === undefined ? {} : { cohorts: options.cohorts }),
  };
}

/** An active experiment takes its flag over from the flag's own rollout. */
function servedFlag(flag: FeatureFlag, resources: Resources, flagVersion: number): Flag | undefined {
  if (flag.status !== "active") return undefined;
  const parts = {
    flag,
    variations: variationsOf(flag, resources),
    segments: resources.segments,
    memberships: membershipsOf(flag.id, resources),
    flagVersion,
  };
  const active = experimentsOn(flag, resources).filter(({ status }) => status === "active");
  if (active.length > 0) {
    const experiment = active.find((one) => checkExperiment(one, resources, { activeLimit: Infinity }).length === 0);
    return experiment && experimentFlag({ ...parts, experiment });
  }
  if (!isRolledOut(flag) || !checkFlag(flag, resources).every(isHarmless)) return undefined;
  return rolloutFlag(parts);
}

/** Each with all the flags that are enabled in it, served or not: an experiment may be forced in every state. */
function snapshotDeployments({ deployments, feature_flags }: Resources): Snapshot["deployments"] {
  const pairs = feature_flags.flatMap((flag) => flag.deployments.map((id) => ({ id, key: flag.key })));
  const keys = Map.groupBy(pairs, ({ id }) => id);
  return deployments.map(({ id, type, key_hash }) => ({
    id,
    type,
    key_hash,
    flag_keys: keys.get(id)?.map(({ key }) => key) ?? [],
  }));
}

/** As with other deployments, served or not: an experiment may be forced in every state. */
function gateFlagKeys({ feature_flags }: Resources): string[] {
  return feature_flags.flatMap(({ key, deployments }) => (deployments.includes(gateDeployment) ? key : []));
}

/** So that whoever asks for one by its parameter can be told that the flag is off, and not that there is none. */
function unservedParameters({ feature_flags }: Resources, served: ReadonlySet<FeatureFlag>): Snapshot["unserved"] {
  const flags = feature_flags.filter(
    (flag) => flag.deployments.some((id) => id !== gateDeployment) && !served.has(flag),
  );
  if (flags.length === 0) return undefined;
  return Object.fromEntries(flags.map(({ key, parameters = {} }) => [key, Object.keys(parameters)]));
}

/** None when the flag is gone, as it may be under an archived experiment: then there is nothing to show. */
function snapshotExperiment(experiment: Experiment, resources: Resources): SnapshotExperiment[] {
  const flag = flagOf(experiment, resources);
  if (flag === undefined) return [];
  const control = experiment.allocations.find(({ is_control }) => is_control)?.variation_id;
  return [
    {
      id: experiment.id,
      name: experiment.name,
      status: experiment.status,
      ...(experiment.ended_at === undefined ? {} : { ended_at: experiment.ended_at }),
      flag_key: flag.key,
      epoch: experiment.epoch,
      authentication_flow: experiment.authentication_flow,
      subject: experiment.assignment_config.subject,
      sticky: isSticky(experiment, flag),
      ...(control === undefined ? {} : { control }),
      variations: variationsOf(flag, resources).map((variation) => ({
        id: variation.id,
        key: variation.key,
        config: configOf(flag)(variation),
      })),
      segments: segmentAllocations(experiment).flatMap(({ segment_id, variation_id }) =>
        segment_id === undefined ? [] : [{ id: segment_id, variation_id }],
      ),
    },
  ];
}
