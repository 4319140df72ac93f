/** What activation does to an experiment: its start, its first ramp level, and copies of all it refers to. */
import { currentLevel, type Experiment } from "./experiment.ts";
import type { FeatureFlag } from "./feature-flag.ts";
import { byId, flagOf, type Resources } from "./resources.ts";
import { shown } from "./shown.ts";

/** @param at ISO time; of the first activation when there were several */
export function activated(experiment: Experiment, resources: Resources, at: string): Experiment {
  const flag = flagOf(experiment, resources);
  return {
    ...experiment,
    status: "active",
    started_at: experiment.started_at ?? at,
    ...(experiment.levels?.length ? { current_level: currentLevel(experiment) } : {}),
    ...(flag === undefined ? {} : { feature_flag_snapshot: flagCopy(flag) }),
    allocations: experiment.allocations.map(({ variation_snapshot: _, segment_snapshot: __, ...allocation }) => ({
      ...allocation,
      ...copy("variation", resources.variations, allocation.variation_id),
      ...copy("segment", resources.segments, allocation.segment_id),
    })),
  };
}

/** Of the rollout, what an experiment runs with; lists of individuals aside, which may be of any length. */
function flagCopy(original: FeatureFlag): Record<string, unknown> {
  const { rollout, ...flag } = shown("feature_flag", original);
  if (rollout === undefined) return flag;
  const { inclusions: _, targeting: __, all_users: ___, ...rest } = rollout;
  return { ...flag, rollout: rest };
}

function copy(type: "variation" | "segment", items: readonly { id: string }[], wanted: string | undefined): object {
  const found = wanted === undefined ? undefined : byId(items, wanted);
  return found === undefined ? {} : { [`${type}_snapshot`]: shown(type, found) };
}
