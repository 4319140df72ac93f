/** Drops the units of experiments that nothing has been heard of for long. Their counts stay. */
import type { Job } from "../alarms/alarm.ts";
import { createRetried, type Retry } from "../alarms/retried.ts";
import { sealTimes } from "./cell-times.ts";
import type { Experiment, ExperimentStore } from "./experiment-store.ts";
import type { Counted } from "./recorder.ts";
import type { UnitStore } from "./unit-store.ts";

const atOnce = 5_000;

export interface RetentionOptions {
  units: UnitStore;
  experiments: ExperimentStore;
  /** Looks up what times of the counts are unknown. */
  settle(counted: Counted): void;
  retentionMs: number;
  transaction(work: () => void): void;
  /** Lets others have their turn. */
  rest(): Promise<void>;
  now: () => number;
  random: () => number;
}

export function createRetention(options: RetentionOptions): Job {
  const { units, experiments, settle, retentionMs, transaction, rest, now, random } = options;
  let retry: Retry | null = null;
  const overAt = ({ last_at, units: held }: Experiment) =>
    held > 0 ? last_at + retentionMs : Number.POSITIVE_INFINITY;

  /** Its rows are no longer counted by, all at once; what comes later is counted beside what there was. */
  function seal(id: string): void {
    const counted = experiments.get(id);
    if (counted === undefined) return;
    settle(counted);
    sealTimes(counted.tallies);
    const { experiment } = counted;
    units.drop(experiment.rows);
    experiment.rows = experiments.nextRows();
    experiment.units = 0;
    experiment.swept = null;
    experiments.save(counted);
  }

  function wantedAt(): number | null {
    if (units.hasDropped()) return now();
    const first = Math.min(...experiments.all().map(overAt));
    return Number.isFinite(first) ? first : null;
  }

  async function work(): Promise<void> {
    for (const experiment of experiments.all()) {
      if (overAt(experiment) <= now()) transaction(() => seal(experiment.id));
    }
    let isMore = units.hasDropped();
    while (isMore) {
      transaction(() => {
        isMore = units.sweepDropped(atOnce);
      });
      await rest();
    }
  }

  return createRetried({
    failure: () => ({ message: "ledger: units that are over their time are still there" }),
    wantedAt,
    work,
    retry: () => retry,
    rememberRetry(next) {
      retry = next;
    },
    now,
    random,
  });
}
