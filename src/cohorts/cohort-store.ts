/** Each cohort's definition, as the control plane gave it, and what has become of it so far. */
import type { CohortDefinition, CohortStatus } from "../model/cohort.ts";
import type { LogEntry } from "../model/log-entry.ts";

export interface Progress {
  status: CohortStatus;
  /** What the source gave to ask it with next time; null when it has to send all. */
  validators: unknown;
  /** When its members last changed, in ms since the epoch. */
  changedAt: number | null;
  /** When it was first heard of, ISO. */
  knownSince: string;
  /** While it is overdue: the warning about that, null once the queue has it. */
  overdue: { entry: LogEntry | null } | null;
}

export interface CohortRecord {
  definition: CohortDefinition;
  progress: Progress;
}

export class CohortStore {
  readonly #sql: SqlStorage;
  readonly #records = new Map<string, CohortRecord>();

  constructor(storage: DurableObjectStorage) {
    this.#sql = storage.sql;
    const rows = this.#sql.exec<{ definition: string; progress: string }>(
      `SELECT definition.body AS definition, status.body AS progress
       FROM definition JOIN status ON status.cohort = definition.cohort ORDER BY definition.cohort`,
    );
    for (const row of rows) {
      const definition = JSON.parse(row.definition) as CohortDefinition;
      this.#records.set(definition.id, { definition, progress: JSON.parse(row.progress) });
    }
  }

  all(): CohortRecord[] {
    return [...this.#records.values()];
  }

  get(id: string): CohortRecord | undefined {
    return this.#records.get(id);
  }

  define(definition: CohortDefinition, progress: Progress): void {
    const sql = "INSERT OR REPLACE INTO definition (cohort, body) VALUES (?, ?)";
    this.#sql.exec(sql, definition.id, JSON.stringify(definition));
    this.#records.set(definition.id, { definition, progress });
    this.#save(definition.id, progress);
  }

  /** Stores what is new; nothing of a cohort that is no more. */
  note(id: string, { status, ...rest }: Partial<Omit<Progress, "status">> & { status?: Partial<CohortStatus> }): void {
    const record = this.#records.get(id);
    if (record === undefined) return;
    record.progress = { ...record.progress, ...rest, status: { ...record.progress.status, ...status } };
    this.#save(id, record.progress);
  }

  remove(id: string): void {
    this.#sql.exec("DELETE FROM definition WHERE cohort = ?", id);
    this.#sql.exec("DELETE FROM status WHERE cohort = ?", id);
    this.#records.delete(id);
  }

  #save(id: string, progress: Progress): void {
    this.#sql.exec("INSERT OR REPLACE INTO status (cohort, body) VALUES (?, ?)", id, JSON.stringify(progress));
  }
}
