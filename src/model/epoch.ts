/** Epochs: stretches in which an experiment splits its subjects in one way, so that their counts may be added up. */
import { type Experiment, segmentAllocations } from "./experiment.ts";

/**
 * `after`, in an epoch of its own if it splits otherwise than `before`. Nothing was assigned by a draft, so its epoch stays.
 * Stickiness that the flag says is not seen here: see `newEpoch`.
 */
export function withEpoch(before: Experiment, after: Experiment): Experiment {
  return splitOf(before) === splitOf(after) ? after : newEpoch(after);
}

/** To be used where something outside the experiment has changed how it splits, such as its flag's sticky bucketing. */
export function newEpoch(experiment: Experiment): Experiment {
  return experiment.status === "draft" ? experiment : { ...experiment, epoch: experiment.epoch + 1 };
}

/** Who gets what, as text. Not the ramp: raising it lets subjects in and moves none. Nor the control: it names one of them. */
function splitOf(experiment: Experiment): string {
  const { bucketing_salt, id, is_stateful = false } = experiment;
  return JSON.stringify([bucketing_salt ?? id, is_stateful, shares(experiment)]);
}

/** In the order that counts, and without what gets nobody: weights as parts of their sum, segments by rank. */
function shares(experiment: Experiment): unknown[] {
  const { allocation_strategy, allocations } = experiment;
  if (allocation_strategy === "percentage") {
    const total = allocations.reduce((sum, { weight = 0 }) => sum + weight, 0);
    return allocations.flatMap(({ variation_id, weight = 0 }) => (weight > 0 ? [[variation_id, weight / total]] : []));
  }
  const fallback = allocations.find(({ is_fallback }) => is_fallback === true);
  return [
    ...segmentAllocations(experiment).map(({ segment_id, variation_id }) => [segment_id, variation_id]),
    fallback?.variation_id,
  ];
}
