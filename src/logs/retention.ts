/** Keeps the log within its time and its size: the oldest go first. */
import type { Job } from "../alarms/alarm.ts";
import type { EntryStore, Placed } from "./entry-store.ts";
import type { LogLimits } from "./limits.ts";

/** Nobody needs it to the second, and each look costs an alarm. */
const sweepEveryMs = 10 * 60_000;
/** Deleted in one stretch of work, of each type. */
const dropAtOnce = 1_000;

export interface RetentionOptions {
  entries: EntryStore;
  limits: LogLimits;
  /** Told in the transaction that deletes them. */
  onDropped(dropped: readonly Placed[]): void;
  transaction(work: () => void): void;
  /** Lets others have their turn. */
  rest(): Promise<void>;
  now: () => number;
}

export interface Retention extends Job {
  /** Whether an entry of this date would have been deleted already. */
  isOver(at: number): boolean;
  /** Makes room; called with a write, it is part of it. */
  shrink(): void;
}

export function createRetention({ entries, limits, onDropped, transaction, rest, now }: RetentionOptions): Retention {
  let sweptAt = 0;
  /** The oldest there is may be younger than this, never older. */
  let oldestAt = entries.oldestAt() ?? Number.POSITIVE_INFINITY;

  return {
    isOver(at) {
      if (at < now() - limits.retentionMs) return true;
      oldestAt = Math.min(oldestAt, at);
      return false;
    },
    shrink() {
      while (entries.bytes() > limits.bytes) {
        const dropped = entries.dropFirst(dropAtOnce);
        if (dropped.length === 0) return;
        onDropped(dropped);
      }
    },
    dueAt() {
      return Number.isFinite(oldestAt) ? Math.max(oldestAt + limits.retentionMs, sweptAt + sweepEveryMs) : null;
    },
    async run() {
      let dropped: Placed[] = [];
      do {
        transaction(() => {
          dropped = entries.dropOlder(now() - limits.retentionMs, dropAtOnce);
          onDropped(dropped);
        });
        await rest();
      } while (dropped.length > 0);
      sweptAt = now();
      oldestAt = entries.oldestAt() ?? Number.POSITIVE_INFINITY;
    },
  };
}
