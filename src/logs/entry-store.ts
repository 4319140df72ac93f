/** The entries of one tenant's log, in the order in which they came: that, and not their date, is what readers go by. */
import { type EntryType, entryTypes, type LogEntry } from "../model/log-entry.ts";
import { markOf } from "./mark.ts";

/** Where an entry stands: later ones have higher numbers, and none is given twice. */
export interface Placed {
  seq: number;
  type: EntryType;
}

export interface StoredEntry extends Placed {
  /** In ms since the epoch. */
  at: number;
  /** JSON of the entry. */
  body: string;
}

/** Rows of one type, from one end of a stretch of time to the other. */
export interface Stretch {
  type: EntryType;
  /** In ms since the epoch, both inclusive. */
  since: number;
  until: number;
  newestFirst: boolean;
  /** Only what comes behind this one. */
  behind: { at: number; seq: number } | null;
}

const columns = "seq, type, at, body";
type Row = StoredEntry & Record<string, SqlStorageValue>;

export class EntryStore {
  readonly #sql: SqlStorage;

  constructor(storage: DurableObjectStorage) {
    this.#sql = storage.sql;
  }

  /**
   * @param at its date, in ms since the epoch
   * @returns where it has been put; null when it is there already
   */
  add(entry: LogEntry, at: number): Placed | null {
    const added = this.#sql.exec<{ seq: number }>(
      `INSERT INTO entry (log_id, type, at, mark, user_id, body) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (log_id) DO NOTHING RETURNING seq`,
      entry.log_id,
      entry.type,
      at,
      markOf(entry),
      entry.user_id ?? null,
      JSON.stringify(entry),
    );
    const [row] = [...added];
    return row === undefined ? null : { seq: row.seq, type: entry.type };
  }

  get(logId: string): StoredEntry | undefined {
    return [...this.#sql.exec<Row>(`SELECT ${columns} FROM entry WHERE log_id = ?`, logId)][0];
  }

  /** Those after `seq`, in their order. */
  after(seq: number, types: readonly EntryType[], most: number): StoredEntry[] {
    const rows = this.#sql.exec<Row>(
      `SELECT ${columns} FROM entry WHERE seq > ? AND ${isOneOf(types)} ORDER BY seq LIMIT ?`,
      seq,
      ...types,
      most,
    );
    return [...rows];
  }

  newest(): StoredEntry | undefined {
    return [...this.#sql.exec<Row>(`SELECT ${columns} FROM entry ORDER BY seq DESC LIMIT 1`)][0];
  }

  /** By date; of the same date by their order. */
  stretch({ type, since, until, newestFirst, behind }: Stretch, most: number): StoredEntry[] {
    const order = newestFirst ? "DESC" : "ASC";
    // A range, so that SQLite begins there, rather than at the end and skips what was read before.
    const first = newestFirst ? since : Math.max(since, behind?.at ?? since);
    const last = newestFirst ? Math.min(until, behind?.at ?? until) : until;
    const rows = this.#sql.exec<Row>(
      `SELECT ${columns} FROM entry WHERE type = ? AND at >= ? AND at <= ?
       ${behind === null ? "" : `AND (at, seq) ${newestFirst ? "<" : ">"} (?, ?)`}
       ORDER BY at ${order}, seq ${order} LIMIT ?`,
      type,
      first,
      last,
      ...(behind === null ? [] : [behind.at, behind.seq]),
      most,
    );
    return [...rows];
  }

  /** How many there are of each type and mark, dated in a stretch of time: `until` is not in it. */
  count(since: number, until: number): { type: EntryType; mark: string; count: number }[] {
    return entryTypes.flatMap((type) => [
      ...this.#sql.exec<{ type: EntryType; mark: string; count: number }>(
        `SELECT type, mark, count(*) AS count FROM entry WHERE type = ? AND at >= ? AND at < ? GROUP BY mark`,
        type,
        since,
        until,
      ),
    ]);
  }

  countAll(): number {
    return this.#sql.exec<{ count: number }>("SELECT count(*) AS count FROM entry").one().count;
  }

  countAfter(seq: number, types: readonly EntryType[]): number {
    return this.#sql
      .exec<{ count: number }>(`SELECT count(*) AS count FROM entry WHERE seq > ? AND ${isOneOf(types)}`, seq, ...types)
      .one().count;
  }

  /** Below the first entry dated at `at` or later; the newest's own when there is none. */
  seqBefore(at: number): number {
    const firsts = entryTypes.flatMap(
      (type) =>
        this.#sql
          .exec<{ seq: number | null }>("SELECT min(seq) AS seq FROM entry WHERE type = ? AND at >= ?", type, at)
          .one().seq ?? [],
    );
    return firsts.length === 0 ? (this.newest()?.seq ?? 0) : Math.min(...firsts) - 1;
  }

  /** The date of the oldest; null when there is none. */
  oldestAt(): number | null {
    const dates = entryTypes.flatMap(
      (type) =>
        this.#sql.exec<{ at: number | null }>("SELECT min(at) AS at FROM entry WHERE type = ?", type).one().at ?? [],
    );
    return dates.length === 0 ? null : Math.min(...dates);
  }

  dropOlder(before: number, most: number): Placed[] {
    return entryTypes.flatMap((type) => this.#drop("type = ? AND at < ? ORDER BY at", [type, before], most));
  }

  /** Those that came first. */
  dropFirst(most: number): Placed[] {
    return this.#drop("true ORDER BY seq", [], most);
  }

  dropUser(userId: string, most: number): Placed[] {
    return this.#drop("user_id = ?", [userId], most);
  }

  /** What is in use; pages that deletions have freed are not. */
  bytes(): number {
    return this.#sql.databaseSize;
  }

  #drop(which: string, values: SqlStorageValue[], most: number): Placed[] {
    const rows = this.#sql.exec<Placed & Record<string, SqlStorageValue>>(
      `DELETE FROM entry WHERE seq IN (SELECT seq FROM entry WHERE ${which} LIMIT ?) RETURNING seq, type`,
      ...values,
      most,
    );
    return [...rows];
  }
}

/** With a plus, so that SQLite reads on in the order of `seq`, rather than all of these types and then sorts them. */
const isOneOf = (types: readonly EntryType[]) => `+type IN (${types.map(() => "?").join()})`;
