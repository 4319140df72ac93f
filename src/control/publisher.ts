/** The outbox: brings the newest snapshot into KV and warnings onto the queue, until they are there. */
import type { QueueMessage } from "../model/log-entry.ts";
import { type Snapshot, snapshotKey } from "../model/snapshot.ts";
import type { ControlStore, Facts } from "./store.ts";

/** KV takes one write a second of a key. */
const putIntervalMs = 1_000;
const giveUpMs = 10_000;
const firstRetryMs = 1_000;
const lastRetryMs = 60_000;
const entriesAtOnce = 100;

export interface PublisherOptions {
  storage: DurableObjectStorage;
  store: ControlStore;
  kv: KVNamespace;
  queue: Queue;
  now: () => number;
  random: () => number;
  facts(): Partial<Facts>;
  remember(facts: Partial<Facts>): void;
  /** The snapshot of the newest version. */
  build(): Snapshot;
}

export interface PublishState {
  attempts: number;
  lastError: string | null;
  nextAttemptAt: number | null;
}

export interface Publisher {
  /** Sets the alarm that makes up for everything; to be called with the commit, without awaiting in between. */
  arm(): void;
  /** Sends what is pending. Never rejects: what fails is tried again by alarm. */
  flush(): Promise<void>;
  state(): PublishState;
}

export function createPublisher(options: PublisherOptions): Publisher {
  const { storage, store, kv, queue, now, random, facts, remember, build } = options;
  let running: Promise<void> | undefined;
  let lastPutAt = 0;
  let attempts = 0;
  let lastError: string | null = null;
  let nextAttemptAt: number | null = null;

  async function putSnapshot(): Promise<void> {
    const { version = 0, tenant = "" } = facts();
    if (version === 0 || facts().published?.version === version) return;
    const wait = lastPutAt + putIntervalMs - now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    lastPutAt = now();
    const snapshot = build();
    const text = JSON.stringify(snapshot);
    const put = kv.put(snapshotKey(tenant), text, { metadata: { version: snapshot.version } });
    await withinTime(put);
    remember({ published: { version: snapshot.version, at: new Date(now()).toISOString(), bytes: text.length } });
    await putSnapshot();
  }

  async function sendEntries(): Promise<void> {
    for (;;) {
      const pending = store.pendingEntries(entriesAtOnce);
      const last = pending.at(-1);
      if (last === undefined) return;
      const messages = pending.map(({ entry }) => ({ body: { kind: "log", entry } satisfies QueueMessage }));
      await withinTime(queue.sendBatch(messages));
      store.dropEntries(last.seq);
    }
  }

  async function flush(): Promise<void> {
    const results = await Promise.allSettled([putSnapshot(), sendEntries()]);
    const failed = results.find((result) => result.status === "rejected");
    if (failed === undefined) {
      attempts = 0;
      lastError = null;
      nextAttemptAt = null;
      await storage.deleteAlarm();
      return;
    }
    attempts++;
    lastError = String(failed.reason);
    const pause = Math.min(lastRetryMs, firstRetryMs * 2 ** (attempts - 1)) * (0.5 + random() / 2);
    nextAttemptAt = now() + pause;
    console.warn(JSON.stringify({ message: "not published yet", tenant: facts().tenant, attempts, reason: lastError }));
    await storage.setAlarm(nextAttemptAt);
  }

  return {
    arm() {
      void storage.setAlarm(now() + firstRetryMs);
    },
    flush() {
      running ??= flush().finally(() => {
        running = undefined;
      });
      return running;
    },
    state: () => ({ attempts, lastError, nextAttemptAt }),
  };
}

async function withinTime(work: Promise<unknown>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tooLong = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${giveUpMs} ms`)), giveUpMs);
  });
  try {
    await Promise.race([work, tooLong]);
  } finally {
    clearTimeout(timer);
  }
}
