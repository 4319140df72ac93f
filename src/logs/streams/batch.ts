/** What one request to a receiver carries. */
import { type LogEntry, viewOfEntry } from "../../model/log-entry.ts";
import { type ContentFormat, typesOf } from "../../model/log-stream.ts";
import type { EntryStore } from "../entry-store.ts";
import type { StreamRecord } from "./stream-store.ts";

const mostEntries = 100;
/** Receivers take a megabyte, as a rule. */
const mostCharacters = 256 * 1024;

export interface Batch {
  body: string;
  count: number;
  /** The last entry in it. */
  seq: number;
}

/** The next of a stream's entries, in their order; null when there is none. */
export function nextBatch(entries: EntryStore, { definition, progress }: StreamRecord): Batch | null {
  const format = definition.sink.http_content_format;
  const rows = entries.after(progress.cursor, typesOf(definition), format === "JSONOBJECT" ? 1 : mostEntries);
  const texts: string[] = [];
  let seq = progress.cursor;
  let characters = 0;
  for (const row of rows) {
    characters += row.body.length;
    if (texts.length > 0 && characters > mostCharacters) break;
    texts.push(JSON.stringify(viewOfEntry(JSON.parse(row.body) as LogEntry)));
    seq = row.seq;
  }
  return texts.length === 0 ? null : { body: written(texts, format), count: texts.length, seq };
}

function written(texts: readonly string[], format: ContentFormat): string {
  if (format === "JSONARRAY") return `[${texts.join(",")}]`;
  return format === "JSONLINES" ? texts.map((text) => `${text}\n`).join("") : texts.join("");
}
