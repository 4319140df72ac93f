/** Finds entries: onwards from one that is known, or page by page by their date. */
import { type LogEntry, type LogEntryView, viewOfEntry } from "../model/log-entry.ts";
import type { EntryStore, StoredEntry } from "./entry-store.ts";
import { matches, type Reach, reachOf } from "./query/match.ts";
import { parseQuery } from "./query/parse.ts";
import type { Query } from "./query/query.ts";

export type EntryQuestion = { q?: string } & (
  | { by: "checkpoint"; from?: string; take: number }
  | { by: "page"; page: number; perPage: number; newestFirst: boolean; hasTotal: boolean }
);

export type FoundEntries =
  | {
      ok: true;
      entries: LogEntryView[];
      /** Of all that match; where it was asked for. */
      total?: number;
      /** Where to read on: the last entry that was looked at, whether it matches or not. */
      checkpoint?: string;
    }
  | { ok: false; reason: "unknown_checkpoint" }
  /** So many entries were looked at, back or on to this date, and not all were found. */
  | { ok: false; reason: "too_broad"; lookedAt: number; reached: string };

/** Looked at by one question, whatever it asks: some tenths of a second's work. */
const mostLookedAt = 200_000;
/** Read in one stretch of work. */
const readAtOnce = 500;

export interface FinderOptions {
  entries: EntryStore;
  /** Lets others have their turn. */
  rest(): Promise<void>;
  mostLookedAt?: number;
}

export function createFinder({ entries, rest, mostLookedAt: most = mostLookedAt }: FinderOptions) {
  /** @throws {QueryError} for what the border has refused */
  async function find(question: EntryQuestion): Promise<FoundEntries> {
    const query = question.q === undefined ? null : parseQuery(question.q);
    return question.by === "page" ? findPage(query, question) : readOn(query, question);
  }

  async function readOn(
    query: Query | null,
    { from, take }: EntryQuestion & { by: "checkpoint" },
  ): Promise<FoundEntries> {
    const known = from === undefined ? undefined : entries.get(from);
    if (from !== undefined && known === undefined) return { ok: false, reason: "unknown_checkpoint" };
    const { types } = reachOf(query);
    // What comes while this reads is for the next question.
    const newest = entries.newest();
    const found: LogEntry[] = [];
    let last = known;
    for (let lookedAt = 0; lookedAt < most; await rest()) {
      const atOnce = Math.min(readAtOnce, most - lookedAt);
      const rows = entries.after(last?.seq ?? 0, types, atOnce);
      for (const row of rows) {
        last = row;
        const entry = entryOf(row);
        if (query === null || matches(query, entry)) found.push(entry);
        if (found.length === take) break;
      }
      if (found.length === take) break;
      if (rows.length < atOnce) {
        if (newest !== undefined && newest.seq > (last?.seq ?? 0)) last = newest;
        break;
      }
      lookedAt += rows.length;
    }
    const checkpoint = last === undefined ? {} : { checkpoint: entryOf(last).log_id };
    return { ok: true, entries: found.map(viewOfEntry), ...checkpoint };
  }

  async function findPage(
    query: Query | null,
    { page, perPage, newestFirst, hasTotal }: EntryQuestion & { by: "page" },
  ): Promise<FoundEntries> {
    const found: LogEntry[] = [];
    const first = page * perPage;
    const total = query === null && hasTotal ? entries.countAll() : null;
    const isCounting = hasTotal && total === null;
    let matched = 0;
    let lookedAt = 0;
    for await (const row of byDate(reachOf(query), newestFirst)) {
      if (lookedAt++ >= most) {
        return { ok: false, reason: "too_broad", lookedAt: most, reached: new Date(row.at).toISOString() };
      }
      const entry = entryOf(row);
      if (query !== null && !matches(query, entry)) continue;
      if (matched++ >= first && found.length < perPage) found.push(entry);
      if (found.length === perPage && !isCounting) break;
    }
    return {
      ok: true,
      entries: found.map(viewOfEntry),
      ...(hasTotal ? { total: total ?? matched } : {}),
    };
  }

  /** Each type has its rows in order; the next of all is the first of these. */
  async function* byDate({ types, since, until }: Reach, newestFirst: boolean): AsyncGenerator<StoredEntry> {
    const lanes = types.map((type) => ({ type, rows: [] as StoredEntry[], at: 0, isOver: false }));
    for (;;) {
      let next: (typeof lanes)[number] | undefined;
      for (const lane of lanes) {
        if (lane.at === lane.rows.length && !lane.isOver) {
          const behind = lane.rows.at(-1) ?? null;
          lane.rows = entries.stretch({ type: lane.type, since, until, newestFirst, behind }, readAtOnce);
          lane.at = 0;
          lane.isOver = lane.rows.length < readAtOnce;
          await rest();
        }
        if (lane.at < lane.rows.length && (next === undefined || isBefore(lane, next) === !newestFirst)) next = lane;
      }
      const row = next?.rows[next.at];
      if (next === undefined || row === undefined) return;
      next.at++;
      yield row;
    }
  }

  function get(logId: string): LogEntryView | null {
    const row = entries.get(logId);
    return row === undefined ? null : viewOfEntry(entryOf(row));
  }

  return { find, get };
}

interface Lane {
  rows: readonly StoredEntry[];
  at: number;
}

function isBefore(one: Lane, other: Lane): boolean {
  const [a, b] = [one.rows[one.at], other.rows[other.at]];
  if (a === undefined || b === undefined) return false;
  return a.at === b.at ? a.seq < b.seq : a.at < b.at;
}

function entryOf({ body }: StoredEntry): LogEntry {
  return JSON.parse(body) as LogEntry;
}
