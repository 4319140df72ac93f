/** What the control plane keeps in its object's SQLite: resources, the change log, and what is still to be sent out. */
import type { LogEntry } from "../model/log-entry.ts";
import type { Positioned } from "../model/page.ts";
import { type Kind, kinds, type Tables, type Write } from "./tables.ts";

const schema = `
  CREATE TABLE IF NOT EXISTS resource (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    position INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (kind, id)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS change (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    version INTEGER NOT NULL,
    at TEXT NOT NULL,
    actor TEXT NOT NULL,
    operation TEXT NOT NULL,
    correlation_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    resource_id TEXT NOT NULL,
    before TEXT,
    after TEXT
  );
  CREATE INDEX IF NOT EXISTS change_resource ON change (resource_id, seq);
  CREATE TABLE IF NOT EXISTS pending_entry (seq INTEGER PRIMARY KEY AUTOINCREMENT, entry TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
`;

/** Single values that outlive a restart. */
export interface Facts {
  /** The tenant this object is of; alarms have no request to tell them. */
  tenant: string;
  activeLimit: number;
  /** Of the configuration: counts up by one a commit. */
  version: number;
  /** When `version` was committed, ISO. */
  committedAt: string;
  /** Never given to a second resource. */
  nextPosition: number;
  /** What KV is known to hold. */
  published: { version: number; at: string; bytes: number };
}

/** One resource changed by one commit. */
export interface Change {
  seq: number;
  version: number;
  at: string;
  actor: string;
  operation: string;
  correlation_id: string;
  kind: Kind;
  resource_id: string;
  before: unknown;
  after: unknown;
}

export interface ChangeFilter {
  kind?: string;
  resource_id?: string;
  actor?: string;
  operation?: string;
  /** ISO times, both inclusive. */
  since?: string;
  until?: string;
  /** Newest first, from this `seq` downwards. */
  from?: number;
  take: number;
}

export interface Commit {
  writes: readonly Write[];
  facts: Partial<Facts>;
  change: { version: number; at: string; actor: string; operation: string; correlationId: string };
  entries: readonly LogEntry[];
}

export class ControlStore {
  readonly #storage: DurableObjectStorage;
  readonly #sql: SqlStorage;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.#sql = storage.sql;
    this.#sql.exec(schema);
  }

  loadTables(): Tables {
    const tables = Object.fromEntries(kinds.map((kind) => [kind, new Map()])) as Record<
      string,
      Map<string, Positioned<unknown>>
    >;
    const rows = this.#sql.exec<{ kind: string; id: string; position: number; body: string }>(
      "SELECT kind, id, position, body FROM resource ORDER BY position",
    );
    for (const { kind, id, position, body } of rows) tables[kind]?.set(id, { position, item: JSON.parse(body) });
    return tables as unknown as Tables;
  }

  loadFacts(): Partial<Facts> {
    const rows = this.#sql.exec<{ name: string; value: string }>("SELECT name, value FROM fact");
    return Object.fromEntries([...rows].map(({ name, value }) => [name, JSON.parse(value)]));
  }

  /** All of it or nothing. */
  commit({ writes, facts, change, entries }: Commit): void {
    this.#storage.transactionSync(() => {
      for (const write of writes) this.#write(write, change);
      this.#saveFacts(facts);
      for (const entry of entries) {
        this.#sql.exec("INSERT INTO pending_entry (entry) VALUES (?)", JSON.stringify(entry));
      }
    });
  }

  saveFacts(facts: Partial<Facts>): void {
    this.#storage.transactionSync(() => this.#saveFacts(facts));
  }

  readChanges(filter: ChangeFilter): Change[] {
    const wanted = [
      ["kind = ?", filter.kind],
      ["resource_id = ?", filter.resource_id],
      ["actor = ?", filter.actor],
      ["operation = ?", filter.operation],
      ["at >= ?", filter.since],
      ["at <= ?", filter.until],
      ["seq <= ?", filter.from],
    ].filter(([, value]) => value !== undefined) as [string, string | number][];
    const where = wanted.length > 0 ? `WHERE ${wanted.map(([clause]) => clause).join(" AND ")}` : "";
    const rows = this.#sql.exec<Record<string, SqlStorageValue>>(
      `SELECT * FROM change ${where} ORDER BY seq DESC LIMIT ?`,
      ...wanted.map(([, value]) => value),
      filter.take,
    );
    return [...rows].map((row) => ({
      ...(row as unknown as Change),
      before: parsed(row.before),
      after: parsed(row.after),
    }));
  }

  /** Log entries that the queue has not taken yet, the oldest first. */
  pendingEntries(most: number): { seq: number; entry: LogEntry }[] {
    const rows = this.#sql.exec<{ seq: number; entry: string }>(
      "SELECT seq, entry FROM pending_entry ORDER BY seq LIMIT ?",
      most,
    );
    return [...rows].map(({ seq, entry }) => ({ seq, entry: JSON.parse(entry) }));
  }

  /** Forgets entries up to and with `seq`. */
  dropEntries(seq: number): void {
    this.#sql.exec("DELETE FROM pending_entry WHERE seq <= ?", seq);
  }

  #write({ kind, id, position, before, after }: Write, change: Commit["change"]): void {
    if (after === undefined) {
      this.#sql.exec("DELETE FROM resource WHERE kind = ? AND id = ?", kind, id);
    } else {
      this.#sql.exec(
        "INSERT OR REPLACE INTO resource (kind, id, position, body) VALUES (?, ?, ?, ?)",
        kind,
        id,
        position,
        JSON.stringify(after),
      );
    }
    this.#sql.exec(
      `INSERT INTO change (version, at, actor, operation, correlation_id, kind, resource_id, before, after)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      change.version,
      change.at,
      change.actor,
      change.operation,
      change.correlationId,
      kind,
      id,
      shown(before),
      shown(after),
    );
  }

  #saveFacts(facts: Partial<Facts>): void {
    for (const [name, value] of Object.entries(facts)) {
      this.#sql.exec("INSERT OR REPLACE INTO fact (name, value) VALUES (?, ?)", name, JSON.stringify(value));
    }
  }
}

/** The change log shows no hash a key could be looked up by. */
function shown(item: object | undefined): string | null {
  if (item === undefined) return null;
  const { hash: _, key_hash: __, ...rest } = item as Record<string, unknown>;
  return JSON.stringify(rest);
}

function parsed(text: SqlStorageValue | undefined): unknown {
  return typeof text === "string" ? JSON.parse(text) : null;
}
