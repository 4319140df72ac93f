/** Sends each stream its entries, in their order, each at least once; side by side, so that a slow one delays only itself. */
import type { Job } from "../../alarms/alarm.ts";
import { heartbeatMs, reasonOf } from "../../alarms/retried.ts";
import { type LogStreamDefinition, typesOf } from "../../model/log-stream.ts";
import type { EntryStore, Placed } from "../entry-store.ts";
import { nextBatch } from "./batch.ts";
import { DeliveryError } from "./send.ts";
import type { Progress, StreamRecord, StreamStore } from "./stream-store.ts";

/** Three tries in some seconds; then it is left alone, longer each time. */
const firstPausesMs = [1_000, 3_000];
const laterPauseMs = 30_000;
const longestPauseMs = 15 * 60_000;
/** A receiver that asks for more is asked all the same. */
const longestRetryAfterMs = 60 * 60_000;

export interface DeliveriesOptions {
  entries: EntryStore;
  streams: StreamStore;
  /** @throws {DeliveryError} */
  send(definition: LogStreamDefinition, body: string): Promise<void>;
  /** A stream that has failed for so long is sent nothing more, until it is told to go on. */
  suspendAfterMs: number;
  /** Told when a stream has been suspended. */
  onSuspended(record: StreamRecord): void;
  /** Told when nothing is on its way to a stream any more, for now. */
  onEnded(): void;
  now: () => number;
  random: () => number;
}

export interface Deliveries extends Job {
  isSending(stream: string): boolean;
  /** Takes a stream into account, new or changed; called with a write, it is part of it. */
  place(definition: LogStreamDefinition): void;
  /** Entries that have come; called with the write that stores them. */
  onAdded(added: readonly Placed[]): void;
  /** Entries that are no more; called with the write that deletes them. */
  onDropped(dropped: readonly Placed[], isLoss: boolean): void;
}

interface Run {
  ended: Promise<void>;
  /** The last entry of the batch that is on its way; 0 while there is none. */
  sending: number;
  /** Entries of that batch that have been deleted since: only its end tells whether they are lost. */
  deleted: number;
}

export function createDeliveries(options: DeliveriesOptions): Deliveries {
  const { entries, streams, send, suspendAfterMs, onSuspended, onEnded, now, random } = options;
  const running = new Map<string, Run>();

  function dueAt({ definition, progress }: StreamRecord): number | null {
    if (running.has(definition.id)) return now() + heartbeatMs;
    if (definition.status !== "active" || progress.isSuspended || progress.pending === 0) return null;
    return progress.nextAt ?? now();
  }

  function fail(id: string, error: unknown): void {
    const record = streams.get(id);
    if (record === undefined) return;
    const failures = record.progress.failures + 1;
    const failingSince = record.progress.failingSince ?? now();
    const isSuspended = now() - failingSince >= suspendAfterMs;
    const retryAfterMs = error instanceof DeliveryError ? error.retryAfterMs : 0;
    const pauseMs = Math.max(pauseAfter(failures) * (0.75 + random() / 4), Math.min(retryAfterMs, longestRetryAfterMs));
    const nextAt = isSuspended ? null : Math.ceil(now() + pauseMs);
    const reason = reasonOf(error);
    streams.note(id, { failures, failingSince, error: reason, isSuspended, nextAt });
    console.warn(JSON.stringify({ message: "log entries not delivered", stream: id, failures, reason }));
    if (isSuspended) onSuspended(record);
  }

  async function pump(id: string, run: Run): Promise<void> {
    for (;;) {
      const record = streams.get(id);
      if (record === undefined || record.definition.status !== "active" || record.progress.isSuspended) return;
      const batch = nextBatch(entries, record);
      if (batch === null) {
        const newest = entries.newest()?.seq ?? 0;
        streams.note(id, { cursor: Math.max(record.progress.cursor, newest), pending: 0 });
        return;
      }
      Object.assign(run, { sending: batch.seq, deleted: 0 });
      let failure: unknown;
      let isTaken = true;
      try {
        await send(record.definition, batch.body);
      } catch (error) {
        failure = error;
        isTaken = false;
      }
      run.sending = 0;
      const { delivered = 0, pending = 0, lost = 0 } = streams.get(id)?.progress ?? {};
      if (!isTaken) {
        if (run.deleted > 0) streams.note(id, { pending: pending - run.deleted, lost: lost + run.deleted });
        fail(id, failure);
        return;
      }
      streams.note(id, {
        cursor: batch.seq,
        delivered: delivered + batch.count,
        pending: pending - batch.count,
        lastDeliveredAt: now(),
        ...wellAgain,
      });
    }
  }

  /** Of what has happened to these entries: those that wait for a stream, and are not on their way. */
  function changeWaiting(placed: readonly Placed[], change: (count: number, now: Progress) => Partial<Progress>): void {
    for (const { definition, progress } of streams.all()) {
      const after = Math.max(progress.cursor, running.get(definition.id)?.sending ?? 0);
      const count = countOf(placed, definition, after, Number.POSITIVE_INFINITY);
      if (count > 0) streams.note(definition.id, change(count, progress));
    }
  }

  return {
    dueAt() {
      const first = Math.min(...streams.all().flatMap((record) => dueAt(record) ?? []));
      return Number.isFinite(first) ? first : null;
    },
    async run(until) {
      for (const record of streams.all()) {
        const { id } = record.definition;
        if (running.has(id) || (dueAt(record) ?? Number.NaN) > until || dueAt(record) === null) continue;
        const run: Run = { ended: Promise.resolve(), sending: 0, deleted: 0 };
        running.set(id, run);
        run.ended = pump(id, run).finally(() => {
          running.delete(id);
          onEnded();
        });
      }
      await Promise.all([...running.values()].map(({ ended }) => ended));
    },
    isSending: (stream) => running.has(stream),
    place(definition) {
      const known = streams.get(definition.id);
      if (known === undefined) {
        const cursor = entries.seqBefore(Date.parse(definition.start_from ?? definition.created_at));
        streams.define(definition, newProgress(cursor, entries.countAfter(cursor, typesOf(definition))));
        return;
      }
      if (JSON.stringify(known.definition) === JSON.stringify(definition)) return;
      const { progress } = known;
      const isRefiltered = typesOf(known.definition).join() !== typesOf(definition).join();
      const isToldToGoOn = known.definition.activated_at !== definition.activated_at;
      streams.define(definition, {
        ...progress,
        ...(isRefiltered ? { pending: entries.countAfter(progress.cursor, typesOf(definition)) } : {}),
        ...(isToldToGoOn ? wellAgain : {}),
      });
    },
    onAdded(added) {
      changeWaiting(added, (count, { pending }) => ({ pending: pending + count }));
    },
    onDropped(dropped, isLoss) {
      for (const [id, run] of running) {
        const { progress, definition } = streams.get(id) ?? {};
        if (progress === undefined || definition === undefined) continue;
        run.deleted += countOf(dropped, definition, progress.cursor, run.sending);
      }
      changeWaiting(dropped, (count, { pending, lost }) => ({
        pending: pending - count,
        lost: isLoss ? lost + count : lost,
      }));
    },
  };
}

/** How many of them are a stream's, behind `after` and up to `until`. */
function countOf(placed: readonly Placed[], definition: LogStreamDefinition, after: number, until: number): number {
  const types = typesOf(definition);
  return placed.filter(({ seq, type }) => seq > after && seq <= until && types.includes(type)).length;
}

const wellAgain = { failures: 0, failingSince: null, error: null, nextAt: null, isSuspended: false } as const;

function newProgress(cursor: number, pending: number): Progress {
  return { cursor, pending, delivered: 0, lost: 0, lastDeliveredAt: null, ...wellAgain };
}

function pauseAfter(failures: number): number {
  const isLater = failures - firstPausesMs.length - 1;
  return firstPausesMs[failures - 1] ?? Math.min(laterPauseMs * 2 ** isLater, longestPauseMs);
}
