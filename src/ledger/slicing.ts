/**
 * Keeps a shard within its budget of units: over it, the experiment with the most goes on with half of them, chosen by a
 * hash of their own. What is kept is counted exactly, and rates stay what they are.
 */
import type { Job } from "../alarms/alarm.ts";
import { createRetried, type Retry } from "../alarms/retried.ts";
import type { Experiment, ExperimentStore } from "./experiment-store.ts";
import type { Recorder } from "./recorder.ts";
import { isInSlice } from "./unit-hash.ts";
import type { UnitStore } from "./unit-store.ts";

const atOnce = 1_000;
const mostHalvings = 31;

export interface SlicingOptions {
  units: UnitStore;
  experiments: ExperimentStore;
  recorder: Recorder;
  /** How many units a shard keeps. */
  budget: number;
  transaction(work: () => void): void;
  /** Lets others have their turn. */
  rest(): Promise<void>;
  now: () => number;
  random: () => number;
}

export interface Slicing extends Job {
  /** Chooses what has to go, once the shard is over its budget; called with a write, it is part of it. */
  check(): void;
}

export function createSlicing(options: SlicingOptions): Slicing {
  const { units, experiments, recorder, budget, transaction, rest, now, random } = options;
  let retry: Retry | null = null;

  const sweeping = (all: readonly Experiment[]) => all.find(({ swept }) => swept !== null);

  /** Drops what is outside of the slice, of the next units; the counts go with them. */
  function sweepSome(id: string): void {
    const counted = experiments.get(id);
    const { experiment } = counted ?? {};
    if (counted === undefined || experiment === undefined || experiment.swept === null) return;
    const found = units.after(experiment.rows, experiment.swept, atOnce);
    const outside = found.filter(({ unit }) => !isInSlice(unit, experiment.halvings));
    for (const { unit, state } of outside) recorder.replace(counted, unit, state, null);
    units.delete(
      experiment.rows,
      outside.map(({ unit }) => unit),
    );
    experiment.swept = found.length < atOnce ? null : (found.at(-1)?.unit ?? null);
    experiments.save(counted);
  }

  function check(): void {
    const all = experiments.all();
    const held = all.reduce((sum, { units: count }) => sum + count, 0);
    if (held <= budget || sweeping(all)) return;
    const [largest] = all
      .filter(({ halvings }) => halvings < mostHalvings)
      .sort((a, b) => b.units - a.units || a.no - b.no);
    const counted = largest && experiments.get(largest.id);
    if (!counted) return;
    counted.experiment.halvings++;
    counted.experiment.swept = "";
    experiments.save(counted);
  }

  async function sweep(): Promise<void> {
    for (;;) {
      const experiment = sweeping(experiments.all());
      if (experiment === undefined) return;
      transaction(() => {
        sweepSome(experiment.id);
        check();
      });
      await rest();
    }
  }

  const job = createRetried({
    failure: () => ({ message: "ledger: units outside of the slice are still there" }),
    wantedAt: () => (sweeping(experiments.all()) ? now() : null),
    work: sweep,
    retry: () => retry,
    rememberRetry(next) {
      retry = next;
    },
    now,
    random,
  });
  return { ...job, check };
}
