/** What a shard's SQLite looks like. */
import { FactStore, type SchemaFact } from "../alarms/fact-store.ts";

const migrations = [
  `
  CREATE TABLE experiment (
    no INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    shards INTEGER NOT NULL,
    rows INTEGER NOT NULL,
    units INTEGER NOT NULL,
    halvings INTEGER NOT NULL,
    swept TEXT,
    fresh_from INTEGER NOT NULL,
    last_at INTEGER NOT NULL
  );
  CREATE TABLE unit (
    rows INTEGER NOT NULL,
    unit TEXT NOT NULL,
    body TEXT NOT NULL,
    lost INTEGER NOT NULL,
    PRIMARY KEY (rows, unit)
  ) WITHOUT ROWID;
  CREATE INDEX unit_lost ON unit (rows, unit) WHERE lost = 1;
  CREATE TABLE tally (experiment INTEGER NOT NULL, part TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (experiment, part))
    WITHOUT ROWID;
  CREATE TABLE dropped (rows INTEGER PRIMARY KEY);
  CREATE TABLE layout (experiment TEXT PRIMARY KEY, shards INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE verdict (
    experiment TEXT PRIMARY KEY,
    highest REAL NOT NULL,
    verdict TEXT NOT NULL,
    at TEXT NOT NULL
  ) WITHOUT ROWID;
  `,
  `
  ALTER TABLE experiment ADD COLUMN last_counted_at INTEGER NOT NULL DEFAULT 0;
  UPDATE experiment SET last_counted_at = last_at;
  `,
];

export function createLedgerFacts(storage: DurableObjectStorage): FactStore<SchemaFact> {
  return new FactStore<SchemaFact>(storage, migrations);
}
