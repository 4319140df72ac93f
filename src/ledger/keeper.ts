/** Everything that one shard of a tenant's ledger does, on one storage. */
import { createAlarm } from "../alarms/alarm.ts";
import { type LedgerCounts, noCounts } from "../model/ledger-counts.ts";
import { hasUnknownTimes, settleTimes } from "./cell-times.ts";
import { minuteMs } from "./contribution.ts";
import { countsOf } from "./counts.ts";
import { findExamples } from "./examples.ts";
import { type Experiment, ExperimentStore } from "./experiment-store.ts";
import { createLedgerFacts } from "./facts.ts";
import { createForgetting } from "./forgetting.ts";
import { LayoutStore } from "./layouts.ts";
import type { LedgerLimits } from "./limits.ts";
import { type Counted, createRecorder, type Delivery } from "./recorder.ts";
import { createRetention } from "./retention.ts";
import { scanUnits } from "./scan.ts";
import { createSlicing } from "./slicing.ts";
import type { Tallies } from "./tallies.ts";
import { UnitStore } from "./unit-store.ts";
import { VerdictStore } from "./verdicts.ts";
import type { Window } from "./window.ts";

export interface KeeperOptions {
  storage: DurableObjectStorage;
  limits: Pick<LedgerLimits, "units" | "retentionMs">;
  /** Lets others have their turn. */
  rest(): Promise<void>;
  now: () => number;
}

export interface CountsQuestion extends Window {
  /** As of when units are settled; now, unless said. */
  asOf?: number;
}

export interface ShardCounts {
  counts: LedgerCounts;
  /** Into how many shards the experiment is divided. */
  shards: number;
}

/** Since its assignment, for a unit to be settled: whatever follows from it has been counted. */
const settlesAfterMs = 30 * minuteMs;

export function createKeeper({ storage, limits, rest, now }: KeeperOptions) {
  createLedgerFacts(storage);
  const units = new UnitStore(storage);
  const experiments = new ExperimentStore(storage);
  const layouts = new LayoutStore(storage);
  const verdicts = new VerdictStore(storage);

  function transaction(work: () => void): void {
    try {
      storage.transactionSync(work);
    } catch (error) {
      experiments.forget();
      throw error;
    }
  }

  const recorder = createRecorder({ units, experiments, now });
  const shared = { units, experiments, transaction, rest, now, random: Math.random };
  const slicing = createSlicing({ ...shared, recorder, budget: limits.units });
  const retention = createRetention({ ...shared, settle, retentionMs: limits.retentionMs });
  const forget = createForgetting({ ...shared, recorder });
  const alarm = createAlarm({ storage, jobs: [slicing, retention], now, failure: "ledger: a job has failed" });
  void alarm.rearm();
  let isArmed = false;

  function settle({ experiment, tallies }: Counted): void {
    if (!hasUnknownTimes(tallies)) return;
    settleTimes(tallies, units.times(experiment.rows));
  }

  async function countScanned(experiment: Experiment, unsettledFrom: number, window?: Window): Promise<Tallies> {
    return scanUnits(units, experiment, { freshFrom: unsettledFrom, ...(window ? { window } : {}) }, rest);
  }

  return {
    /** All or nothing; the ids of events that can never be counted. */
    record(deliveries: readonly Delivery[]): string[] {
      let refused: string[] = [];
      let isOver = false;
      transaction(() => {
        refused = deliveries.flatMap((delivery) => recorder.record(delivery));
        slicing.check();
        isOver = slicing.dueAt() !== null;
        // Setting an alarm is a write that is paid for: one that is set already rings early enough.
        if (isOver || !isArmed) alarm.arm();
      });
      isArmed = true;
      if (isOver) void alarm.hurry(slicing);
      return refused;
    },

    /** Null where nothing is known of the experiment: the root knows of each that has events, even where it has none of them. */
    async counts(id: string, { from, to, asOf = now() }: CountsQuestion): Promise<ShardCounts | null> {
      const counted = experiments.loadAll(id);
      if (counted === undefined) {
        const shards = layouts.of(id);
        return shards === undefined ? null : { counts: noCounts, shards };
      }
      const { experiment } = counted;
      const unsettledFrom = Math.floor((asOf - settlesAfterMs) / minuteMs);
      const isAll = from === undefined && to === undefined && unsettledFrom >= experiment.fresh_from;
      let { tallies } = counted;
      if (isAll && hasUnknownTimes(tallies)) {
        transaction(() => {
          settle(counted);
          experiments.save(counted);
        });
      }
      if (!isAll) {
        const window = { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
        tallies = await countScanned(experiment, unsettledFrom, window);
      }
      const { last_counted_at: lastAt, halvings, rows, shards } = experiment;
      const examples = findExamples(units, rows);
      return { counts: countsOf({ tallies, unsettledFrom, lastAt, halvings, examples }), shards };
    },

    forget,
    fixLayout: layouts.fix.bind(layouts),
    mostShards: () => layouts.most(),
    keepVerdict: verdicts.keep.bind(verdicts),
    verdicts: () => verdicts.all(),
    ring() {
      isArmed = false;
      return alarm.ring();
    },
  };
}

export type Keeper = ReturnType<typeof createKeeper>;
