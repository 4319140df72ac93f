/** Brings the log entries that commits have written onto the queue: at once, and again until it has taken them. */
import type { Job } from "../alarms/alarm.ts";
import { within } from "../alarms/deadline.ts";
import { answerMs, createRetried } from "../alarms/retried.ts";
import type { QueueMessage } from "../model/log-entry.ts";
import { guardAfter } from "./guard.ts";
import type { ControlStore, Facts } from "./store.ts";

/** A batch holds 256 KB at most; entries are shorter than 5 KB, whatever alphabet (`invalidated.ts`). */
const entriesAtOnce = 40;

export interface LogOutboxOptions {
  queue: Queue;
  store: ControlStore;
  facts(): Partial<Facts>;
  remember(facts: Partial<Facts>): void;
  now: () => number;
  random: () => number;
}

export function createLogOutbox({ queue, store, facts, remember, now, random }: LogOutboxOptions): Job {
  return createRetried({
    failure: () => ({ message: "log entries not queued yet", tenant: facts().tenant }),
    wantedAt: () => (store.pendingEntries(1).length > 0 ? guardAfter(facts()) : null),
    async work() {
      for (;;) {
        const pending = store.pendingEntries(entriesAtOnce);
        const last = pending.at(-1);
        if (last === undefined) return;
        const messages = pending.flatMap(({ entry }) =>
          entry === undefined ? [] : [{ body: { kind: "log", entry } satisfies QueueMessage }],
        );
        if (messages.length > 0) await within(answerMs, queue.sendBatch(messages));
        store.dropEntries(last.seq);
      }
    },
    retry: () => facts().queueing ?? null,
    rememberRetry: (queueing) => remember({ queueing }),
    now,
    random,
  });
}
