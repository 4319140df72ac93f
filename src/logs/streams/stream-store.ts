/** Each log stream's definition, as the control plane gave it, and how far it has come. */
import type { LogStreamDefinition } from "../../model/log-stream.ts";

export interface Progress {
  /** Everything up to this entry has been sent, or was none of the stream's. */
  cursor: number;
  /** How many entries behind the cursor are the stream's. */
  pending: number;
  delivered: number;
  /** How many were deleted before they could be sent. */
  lost: number;
  /** Times in ms since the epoch. */
  lastDeliveredAt: number | null;
  failures: number;
  failingSince: number | null;
  error: string | null;
  /** When it is tried next; null for at once. */
  nextAt: number | null;
  isSuspended: boolean;
}

export interface StreamRecord {
  definition: LogStreamDefinition;
  progress: Progress;
}

export class StreamStore {
  readonly #sql: SqlStorage;
  readonly #records = new Map<string, StreamRecord>();

  constructor(storage: DurableObjectStorage) {
    this.#sql = storage.sql;
    const rows = this.#sql.exec<{ definition: string; progress: string }>(
      "SELECT definition, progress FROM stream ORDER BY stream",
    );
    for (const row of rows) {
      const definition = JSON.parse(row.definition) as LogStreamDefinition;
      this.#records.set(definition.id, { definition, progress: JSON.parse(row.progress) });
    }
  }

  all(): StreamRecord[] {
    return [...this.#records.values()];
  }

  get(id: string): StreamRecord | undefined {
    return this.#records.get(id);
  }

  define(definition: LogStreamDefinition, progress: Progress): void {
    this.#records.set(definition.id, { definition, progress });
    this.#sql.exec(
      "INSERT OR REPLACE INTO stream (stream, definition, progress) VALUES (?, ?, ?)",
      definition.id,
      JSON.stringify(definition),
      JSON.stringify(progress),
    );
  }

  /** Stores what is new; nothing of a stream that is no more. */
  note(id: string, changes: Partial<Progress>): void {
    const record = this.#records.get(id);
    if (record === undefined) return;
    record.progress = { ...record.progress, ...changes };
    this.#sql.exec("UPDATE stream SET progress = ? WHERE stream = ?", JSON.stringify(record.progress), id);
  }

  remove(id: string): void {
    this.#sql.exec("DELETE FROM stream WHERE stream = ?", id);
    this.#records.delete(id);
  }
}
