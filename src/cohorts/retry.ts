/** Work that has to be done in the end: it is tried again, less and less often, until it succeeds. */

const giveUpMs = 10_000;
const firstPauseMs = 1_000;
const lastPauseMs = 60_000;
const longestError = 300;

/** While something is under way the alarm rings so often: it keeps the object alive, and makes up for one that stopped. */
export const heartbeatMs = 10_000;

/** Failed attempts since the last that succeeded. */
export interface Retry {
  attempts: number;
  lastError: string;
  /** When the next is due, in ms since the epoch. */
  nextAt: number;
}

/** Something that the object does by itself, once it is due. */
export interface Job {
  /** In ms since the epoch; null while there is nothing to do. */
  dueAt(): number | null;
  /** Does what is due at `until`; joins a run that is under way. */
  run(until: number): Promise<void>;
}

export interface RetriedOptions {
  /** What is said on the console of a failed attempt. */
  failure: string;
  /** When there is something to do; null while there is not. */
  wantedAt(): number | null;
  work(): Promise<void>;
  retry(): Retry | null;
  rememberRetry(retry: Retry | null): void;
  now: () => number;
  random: () => number;
}

export function createRetried(options: RetriedOptions): Job {
  const { failure, wantedAt, work, retry, rememberRetry, now, random } = options;
  let running: Promise<void> | undefined;

  async function attempt(): Promise<void> {
    try {
      await work();
      if (retry() !== null) rememberRetry(null);
    } catch (error) {
      const attempts = (retry()?.attempts ?? 0) + 1;
      const pauseMs = Math.min(lastPauseMs, firstPauseMs * 2 ** (attempts - 1)) * (0.5 + random() / 2);
      const lastError = reasonOf(error);
      rememberRetry({ attempts, lastError, nextAt: Math.ceil(now() + pauseMs) });
      console.warn(JSON.stringify({ message: failure, attempts, reason: lastError }));
    }
  }

  return {
    dueAt() {
      if (running !== undefined) return now() + heartbeatMs;
      const wanted = wantedAt();
      return wanted === null ? null : Math.max(wanted, retry()?.nextAt ?? 0);
    },
    run() {
      running ??= attempt().finally(() => {
        running = undefined;
      });
      return running;
    },
  };
}

export function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, longestError);
}

/**
 * The answer to `work`, awaited for so long and no longer.
 * @param onLate told when work that was given up on has ended after all
 */
export async function withinTime<T>(work: Promise<T>, onLate?: () => void): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tooLong = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      if (onLate !== undefined) work.then(onLate, onLate);
      reject(new Error(`no answer in ${giveUpMs} ms`));
    }, giveUpMs);
  });
  try {
    return await Promise.race([work, tooLong]);
  } finally {
    clearTimeout(timer);
  }
}

/** Does `work` for every item, a few at a time. @throws what the first that fails throws, once none is under way */
export async function inLanes<T>(items: readonly T[], lanes: number, work: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  const failures: unknown[] = [];
  async function lane(): Promise<void> {
    while (next < items.length && failures.length === 0) {
      const item = items[next++] as T;
      await work(item).catch((error) => failures.push(error));
    }
  }
  await Promise.all(Array.from({ length: lanes }, lane));
  if (failures.length > 0) throw failures[0];
}
