/** Everything about one tenant's log, on one storage: its entries, how long they are kept, and who is sent them. */
import { createAlarm } from "../alarms/alarm.ts";
import type { LogEntry } from "../model/log-entry.ts";
import { type CountQuery, countEntries, type EntryCounts } from "./count-entries.ts";
import { EntryStore } from "./entry-store.ts";
import { createLogFacts } from "./facts.ts";
import { createFinder } from "./find-entries.ts";
import type { LogLimits } from "./limits.ts";
import { createRetention } from "./retention.ts";

export interface KeeperOptions {
  storage: DurableObjectStorage;
  limits: LogLimits;
  /** Lets others have their turn. */
  rest(): Promise<void>;
  now: () => number;
}

/** Deleted in one transaction. */
const forgottenAtOnce = 1_000;

export function createKeeper({ storage, limits, rest, now }: KeeperOptions) {
  createLogFacts(storage);
  const entries = new EntryStore(storage);
  const transaction = (work: () => void) => storage.transactionSync(work);
  const retention = createRetention({ entries, limits, onDropped() {}, transaction, rest, now });
  const finder = createFinder({ entries, rest });
  const alarm = createAlarm({ storage, jobs: [retention], now, failure: "logbook: a job has failed" });
  void alarm.rearm();

  return {
    /** Stores entries, all or none; those that are there already, and those that are too old to be kept, are passed over. */
    record(given: readonly LogEntry[]): void {
      transaction(() => {
        for (const entry of given) if (!retention.isOver(Date.parse(entry.date))) entries.add(entry);
        retention.shrink();
      });
      alarm.start();
    },

    find: finder.find,
    get: finder.get,

    count(query: CountQuery): EntryCounts {
      return countEntries(entries, query);
    },

    /** Deletes what was logged of a user; how many entries that were. */
    forget(userId: string): number {
      let forgotten = 0;
      transaction(() => {
        for (;;) {
          const dropped = entries.dropUser(userId, forgottenAtOnce);
          forgotten += dropped.length;
          if (dropped.length < forgottenAtOnce) return;
        }
      });
      return forgotten;
    },

    ring: () => alarm.ring(),
  };
}

export type Keeper = ReturnType<typeof createKeeper>;
