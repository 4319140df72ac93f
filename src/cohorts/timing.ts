/** When a cohort is fetched, and when it is overdue. Times in ms since the epoch. */
import type { CohortRecord } from "./cohort-store.ts";

const minuteMs = 60_000;

export function dueAt({ definition, progress }: CohortRecord): number | null {
  const { next_attempt_at } = progress.status;
  return definition.source.type === "url" && next_attempt_at !== null ? Date.parse(next_attempt_at) : null;
}

/** The schedule counts from beginning to beginning. */
export const afterSuccess = (startedAt: number, refreshMinutes: number): number =>
  startedAt + refreshMinutes * minuteMs;

/** A minute, then twice as long each time, up to the schedule; somewhat less, by chance, so that not all come at once. */
export function afterFailure(
  now: number,
  failure: { failures: number; refreshMinutes: number; random: number; retryAfterMs?: number | undefined },
): number {
  const { failures, refreshMinutes, random, retryAfterMs = 0 } = failure;
  const pauseMs = Math.min(minuteMs * 2 ** (failures - 1), refreshMinutes * minuteMs) * (0.75 + random / 4);
  return Math.ceil(now + Math.max(pauseMs, Math.min(retryAfterMs, refreshMinutes * minuteMs)));
}

/** Null for members that are pushed: nobody knows when they should have been. */
export function overdueAt({ definition, progress }: CohortRecord): number | null {
  if (definition.source.type !== "url") return null;
  const freshAt = Date.parse(progress.status.refreshed_at ?? progress.knownSince);
  return freshAt + 2 * definition.refresh_minutes * minuteMs;
}

export const iso = (ms: number): string => new Date(ms).toISOString();
