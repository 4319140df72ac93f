/** Members that are sent to us, for cohorts that have no source to fetch. */
import type { CohortDefinition, CohortFormat, CohortStatus } from "../model/cohort.ts";
import type { CohortStore } from "./cohort-store.ts";
import { type MemberWriter, type Outcome, TooManyMembers, type WriteMode } from "./member-writer.ts";
import { createDeadline } from "./source/deadline.ts";
import { unzip } from "./source/gunzip.ts";
import { createTally, readMembers, type Tally } from "./source/members.ts";
import { SourceError, type SourceErrorCode } from "./source/source-error.ts";
import type { SourceLimits } from "./source/source-limits.ts";
import { iso } from "./timing.ts";

/** Each takes memory. Others wait. */
const atOnce = 2;

export interface Push {
  cohort: string;
  mode: WriteMode;
  format: CohortFormat;
  /** Column or field that holds the id, where a line is more than an id. */
  field?: string;
  /** May be gzip. */
  body: ReadableStream<Uint8Array>;
}

export type PushRefusal = SourceErrorCode | "cohort_not_found" | "cohort_not_pushed";

/** Values, not exceptions: what is thrown loses its class on the way out of an object. */
export type PushAnswer =
  | { ok: true; added: number; removed: number; skipped: number; status: CohortStatus }
  | { ok: false; code: PushRefusal; message: string };

export interface PusherOptions {
  cohorts: CohortStore;
  createWriter(definition: CohortDefinition): MemberWriter;
  /** Told in the transaction that stores it. */
  onPushed(changed: boolean): void;
  limits: SourceLimits;
  now: () => number;
}

export function createPusher({ cohorts, createWriter, onPushed, limits, now }: PusherOptions) {
  let free = atOnce;
  const waiting: (() => void)[] = [];
  /** The last of each cohort: they are done in their order. */
  const last = new Map<string, Promise<unknown>>();

  async function place(): Promise<void> {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
  }
  function leave(): void {
    const next = waiting.shift();
    if (next) next();
    else free++;
  }

  function definitionOf(cohort: string): CohortDefinition | { code: PushRefusal; message: string } {
    const definition = cohorts.get(cohort)?.definition;
    if (definition === undefined) return { code: "cohort_not_found", message: `no cohort ${cohort}` };
    if (definition.source.type === "push") return definition;
    return { code: "cohort_not_pushed", message: `${cohort} is fetched from its source; nothing is pushed to it` };
  }

  function note(id: string, outcome: Outcome, tally: Tally): void {
    const current = cohorts.get(id);
    if (current === undefined) return;
    const changed = outcome.added + outcome.removed > 0;
    const isNews = changed || current.progress.status.refreshed_at === null;
    const at = iso(now());
    cohorts.note(id, {
      ...(isNews && { changedAt: now() }),
      status: {
        state: "ok",
        size: outcome.size,
        skipped: tally.skipped,
        ...(changed && { added: outcome.added, removed: outcome.removed }),
        refreshed_at: at,
        last_attempt_at: at,
        error: null,
        failures: 0,
      },
    });
    onPushed(isNews);
  }

  async function take({ cohort, mode, format, field, body }: Push): Promise<PushAnswer> {
    const definition = definitionOf(cohort);
    if ("code" in definition) return { ok: false, ...definition };
    const tally = createTally();
    const deadline = createDeadline("the upload", limits);
    const writer = createWriter(definition);
    try {
      const bytes = unzip(readChunks(body, deadline.within));
      for await (const ids of readMembers(bytes, { format, field }, tally, limits)) await writer.add(ids);
      const outcome = await writer.finish(mode, (made) => {
        const current = definitionOf(cohort);
        if ("code" in current) throw new Refused(current.code, current.message);
        if (current.id_type !== definition.id_type) throw new Refused("cancelled", "the cohort has changed meanwhile");
        note(cohort, made, tally);
      });
      const { status } = cohorts.get(cohort)?.progress ?? {};
      if (status === undefined) throw new Refused("cohort_not_found", `no cohort ${cohort}`);
      return { ok: true, added: outcome.added, removed: outcome.removed, skipped: tally.skipped, status };
    } catch (error) {
      if (error instanceof Refused) return { ok: false, code: error.code, message: error.message };
      if (error instanceof SourceError) return { ok: false, code: error.code, message: error.message };
      if (error instanceof TooManyMembers) return { ok: false, code: "too_many_members", message: error.message };
      throw error;
    } finally {
      deadline.end();
      writer.abandon();
    }
  }

  return {
    async push(push: Push): Promise<PushAnswer> {
      const before = last.get(push.cohort);
      const own = (async () => {
        await before?.catch(() => {});
        await place();
        try {
          return await take(push);
        } finally {
          leave();
        }
      })();
      last.set(push.cohort, own);
      try {
        return await own;
      } finally {
        push.body.cancel().catch(() => {});
        if (last.get(push.cohort) === own) last.delete(push.cohort);
      }
    },
  };
}

class Refused extends Error {
  readonly code: PushRefusal;
  constructor(code: PushRefusal, message: string) {
    super(message);
    this.code = code;
  }
}

async function* readChunks(
  body: ReadableStream<Uint8Array>,
  within: <T>(work: Promise<T>) => Promise<T>,
): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await within(broken(reader.read()));
      if (done) return;
      yield value;
    }
  } finally {
    // Whoever sends may never hear of it.
    reader.cancel().catch(() => {});
  }
}

async function broken<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw new SourceError("interrupted", `the upload broke off: ${error instanceof Error ? error.message : error}`);
  }
}
