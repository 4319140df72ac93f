/** Work that has to be done in the end: it is tried again, less and less often, until it succeeds. */

const giveUpMs = 10_000;
const firstPauseMs = 1_000;
const lastPauseMs = 60_000;
const longestError = 300;
/** Longer than an attempt takes: were the object to stop in the middle of one, its alarm makes up for it then. */
const attemptMs = giveUpMs + 5_000;

/** What is remembered of failed attempts, across restarts. */
export interface Retry {
  attempts: number;
  lastError: string;
  /** When the next attempt is due, in ms since the epoch. */
  nextAt: number;
}

/** What a commit wants done begins at once; should the object stop before, its alarm makes up for it so much later. */
const guardMs = 1_000;

export function guardAfter({ committedAt = "" }: { committedAt?: string }): number {
  return (Date.parse(committedAt) || 0) + guardMs;
}

/** Something that the object does by itself, once it is due. */
export interface Job {
  /** In ms since the epoch; null while there is nothing to do. */
  dueAt(): number | null;
  /** Does what there is to do, due or not; joins a run that is under way. Rejects only where storage fails. */
  run(): Promise<void>;
}

export interface RetriedOptions {
  /** What is said on the console of a failed attempt. */
  failure(): object;
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
      const lastError = (error instanceof Error ? error.message : String(error)).slice(0, longestError);
      rememberRetry({ attempts, lastError, nextAt: Math.ceil(now() + pauseMs) });
      console.warn(JSON.stringify({ ...failure(), attempts, reason: lastError }));
    }
  }

  return {
    dueAt() {
      const wanted = wantedAt();
      if (wanted === null) return null;
      return running === undefined ? Math.max(wanted, retry()?.nextAt ?? 0) : now() + attemptMs;
    },
    run() {
      running ??= attempt().finally(() => {
        running = undefined;
      });
      return running;
    },
  };
}

/**
 * The answer to `work`, awaited for so long and no longer.
 * @param watch.onGivenUp told when that was too long
 * @param watch.onLate told when work that was given up on has ended after all
 */
export async function withinTime<T>(work: Promise<T>, watch?: { onGivenUp(): void; onLate(): void }): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tooLong = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      watch?.onGivenUp();
      if (watch !== undefined) work.then(watch.onLate, watch.onLate);
      reject(new Error(`no answer in ${giveUpMs} ms`));
    }, giveUpMs);
  });
  try {
    return await Promise.race([work, tooLong]);
  } finally {
    clearTimeout(timer);
  }
}
