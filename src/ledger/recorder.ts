/** Takes events into the units they are about, and what that changes into the counts. */
import type { VestibuleEvent } from "../model/event.ts";
import { moveTimes } from "./cell-times.ts";
import { contribute, freshPrefix, mainPart, minuteMs } from "./contribution.ts";
import type { Experiment, ExperimentStore } from "./experiment-store.ts";
import type { Tallies } from "./tallies.ts";
import { isInSlice } from "./unit-hash.ts";
import { foldEvent, isForcedEvent, type Role, readState, type UnitState, writeState } from "./unit-state.ts";
import type { UnitRow, UnitStore } from "./unit-store.ts";

/** An event that this shard has to know of, for the part that one of its units has in it. */
export interface Told {
  event: VestibuleEvent;
  role: Role;
}

/** Of one experiment. */
export interface Delivery {
  experiment: string;
  /** How many shards it is divided into. */
  shards: number;
  told: readonly Told[];
}

/** Minutes are told apart for an hour, at the least, and forgotten half an hour's worth at a time. */
const freshMinutes = 60;
const freshenEvery = 30;

export interface Counted {
  experiment: Experiment;
  tallies: Tallies;
}

export interface Recorder {
  /** In one transaction with others; the ids of events that cannot be taken in, whoever tells them. */
  record(delivery: Delivery): string[];
  /** What a unit adds to the counts becomes something else, or nothing. Its row is the caller's to write. */
  replace(counted: Counted, unit: string, before: UnitState | null, after: UnitState | null): void;
}

export interface RecorderOptions {
  units: UnitStore;
  experiments: ExperimentStore;
  now: () => number;
}

const nothing = writeState({});

const timesOf = (told: readonly Told[]): number[] => told.map(({ event }) => Date.parse(event.at) || 0);

export const unitOf = ({ event, role }: Told): string => (role === "user" ? (event.linked_unit ?? "") : event.unit);

export function createRecorder({ units, experiments, now }: RecorderOptions): Recorder {
  const freshFrom = () => Math.floor(now() / minuteMs) - freshMinutes;

  function replace({ experiment, tallies }: Counted, unit: string, before: UnitState | null, after: UnitState | null) {
    const scope = { freshFrom: experiment.fresh_from };
    if (before !== null) contribute(unit, before, scope, tallies, -1);
    if (after !== null) contribute(unit, after, scope, tallies, 1);
    moveTimes(tallies, before, after);
    experiment.units += (after === null ? 0 : 1) - (before === null ? 0 : 1);
  }

  function freshen({ experiment, tallies }: Counted): void {
    const from = freshFrom();
    if (from < experiment.fresh_from + freshenEvery) return;
    experiment.fresh_from = from;
    const main = tallies.part(mainPart);
    for (const key of main.keys()) {
      if (key.startsWith(freshPrefix) && Number(key.split("\t")[1]) < from) main.delete(key);
    }
    tallies.changed.add(mainPart);
  }

  return {
    replace,
    record({ experiment: id, shards, told }) {
      const counted = experiments.get(id) ?? experiments.create(id, shards, freshFrom());
      const { experiment } = counted;
      freshen(counted);
      const kept = told.filter((each) => isInSlice(unitOf(each), experiment.halvings));
      const stored = units.read(experiment.rows, [...new Set(kept.map(unitOf))]);
      const states = new Map([...stored].map(([unit, body]) => [unit, readState(body)]));
      const refused: string[] = [];
      const changed = new Set<string>();
      for (const each of kept) {
        const unit = unitOf(each);
        try {
          states.set(unit, foldEvent(states.get(unit) ?? {}, each.event, each.role));
          changed.add(unit);
        } catch (error) {
          refused.push(each.event.id);
          console.error(
            JSON.stringify({ message: "an event cannot be counted", id: each.event.id, reason: String(error) }),
          );
        }
      }
      const written: UnitRow[] = [];
      for (const unit of changed) {
        const state = states.get(unit) ?? {};
        const body = stored.get(unit);
        if (writeState(state) === (body ?? nothing)) continue;
        replace(counted, unit, body === undefined ? null : readState(body), state);
        written.push({ unit, state });
      }
      const genuine = told.filter(({ event }) => !isForcedEvent(event));
      const lastAt = Math.max(experiment.last_at, ...timesOf(told));
      const lastCountedAt = Math.max(experiment.last_counted_at, ...timesOf(genuine));
      const isLater = lastAt > experiment.last_at || lastCountedAt > experiment.last_counted_at;
      if (written.length === 0 && !isLater) return refused;
      experiment.last_at = lastAt;
      experiment.last_counted_at = lastCountedAt;
      units.write(experiment.rows, written);
      experiments.save(counted);
      return refused;
    },
  };
}
