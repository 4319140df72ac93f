/**
 * Lets time go by for a Worker that is stopped: instead of its clock, which is the machine's, everything that it has stored
 * is moved back. Alarms are in SQLite files of workerd's own, the newest snapshot is a file of the local KV's.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync, type SQLOutputValue } from "node:sqlite";

/** Moments as JSON has them: ISO text, or milliseconds since the epoch. */
const moments = /"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"|\b1[6-9]\d{11}\b/g;

function shiftText(text: string, ms: number): string {
  return text.replace(moments, (moment) => JSON.stringify(earlier(JSON.parse(moment), ms)));
}

function earlier(moment: string | number, ms: number): string | number {
  return typeof moment === "number" ? moment - ms : new Date(Date.parse(moment) - ms).toISOString();
}

const second = 1_000_000_000_000n;

/** Of any column: text with moments in it, milliseconds, or an alarm's nanoseconds. */
function shiftValue(value: SQLOutputValue, ms: number): SQLOutputValue {
  if (typeof value === "string") return shiftText(value, ms);
  if (typeof value !== "bigint" || value < second) return value;
  return value - BigInt(ms) * (value > second * 1_000_000n ? 1_000_000n : 1n);
}

function shiftDatabase(file: string, ms: number): void {
  const database = new DatabaseSync(file);
  database.function("shift", { useBigIntArguments: true }, (value) => shiftValue(value, ms));
  const columns = database
    .prepare(
      `SELECT tables.name AS "table", columns.name AS "column"
       FROM sqlite_master AS tables JOIN pragma_table_info(tables.name) AS columns
       WHERE tables.type = 'table' AND tables.name <> 'chunk' AND columns.pk = 0`,
    )
    .all();
  for (const { table, column } of columns) database.exec(`UPDATE "${table}" SET "${column}" = shift("${column}")`);
  database.close();
}

/** @param stateDir of an `npm start` that has ended */
export function letTimePass(stateDir: string, ms: number): void {
  const filesIn = (...folder: string[]) =>
    readdirSync(join(stateDir, "workerd", ...folder), { recursive: true, encoding: "utf8" }).map((file) =>
      join(stateDir, "workerd", ...folder, file),
    );
  for (const file of filesIn("do")) if (file.endsWith(".sqlite")) shiftDatabase(file, ms);
  for (const file of filesIn("kv")) {
    if (!/\/blobs\/\w+$/.test(file)) continue;
    const bytes = readFileSync(file);
    // Shards of the index are binary, and know no time.
    if (bytes[0] === "{".charCodeAt(0)) writeFileSync(file, shiftText(bytes.toString(), ms));
  }
}
