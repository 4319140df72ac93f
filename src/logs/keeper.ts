/** Everything about one tenant's log, on one storage: its entries, how long they are kept, and who is sent them. */
import { createAlarm } from "../alarms/alarm.ts";
import type { LogEntry } from "../model/log-entry.ts";
import type { LogStreamDefinition, LogStreamDelivery } from "../model/log-stream.ts";
import { type CountQuery, countEntries, type EntryCounts } from "./count-entries.ts";
import { EntryStore } from "./entry-store.ts";
import { createLogFacts } from "./facts.ts";
import { createFinder } from "./find-entries.ts";
import type { LogLimits } from "./limits.ts";
import { createRetention } from "./retention.ts";
import { createDeliveries } from "./streams/deliveries.ts";
import { createSender, type SenderOptions } from "./streams/send.ts";
import { deliveryOf } from "./streams/show-delivery.ts";
import { StreamStore } from "./streams/stream-store.ts";
import { suspensionOf } from "./streams/suspension.ts";

export interface StreamSync {
  tenant: string;
  /** Counts up: what says less than was heard already is out of date. */
  revision: number;
  /** All that the tenant has. */
  streams: readonly LogStreamDefinition[];
}

export interface KeeperOptions extends Pick<SenderOptions, "fetch" | "allowed"> {
  storage: DurableObjectStorage;
  limits: LogLimits;
  /** Lets others have their turn. */
  rest(): Promise<void>;
  now: () => number;
  random: () => number;
}

/** Deleted in one stretch. */
const forgottenAtOnce = 1_000;
const answerMs = 10_000;
const suspendAfterMs = 3 * 24 * 3_600_000;

export function createKeeper({ storage, limits, rest, now, random, fetch, allowed }: KeeperOptions) {
  const facts = createLogFacts(storage);
  const entries = new EntryStore(storage);
  const streams = new StreamStore(storage);
  const transaction = (work: () => void) => storage.transactionSync(work);
  const deliveries = createDeliveries({
    entries,
    streams,
    send: createSender({ fetch, allowed, answerMs }),
    suspendAfterMs,
    onSuspended(record) {
      const entry = suspensionOf(record, facts.get().tenant ?? "", now());
      console.warn(JSON.stringify(entry));
      keep([entry]);
    },
    onEnded: () => alarm.arm(),
    now,
    random,
  });
  const retention = createRetention({
    entries,
    limits,
    onDropped: (dropped) => deliveries.onDropped(dropped, true),
    transaction,
    rest,
    now,
  });
  const finder = createFinder({ entries, rest });
  const alarm = createAlarm({ storage, jobs: [deliveries, retention], now, failure: "logbook: a job has failed" });
  void alarm.rearm();

  function keep(given: readonly LogEntry[]): void {
    transaction(() => {
      const added = given.flatMap((entry) => {
        // One with a date that is none must not keep out all that come with it.
        const at = Date.parse(entry.date) || now();
        return retention.isOver(at) ? [] : (entries.add(entry, at) ?? []);
      });
      deliveries.onAdded(added);
      retention.shrink();
    });
  }

  return {
    /** Stores entries, all or none; those that are there already, and those that are too old to be kept, are passed over. */
    record(given: readonly LogEntry[]): void {
      keep(given);
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
          deliveries.onDropped(dropped, false);
          forgotten += dropped.length;
          if (dropped.length < forgottenAtOnce) return;
        }
      });
      return forgotten;
    },

    /**
     * Takes what the tenant's log streams are from now on. Repeating it changes nothing.
     * @returns the revision that is in force: a higher one than was given when that had been overtaken already
     */
    sync({ tenant, revision, streams: definitions }: StreamSync): number {
      const { revision: known = 0 } = facts.get();
      if (revision < known) return known;
      const wanted = new Set(definitions.map(({ id }) => id));
      transaction(() => {
        if (facts.get().tenant !== tenant || revision !== known) facts.set({ tenant, revision });
        for (const { definition } of streams.all()) if (!wanted.has(definition.id)) streams.remove(definition.id);
        for (const definition of definitions) deliveries.place(definition);
      });
      alarm.start();
      return revision;
    },

    /** By stream. */
    deliveries(): Record<string, LogStreamDelivery> {
      return Object.fromEntries(
        streams.all().map((record) => {
          const { id } = record.definition;
          return [id, deliveryOf(record, entries, deliveries.isSending(id))];
        }),
      );
    },

    ring: () => alarm.ring(),
  };
}

export type Keeper = ReturnType<typeof createKeeper>;
