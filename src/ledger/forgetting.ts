/** Deletes what is known of one unit, and what others' rows say of it. */
import type { ExperimentStore } from "./experiment-store.ts";
import type { Recorder } from "./recorder.ts";
import { readState, withoutDevice } from "./unit-state.ts";
import type { UnitStore } from "./unit-store.ts";

export interface ForgettingOptions {
  units: UnitStore;
  experiments: ExperimentStore;
  recorder: Recorder;
  transaction(work: () => void): void;
  /** Lets others have their turn. */
  rest(): Promise<void>;
}

/** How much there was to delete. */
export interface Forgotten {
  /** Of the unit itself, one an experiment. */
  units: number;
  /** In rows of others. */
  links: number;
}

/** @returns a function that may be called again where it was stopped: what is gone stays gone */
export function createForgetting({ units, experiments, recorder, transaction, rest }: ForgettingOptions) {
  function forgetIn(id: string, unit: string): Forgotten {
    const counted = experiments.get(id);
    if (counted === undefined) return { units: 0, links: 0 };
    const { experiment } = counted;
    const body = units.read(experiment.rows, [unit]).get(unit);
    if (body !== undefined) {
      recorder.replace(counted, unit, readState(body), null);
      units.delete(experiment.rows, [unit]);
    }
    const others = units.naming(experiment.rows, unit).flatMap((row) => {
      const state = withoutDevice(row.state, unit);
      return state === row.state ? [] : [{ unit: row.unit, before: row.state, state }];
    });
    for (const { unit: other, before, state } of others) recorder.replace(counted, other, before, state);
    units.write(experiment.rows, others);
    if (body !== undefined || others.length > 0) experiments.save(counted);
    return { units: body === undefined ? 0 : 1, links: others.length };
  }

  return async (forgotten: readonly string[]): Promise<Forgotten> => {
    const sum = { units: 0, links: 0 };
    for (const unit of forgotten) {
      for (const { id } of experiments.all()) {
        transaction(() => {
          const of = forgetIn(id, unit);
          sum.units += of.units;
          sum.links += of.links;
        });
        await rest();
      }
      transaction(() => units.deleteDropped(unit));
    }
    return sum;
  };
}
