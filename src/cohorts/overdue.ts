/** Warns of a cohort whose members are older than two of its schedules, once until it is fetched again. */
import type { Job } from "../alarms/alarm.ts";
import { within } from "../alarms/deadline.ts";
import { answerMs, createRetried } from "../alarms/retried.ts";
import type { LogEntry, QueueMessage } from "../model/log-entry.ts";
import type { CohortRecord, CohortStore } from "./cohort-store.ts";
import type { CohortFacts } from "./facts.ts";
import { iso, overdueAt } from "./timing.ts";

/** A message holds 128 KB; an error is short, a name at most 255 characters. */
const longestDescription = 1_500;

export interface OverdueWatchOptions {
  cohorts: CohortStore;
  facts: CohortFacts;
  queue: Queue;
  now: () => number;
  random: () => number;
}

export function createOverdueWatch({ cohorts, facts, queue, now, random }: OverdueWatchOptions): Job {
  function dueAt(record: CohortRecord): number[] {
    const { overdue } = record.progress;
    if (overdue !== null) return overdue.entry === null ? [] : [now()];
    return [overdueAt(record) ?? []].flat();
  }

  function tell(record: CohortRecord): void {
    const { definition } = record;
    const entry = entryOf(record, { tenant: facts.get().tenant ?? "", now: now() });
    cohorts.note(definition.id, { overdue: { entry } });
    // It must be seen although the queue be down.
    console.warn(JSON.stringify(entry));
  }

  return createRetried({
    failure: () => ({ message: "cohort_stale not queued yet" }),
    wantedAt() {
      const first = Math.min(...cohorts.all().flatMap(dueAt));
      return Number.isFinite(first) ? first : null;
    },
    async work() {
      for (const record of cohorts.all()) {
        if (record.progress.overdue === null && (overdueAt(record) ?? Number.NaN) <= now()) tell(record);
      }
      for (const { definition, progress } of cohorts.all()) {
        const entry = progress.overdue?.entry;
        if (!entry) continue;
        await within(answerMs, queue.send({ kind: "log", entry } satisfies QueueMessage));
        // Unless it was fetched meanwhile, or is no more.
        if (cohorts.get(definition.id)?.progress.overdue) cohorts.note(definition.id, { overdue: { entry: null } });
      }
    },
    retry: () => facts.get().queueing ?? null,
    rememberRetry: (queueing) => facts.set({ queueing }),
    now,
    random,
  });
}

function entryOf({ definition, progress }: CohortRecord, { tenant, now }: { tenant: string; now: number }): LogEntry {
  const { status } = progress;
  const { id, name, source, refresh_minutes } = definition;
  const age =
    status.refreshed_at === null
      ? "has never been fetched"
      : `has the members of ${status.refreshed_at}, ${Math.round((now - Date.parse(status.refreshed_at)) / 60_000)} minutes ago`;
  const why = status.error === null ? "" : ` The last error: ${status.error}`;
  const description = `Cohort "${name}" (${id}) ${age}; it should be fetched every ${refresh_minutes} minutes.${why}`;
  return {
    log_id: crypto.randomUUID(),
    date: iso(now),
    type: "w",
    description: description.slice(0, longestDescription),
    tenant_name: tenant,
    hostname: source.type === "url" && URL.canParse(source.url) ? new URL(source.url).host : "",
    details: { code: "cohort_stale" },
  };
}
