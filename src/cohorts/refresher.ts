/** Fetches cohorts when they are due, side by side, so that a slow source delays only itself. */
import type { Job } from "../alarms/alarm.ts";
import { heartbeatMs, reasonOf } from "../alarms/retried.ts";
import type { CohortDefinition } from "../model/cohort.ts";
import type { CohortRecord, CohortStore } from "./cohort-store.ts";
import type { MemberWriter, Outcome } from "./member-writer.ts";
import { createTally, type Tally } from "./source/members.ts";
import { SourceError } from "./source/source-error.ts";
import { afterFailure, afterSuccess, dueAt, iso } from "./timing.ts";

/** Each takes memory and a connection. */
const atOnce = 4;

/** What a source answers. `validators`, once all is read: what to ask it with next time, to be told of changes only. */
export type SourceAnswer =
  | { isUnchanged: true; validators?: unknown }
  | { isUnchanged: false; batches: AsyncIterable<string[]>; validators(): unknown };

export interface SourceRequest {
  definition: CohortDefinition;
  /** As an earlier answer gave them; null to be sent all. */
  validators: unknown;
  signal: AbortSignal;
  tally: Tally;
}

export interface RefresherOptions {
  cohorts: CohortStore;
  openSource(request: SourceRequest): Promise<SourceAnswer>;
  createWriter(definition: CohortDefinition): MemberWriter;
  /** Told in the transaction that stores it. `changed` false: only how old the members are has changed. */
  onRefreshed(cohort: string, changed: boolean): void;
  /** Told when a refresh is over, whatever became of it. */
  onEnded(): void;
  now: () => number;
  random: () => number;
}

export interface Refresher extends Job {
  /** Fetches a cohort now, before others that are due; joins a refresh that is under way. */
  refresh(cohort: string): Promise<void>;
  /** Ends a refresh whose result is not wanted any more. */
  cancel(cohort: string): void;
  isBusy(): boolean;
}

interface Run {
  ended: Promise<void>;
  abort: AbortController;
}

/** The definition changed while it was fetched. */
class Superseded extends Error {}

export function createRefresher(options: RefresherOptions): Refresher {
  const { cohorts, openSource, createWriter, onRefreshed, onEnded, now, random } = options;
  const running = new Map<string, Run>();
  /** Asked for by people, in their order. */
  const asked = new Map<string, { ended: Promise<void>; end: () => void }>();

  // Whatever was under way when the object stopped.
  for (const { definition, progress } of cohorts.all()) {
    if (progress.status.state === "refreshing")
      fail(definition, new SourceError("interrupted", "interrupted by a restart"));
  }

  function fail({ id, refresh_minutes }: CohortDefinition, error: unknown): void {
    const failures = (cohorts.get(id)?.progress.status.failures ?? 0) + 1;
    const retryAfterMs = error instanceof SourceError ? error.retryAfterMs : undefined;
    const at = afterFailure(now(), { failures, refreshMinutes: refresh_minutes, random: random(), retryAfterMs });
    cohorts.note(id, {
      status: { state: "failing", error: reasonOf(error), failures, next_attempt_at: iso(at) },
    });
    console.warn(JSON.stringify({ message: "cohort not refreshed", cohort: id, failures, reason: reasonOf(error) }));
  }

  function succeed(
    id: string,
    startedAt: number,
    { outcome, tally, validators }: { outcome: Outcome | null; tally: Tally; validators: unknown },
  ): void {
    const record = cohorts.get(id);
    if (record === undefined) return;
    const changed = outcome !== null && outcome.added + outcome.removed > 0;
    const isNews = changed || record.progress.status.refreshed_at === null;
    cohorts.note(id, {
      validators,
      overdue: null,
      ...(isNews && { changedAt: now() }),
      status: {
        state: outcome === null ? "unchanged" : "ok",
        ...(outcome && { size: outcome.size, skipped: tally.skipped }),
        ...(changed && { added: outcome.added, removed: outcome.removed }),
        refreshed_at: iso(startedAt),
        error: null,
        failures: 0,
        next_attempt_at: iso(afterSuccess(startedAt, record.definition.refresh_minutes)),
      },
    });
    onRefreshed(id, isNews);
  }

  async function fetchMembers(record: CohortRecord, signal: AbortSignal): Promise<void> {
    const { definition, progress } = record;
    const startedAt = now();
    cohorts.note(definition.id, { status: { state: "refreshing", last_attempt_at: iso(startedAt) } });
    const tally = createTally();
    const answer = await openSource({ definition, validators: progress.validators, signal, tally });
    const refuseIfSuperseded = () => {
      if (signal.aborted) throw new Superseded();
    };
    refuseIfSuperseded();
    if (answer.isUnchanged) {
      if (progress.status.refreshed_at === null)
        throw new SourceError("bad_answer", "unchanged, but never read before");
      succeed(definition.id, startedAt, { outcome: null, tally, validators: answer.validators ?? progress.validators });
      return;
    }
    const writer = createWriter(definition);
    try {
      for await (const ids of answer.batches) {
        refuseIfSuperseded();
        await writer.add(ids);
      }
      await writer.finish("replace", (outcome) => {
        refuseIfSuperseded();
        succeed(definition.id, startedAt, { outcome, tally, validators: answer.validators() });
      });
    } finally {
      writer.abandon();
    }
  }

  async function attempt(record: CohortRecord, signal: AbortSignal): Promise<void> {
    try {
      await fetchMembers(record, signal);
    } catch (error) {
      // What the new definition says has been noted already.
      if (!signal.aborted) fail(record.definition, error);
    }
  }

  function start(record: CohortRecord): Promise<void> {
    const { id } = record.definition;
    const abort = new AbortController();
    const ended = attempt(record, abort.signal).finally(() => {
      // A cancelled one has been forgotten already.
      if (running.get(id)?.abort !== abort) return;
      leave(id);
      fill(now());
      onEnded();
    });
    running.set(id, { ended, abort });
    return ended;
  }

  function leave(id: string): void {
    running.delete(id);
    asked.get(id)?.end();
    asked.delete(id);
  }

  /** Starts as many as there is room for. */
  function fill(until: number): void {
    const waiting = cohorts.all().filter(({ definition: { id } }) => !running.has(id));
    const due = waiting
      .filter((record) => asked.has(record.definition.id) || (dueAt(record) ?? Number.NaN) <= until)
      .sort((a, b) => rank(a) - rank(b));
    for (const record of due.slice(0, Math.max(0, atOnce - running.size))) void start(record);
  }
  const rank = (record: CohortRecord) => (asked.has(record.definition.id) ? 0 : (dueAt(record) ?? 0));

  return {
    dueAt() {
      const beat = running.size > 0 ? [now() + heartbeatMs] : [];
      const next =
        running.size >= atOnce
          ? []
          : cohorts.all().flatMap((record) => (running.has(record.definition.id) ? [] : (dueAt(record) ?? [])));
      const first = Math.min(...beat, ...next);
      return Number.isFinite(first) ? first : null;
    },
    async run(until) {
      fill(until);
      await Promise.all([...running.values()].map(({ ended }) => ended));
    },
    refresh(cohort) {
      const under = running.get(cohort);
      if (under) return under.ended;
      const record = cohorts.get(cohort);
      if (record?.definition.source.type !== "url") return Promise.resolve();
      const known = asked.get(cohort);
      if (known) return known.ended;
      let end = () => {};
      const ended = new Promise<void>((resolve) => {
        end = resolve;
      });
      asked.set(cohort, { ended, end });
      fill(Number.NEGATIVE_INFINITY);
      return ended;
    },
    cancel(cohort) {
      running.get(cohort)?.abort.abort();
      leave(cohort);
    },
    isBusy: () => running.size > 0,
  };
}
