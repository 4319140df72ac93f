/** How an experiment has split its subjects, epoch by epoch, as its change log has it. */
import { currentLevel, type Experiment } from "./experiment.ts";
import type { FeatureFlag } from "./feature-flag.ts";

export interface Epoch {
  epoch: number;
  /** ISO times; from null where the log does not say, to null while it lasts. */
  from: string | null;
  to: string | null;
  /** What each variation should get of those assigned by hash, all together 1; null where chance decides nothing. */
  shares: Readonly<Record<string, number>> | null;
}

export interface Toggle {
  at: string;
  is_on: boolean;
}

/** A resource as it became, by one change. */
interface Became<Resource> {
  at: string;
  before: Resource | null;
  after: Resource | null;
}

/** @param changes of the experiment, the oldest first */
export function epochsOf(experiment: Experiment, changes: readonly Became<Experiment>[]): Epoch[] {
  const begun: { epoch: number; from: string | null; shares: Epoch["shares"] }[] = [];
  for (const { at, after } of changes) {
    // A draft assigns nobody.
    if (after === null || after.status === "draft" || begun.at(-1)?.epoch === after.epoch) continue;
    begun.push({ epoch: after.epoch, from: at, shares: sharesOf(after) });
  }
  if (begun.at(-1)?.epoch !== experiment.epoch) {
    begun.push({ epoch: experiment.epoch, from: null, shares: sharesOf(experiment) });
  }
  return begun.map((each, index) => ({ ...each, to: begun[index + 1]?.from ?? experiment.ended_at ?? null }));
}

export function sharesOf({ allocation_strategy, allocations }: Experiment): Epoch["shares"] {
  if (allocation_strategy !== "percentage") return null;
  const total = allocations.reduce((sum, { weight = 0 }) => sum + weight, 0);
  if (total <= 0) return null;
  return Object.fromEntries(allocations.map(({ variation_id, weight = 0 }) => [variation_id, weight / total]));
}

/** Percentages that were let in, as they were reached. @param changes as for `epochsOf` */
export function levelsOf(changes: readonly Became<Experiment>[]): { at: string; level: number }[] {
  const reached: { at: string; level: number }[] = [];
  for (const { at, after } of changes) {
    if (after === null || after.status === "draft") continue;
    const level = currentLevel(after);
    if (reached.at(-1)?.level !== level) reached.push({ at, level });
  }
  return reached;
}

/** When the flag's sticky bucketing was turned on or off. @param changes of the flag, the oldest first */
export function togglesOf(changes: readonly Became<FeatureFlag>[]): Toggle[] {
  const isOn = (flag: FeatureFlag | null) => flag?.rollout?.sticky_bucketing === true;
  return changes.flatMap(({ at, before, after }) =>
    before === null || isOn(before) === isOn(after) ? [] : [{ at, is_on: isOn(after) }],
  );
}
