/** What the control plane keeps in its object's SQLite: resources, the change log, and what is still to be sent out. */
import type { Retry } from "../alarms/retried.ts";
import type { LogEntry } from "../model/log-entry.ts";
import type { Positioned } from "../model/page.ts";
import type { CohortIndex } from "../model/snapshot.ts";
import { type Kind, kinds, type SecretKind, secretKinds, type Tables, type Write } from "./tables.ts";

/** Each brings the layout from one schema version to the next; what has been released is never changed. */
const migrations = [
  `
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
  `,
  // Flags can be enabled at the gate. Those with an experiment were, and those enabled nowhere could only have been meant
  // for it; a flag that is rolled out to apps alone must not appear on login pages. Rows that are not JSON stay as they
  // are: SQLite's JSON functions throw on them, and only CASE fixes the order of evaluation.
  `
  UPDATE resource SET body = json_insert(body, '$.deployments[#]', 'gate')
  WHERE kind = 'feature_flag' AND CASE WHEN json_valid(body) THEN
    json_array_length(body, '$.deployments') = 0
    OR id IN (
      SELECT CASE WHEN json_valid(body) THEN json_extract(body, '$.feature_flag_id') END
      FROM resource WHERE kind = 'experiment'
    )
  END;
  -- Targets with an empty list of conditions matched nobody; from now on they would match everybody.
  UPDATE resource SET body = json_set(body, '$.rollout.targeting', (
    SELECT json_group_array(json(value)) FROM json_each(body, '$.rollout.targeting')
    WHERE json_array_length(value, '$.conditions') IS NOT 0
  ))
  WHERE kind = 'feature_flag' AND CASE WHEN json_valid(body) THEN json_type(body, '$.rollout.targeting') = 'array' END;
  `,
];

/** Single values that outlive a restart. */
export interface Facts {
  /** How many of `migrations` have been made. */
  schema: number;
  /** The tenant this object is of; alarms have no request to tell them. */
  tenant: string;
  /** The one in force at the last commit. */
  activeLimit: number;
  /** Of the configuration: counts up by one a commit that changes anything published. */
  version: number;
  /** When `version` was committed, ISO. */
  committedAt: string;
  /** When the oldest commit that KV lacks was made, ISO; says nothing once KV has all. */
  pendingSince: string;
  /** Never given to a second resource. */
  nextPosition: number;
  /** What KV is known to hold. */
  published: { version: number; at: string; bytes: number };
  /** When the newest snapshot is put once more, in ms since the epoch: an earlier put may have landed on it. */
  confirmAt: number | null;
  /** Whether puts were given up on that may land even now. */
  hasUnended: boolean;
  /** Counts up by one a commit that changes a cohort or its credentials. */
  cohortRevision: number;
  /** The last that the cohort object has acknowledged. */
  cohortsSynced: number;
  /** Where that object has put the members, as published. */
  cohortIndex: CohortIndex;
  /** The number under which it was announced. */
  cohortAnnouncement: number;
  /** Counts up by one a commit that changes a log stream or what its receiver is told. */
  streamRevision: number;
  /** The last that the logbook has acknowledged. */
  streamsSynced: number;
  /** Failed attempts to publish, to queue log entries, to tell of cohorts, and of log streams. */
  publishing: Retry | null;
  queueing: Retry | null;
  syncing: Retry | null;
  streaming: Retry | null;
}

/** One resource changed by one commit. */
export interface Change {
  seq: number;
  version: number;
  at: string;
  actor: string;
  operation: string;
  correlation_id: string;
  kind: Exclude<Kind, SecretKind>;
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

  /** @throws when the layout is of a newer Vestibule than this one */
  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.#sql = storage.sql;
    this.#sql.exec("CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID");
    const { schema = 0 } = this.loadFacts();
    if (schema > migrations.length) {
      throw new Error(`storage has schema version ${schema}; this release knows ${migrations.length} at most`);
    }
    if (schema === migrations.length) return;
    storage.transactionSync(() => {
      for (const migration of migrations.slice(schema)) this.#sql.exec(migration);
      this.#saveFacts({ schema: migrations.length });
    });
  }

  /** A row that cannot be read is left out, and stays where it is: the rest is served without it. */
  loadTables(): Tables {
    const tables = Object.fromEntries(kinds.map((kind) => [kind, new Map()])) as Record<
      string,
      Map<string, Positioned<unknown>>
    >;
    const rows = this.#sql.exec<{ kind: string; id: string; position: number; body: string }>(
      "SELECT kind, id, position, body FROM resource ORDER BY position",
    );
    for (const { kind, id, position, body } of rows) {
      const item = parsed(body, `${kind} ${id}`);
      if ((item as { id?: unknown } | null | undefined)?.id === id) tables[kind]?.set(id, { position, item });
      else if (item !== undefined) tellUnreadable(`${kind} ${id}`, "it is no resource with this id");
    }
    return tables as unknown as Tables;
  }

  loadFacts(): Partial<Facts> {
    const rows = this.#sql.exec<{ name: string; value: string }>("SELECT name, value FROM fact");
    const facts = [...rows].map(({ name, value }) => [name, parsed(value, `fact ${name}`)] as const);
    return Object.fromEntries(facts.filter(([, value]) => value !== undefined));
  }

  /** Above every resource there is. */
  positionAfterLast(): number {
    return this.#sql.exec<{ next: number }>("SELECT coalesce(max(position) + 1, 0) AS next FROM resource").one().next;
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
      before: parsed(row.before, `change ${row.seq}`) ?? null,
      after: parsed(row.after, `change ${row.seq}`) ?? null,
    }));
  }

  /** Log entries that the queue has not taken yet, the oldest first; undefined for one that cannot be read. */
  pendingEntries(most: number): { seq: number; entry: LogEntry | undefined }[] {
    const rows = this.#sql.exec<{ seq: number; entry: string }>(
      "SELECT seq, entry FROM pending_entry ORDER BY seq LIMIT ?",
      most,
    );
    return [...rows].map(({ seq, entry }) => ({
      seq,
      entry: parsed(entry, `pending_entry ${seq}`) as LogEntry | undefined,
    }));
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
    if (secretKinds.has(kind)) return;
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

/** Undefined where there is nothing, or nothing that can be read: one damaged row must not take the rest down. */
function parsed(text: SqlStorageValue | undefined, row: string): unknown {
  if (typeof text !== "string") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    // The parser's words would quote it, and it may be a secret.
    tellUnreadable(row, "it is not JSON");
    return undefined;
  }
}

function tellUnreadable(row: string, reason: string): void {
  console.error(JSON.stringify({ message: "control plane: a row cannot be read", row, reason }));
}
