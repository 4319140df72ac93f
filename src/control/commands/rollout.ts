/** What writing a rollout entails. */
import { checkFlag } from "../../model/check/check-flag.ts";
import { isSticky } from "../../model/compile/experiment-flag.ts";
import { newEpoch } from "../../model/epoch.ts";
import type { FeatureFlag } from "../../model/feature-flag.ts";
import { Problem } from "../../model/problem.ts";
import { experimentsOn } from "../../model/resources.ts";
import type { Draft } from "../tables.ts";

const maxFaults = 10;

/** @param flag as it is in `draft` @throws {Problem} that lists the faults of its rollout */
export function expectSoundRollout(draft: Draft, flag: FeatureFlag): void {
  if (flag.rollout === undefined) return;
  const faults = checkFlag(flag, draft.resources()).flatMap(({ path, message }) => {
    const field = path.slice(path.indexOf(".") + 1);
    return field.startsWith("rollout.") ? [`${field}: ${message}`] : [];
  });
  if (faults.length === 0) return;
  const shown = faults.slice(0, maxFaults);
  if (faults.length > maxFaults) shown.push(`and ${faults.length - maxFaults} more`);
  throw new Problem("invalid_rollout", `${shown.join("; ")}.`);
}

/** Running experiments that a change of their flag has made sticky, or no longer so, go on in a new epoch. */
export function startEpochs(draft: Draft, before: FeatureFlag, after: FeatureFlag, at: string): void {
  for (const experiment of experimentsOn(after, draft.resources())) {
    const isRunning = experiment.status === "active" || experiment.status === "paused";
    if (!isRunning || isSticky(experiment, before) === isSticky(experiment, after)) continue;
    draft.put("experiment", { ...newEpoch(experiment), updated_at: at });
  }
}
