/** What the logbook's SQLite looks like, and the single values it keeps there. */
import { FactStore, type SchemaFact } from "../alarms/fact-store.ts";

const migrations = [
  `
  CREATE TABLE entry (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    log_id TEXT NOT NULL UNIQUE,
    type TEXT NOT NULL,
    at INTEGER NOT NULL,
    mark TEXT NOT NULL,
    user_id TEXT,
    body TEXT NOT NULL
  );
  CREATE INDEX entry_type ON entry (type, at, mark);
  CREATE INDEX entry_user ON entry (user_id) WHERE user_id IS NOT NULL;
  CREATE TABLE stream (stream TEXT PRIMARY KEY, definition TEXT NOT NULL, progress TEXT NOT NULL) WITHOUT ROWID;
  `,
];

export interface Facts extends SchemaFact {
  tenant: string;
  /** Of the log streams' definitions, as the control plane counts. */
  revision: number;
}

export type LogFacts = FactStore<Facts>;

export function createLogFacts(storage: DurableObjectStorage): LogFacts {
  return new FactStore<Facts>(storage, migrations);
}
