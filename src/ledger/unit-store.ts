/** The units of a shard, each with its state, under the number of the experiment's rows. */

import { readState, type UnitState, writeState } from "./unit-state.ts";
import type { Window } from "./window.ts";

export interface UnitRow {
  unit: string;
  state: UnitState;
}

/** Later than anything. */
const never = 8.64e15;

type Row = { unit: string; body: string };

export class UnitStore {
  readonly #sql: SqlStorage;

  constructor(storage: DurableObjectStorage) {
    this.#sql = storage.sql;
  }

  /** Those that are there, as they are stored. */
  read(rows: number, units: readonly string[]): Map<string, string> {
    const found = this.#sql.exec<Row>(
      "SELECT unit, body FROM unit WHERE rows = ? AND unit IN (SELECT value FROM json_each(?))",
      rows,
      JSON.stringify(units),
    );
    return new Map([...found].map(({ unit, body }) => [unit, body]));
  }

  /** One statement, however many. */
  write(rows: number, units: readonly UnitRow[]): void {
    if (units.length === 0) return;
    this.#sql.exec(
      `INSERT INTO unit (rows, unit, body, lost)
       SELECT ?, value ->> 0, value ->> 1, value ->> 2 FROM json_each(?) WHERE true
       ON CONFLICT (rows, unit) DO UPDATE SET body = excluded.body, lost = excluded.lost`,
      rows,
      JSON.stringify(units.map(({ unit, state }) => [unit, writeState(state), isLost(state) ? 1 : 0])),
    );
  }

  /** In their order, which is that of a hash: those after `unit`. */
  after(rows: number, unit: string, most: number): UnitRow[] {
    const found = this.#sql.exec<Row>(
      "SELECT unit, body FROM unit WHERE rows = ? AND unit > ? ORDER BY unit LIMIT ?",
      rows,
      unit,
      most,
    );
    return [...found].map(rowOf);
  }

  /** As `after`, of those that a window may have something to count of. */
  within(rows: number, unit: string, { from, to }: Window, most: number): UnitRow[] {
    const found = this.#sql.exec<Row>(
      `SELECT unit, body FROM unit WHERE rows = ?1 AND unit > ?2 AND (
         body ->> '$.devices' IS NOT NULL OR (
           max(coalesce(body ->> '$.assigned.at[1]', 0), coalesce(body ->> '$.exposed.at[1]', 0)) >= ?3 AND
           min(coalesce(body ->> '$.assigned.at[0]', ?5), coalesce(body ->> '$.exposed.at[0]', ?5)) < ?4
         )
       ) ORDER BY unit LIMIT ?6`,
      rows,
      unit,
      from ?? 0,
      to ?? never,
      never,
      most,
    );
    return [...found].map(rowOf);
  }

  /** Units that have logged in or failed to, and were never exposed; the first by their order. Left to itself, SQLite looks at all. */
  lost(rows: number, most: number): UnitRow[] {
    const found = this.#sql.exec<Row>(
      "SELECT unit, body FROM unit INDEXED BY unit_lost WHERE rows = ? AND lost = 1 ORDER BY unit LIMIT ?",
      rows,
      most,
    );
    return [...found].map(rowOf);
  }

  /** Those whose state names another unit. */
  naming(rows: number, unit: string): UnitRow[] {
    const found = this.#sql.exec<Row>(
      "SELECT unit, body FROM unit WHERE rows = ? AND instr(body, ?) > 0",
      rows,
      JSON.stringify(unit),
    );
    return [...found].map(rowOf);
  }

  /** When units of each cell were assigned and exposed first and last. */
  times(rows: number): CellTimes[] {
    return [
      ...this.#sql.exec<CellTimes & Record<string, SqlStorageValue>>(
        `SELECT epoch, variation, method, min(assigned_at) AS fa, max(assigned_at) AS la,
                coalesce(min(exposed_at), 0) AS fx, coalesce(max(last_exposed_at), 0) AS lx
         FROM (
           SELECT body ->> '$.assigned.first.epoch' AS epoch, body ->> '$.assigned.first.variation' AS variation,
                  body ->> '$.assigned.first.method' AS method, body ->> '$.assigned.at[0]' AS assigned_at,
                  body ->> '$.exposed.at[0]' AS exposed_at, body ->> '$.exposed.at[1]' AS last_exposed_at
           FROM unit WHERE rows = ? AND body ->> '$.forced' IS NULL AND body ->> '$.assigned' IS NOT NULL
         )
         GROUP BY epoch, variation, method`,
        rows,
      ),
    ];
  }

  delete(rows: number, units: readonly string[]): void {
    this.#sql.exec(
      "DELETE FROM unit WHERE rows = ? AND unit IN (SELECT value FROM json_each(?))",
      rows,
      JSON.stringify(units),
    );
  }

  /** Nobody counts by these rows any more. */
  drop(rows: number): void {
    this.#sql.exec("INSERT INTO dropped (rows) VALUES (?)", rows);
  }

  /** Units of experiments whose rows are no longer counted by; whether there are more. */
  sweepDropped(most: number): boolean {
    const [dropped] = [...this.#sql.exec<{ rows: number }>("SELECT rows FROM dropped LIMIT 1")];
    if (dropped === undefined) return false;
    const { rowsWritten } = this.#sql.exec(
      "DELETE FROM unit WHERE rows = ?1 AND unit IN (SELECT unit FROM unit WHERE rows = ?1 ORDER BY unit LIMIT ?2)",
      dropped.rows,
      most,
    );
    if (rowsWritten === 0) this.#sql.exec("DELETE FROM dropped WHERE rows = ?", dropped.rows);
    return true;
  }

  hasDropped(): boolean {
    return [...this.#sql.exec("SELECT 1 FROM dropped LIMIT 1")].length > 0;
  }

  deleteDropped(unit: string): void {
    this.#sql.exec("DELETE FROM unit WHERE unit = ? AND rows IN (SELECT rows FROM dropped)", unit);
  }
}

/** Of a cell, in ms since the epoch; 0 where there was none. */
export interface CellTimes {
  epoch: number;
  variation: string;
  method: string;
  fa: number;
  la: number;
  fx: number;
  lx: number;
}

const rowOf = ({ unit, body }: Row): UnitRow => ({ unit, state: readState(body) });

function isLost({ forced, assigned, exposed, outcomes }: UnitState): boolean {
  const isFinished = outcomes?.s !== undefined || outcomes?.ss !== undefined || outcomes?.f !== undefined;
  return !forced && assigned?.first.method === "auto" && exposed === undefined && isFinished;
}
