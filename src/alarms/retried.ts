/** Work that has to be done in the end: it is tried again, less and less often, until it succeeds. */
import type { Job } from "./alarm.ts";

/** How long a job awaits the answer of another part of the platform. */
export const answerMs = 10_000;
/** While something is under way the alarm rings so often: it keeps the object alive, and makes up for one that stopped. */
export const heartbeatMs = 10_000;

const firstPauseMs = 1_000;
const lastPauseMs = 60_000;
const longestError = 300;

/** Failed attempts since the last that succeeded, as remembered across restarts. */
export interface Retry {
  attempts: number;
  lastError: string;
  /** When the next is due, in ms since the epoch. */
  nextAt: number;
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
      const lastError = reasonOf(error);
      rememberRetry({ attempts, lastError, nextAt: Math.ceil(now() + pauseMs) });
      console.warn(JSON.stringify({ ...failure(), attempts, reason: lastError }));
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
