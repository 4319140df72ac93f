/** One shard on the SQLite of an object of its own, its clock, its alarm and its power cuts in the test's hands. */
import { runInDurableObject } from "cloudflare:test";
import { env as bindings } from "cloudflare:workers";
import { vi } from "vitest";
import { contribute } from "../../src/ledger/contribution.ts";
import { ExperimentStore } from "../../src/ledger/experiment-store.ts";
import { createKeeper, type Keeper } from "../../src/ledger/keeper.ts";
import type { LedgerLimits } from "../../src/ledger/limits.ts";
import type { Delivery, Told } from "../../src/ledger/recorder.ts";
import { Tallies } from "../../src/ledger/tallies.ts";
import { UnitStore } from "../../src/ledger/unit-store.ts";
import type { VestibuleEvent } from "../../src/model/event.ts";
import { addCounts, type LedgerCounts } from "../../src/model/ledger-counts.ts";

export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;
export const dayMs = 24 * hourMs;
export const startMs = Date.parse("2030-01-01T00:00:00Z");

export interface LedgerStage {
  keeper: Keeper;
  storage: DurableObjectStorage;
  /** Errors on the console. */
  told: string[];
  /** Of one experiment, to the shard that has all of it. */
  record(events: readonly VestibuleEvent[]): string[];
  counts(experiment?: string, window?: { from?: number; to?: number; asOf?: number }): Promise<LedgerCounts>;
  /** Running counts, and the same made anew of the units there are. */
  compare(experiment?: string): { running: unknown; anew: unknown };
  units(experiment?: string): string[];
  pass(ms: number): void;
  /** Rings the alarm, if it is due. */
  ring(): Promise<void>;
  alarmAt(): number | null;
  /** The power goes, and comes back. */
  restart(): void;
}

type Limits = Pick<LedgerLimits, "units" | "retentionMs">;

export const theExperiment = "exp_1";
const generous: Limits = { units: 1e6, retentionMs: 400 * dayMs };

vi.setConfig({ testTimeout: 60_000 });

let made = 0;

export async function withShard(
  test: (stage: LedgerStage) => Promise<void>,
  limits: Partial<Limits> = {},
): Promise<void> {
  const { LEDGER } = bindings as unknown as { LEDGER: DurableObjectNamespace };
  await runInDurableObject(LEDGER.get(LEDGER.idFromName(`stage-${++made}`)), async (_, { storage }) => {
    const told: string[] = [];
    vi.spyOn(console, "error").mockImplementation((line) => void told.push(line));
    vi.spyOn(console, "warn").mockImplementation((line) => void told.push(line));
    try {
      await test(raise(storage, told, { ...generous, ...limits }));
    } finally {
      vi.restoreAllMocks();
    }
  });
}

function raise(storage: DurableObjectStorage, told: string[], limits: Limits): LedgerStage {
  let nowMs = startMs;
  let alarm: number | null = null;
  const methods = Object.getPrototypeOf(storage) as DurableObjectStorage;
  vi.spyOn(methods, "setAlarm").mockImplementation(async (at) => {
    alarm = Number(at);
  });
  vi.spyOn(methods, "deleteAlarm").mockImplementation(async () => {
    alarm = null;
  });
  vi.spyOn(methods, "getAlarm").mockImplementation(async () => alarm);
  const begin = () => createKeeper({ storage, limits, rest: async () => {}, now: () => nowMs });

  const stage: LedgerStage = {
    keeper: begin(),
    storage,
    told,
    record: (events) => stage.keeper.record(deliveriesOf(events)),
    async counts(experiment = theExperiment, window = {}) {
      const found = await stage.keeper.counts(experiment, window);
      if (found === null) throw new Error(`nothing is known of ${experiment}`);
      return addCounts([found.counts]);
    },
    compare(experiment = theExperiment) {
      const stored = new ExperimentStore(storage).loadAll(experiment);
      if (stored === undefined) throw new Error(`nothing is known of ${experiment}`);
      const anew = new Tallies();
      const scope = { freshFrom: stored.experiment.fresh_from };
      for (const { unit, state } of new UnitStore(storage).after(stored.experiment.rows, "", 1e6)) {
        contribute(unit, state, scope, anew, 1);
      }
      return { running: numbersOf(stored.tallies), anew: numbersOf(anew) };
    },
    units(experiment = theExperiment) {
      const stored = new ExperimentStore(storage).get(experiment);
      return stored ? new UnitStore(storage).after(stored.experiment.rows, "", 1e6).map(({ unit }) => unit) : [];
    },
    pass(ms) {
      nowMs += ms;
    },
    async ring() {
      if (alarm === null || alarm > nowMs) return;
      alarm = null;
      await stage.keeper.ring();
    },
    alarmAt: () => alarm,
    restart() {
      stage.keeper = begin();
    },
  };
  return stage;
}

/** Counts alone, without times, and without what counts nothing. */
function numbersOf(tallies: Tallies): unknown {
  const times = new Set(["fa", "la", "fx", "lx", "dirty"]);
  const rows = [...tallies.parts].flatMap(([part, keys]) =>
    [...keys].flatMap(([key, tally]) => {
      const counts = Object.entries(tally).filter(([field, count]) => count !== 0 && !times.has(field));
      return counts.length === 0 || part === "sealed" ? [] : [[`${part} ${key}`, Object.fromEntries(counts)] as const];
    }),
  );
  return Object.fromEntries(rows.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function deliveriesOf(events: readonly VestibuleEvent[]): Delivery[] {
  return [...Map.groupBy(events, ({ experiment_id = "" }) => experiment_id)].map(([experiment, all]) => ({
    experiment,
    shards: 1,
    told: all.flatMap((event): Told[] =>
      event.linked_unit === undefined
        ? [{ event, role: "subject" }]
        : [
            { event, role: "subject" },
            { event, role: "user" },
          ],
    ),
  }));
}
