/** What the cohort object's SQLite looks like, and the single values it keeps there. */
import { FactStore, type SchemaFact } from "../alarms/fact-store.ts";
import type { Retry } from "../alarms/retried.ts";
import type { CohortIndex } from "../model/snapshot.ts";

const migrations = [
  `
  CREATE TABLE definition (cohort TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE status (cohort TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE bucket (
    bucket INTEGER NOT NULL,
    cohort TEXT NOT NULL,
    generation INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (bucket, cohort)
  ) WITHOUT ROWID;
  CREATE INDEX bucket_cohort ON bucket (cohort);
  CREATE TABLE chunk (
    cohort TEXT NOT NULL,
    generation INTEGER NOT NULL,
    bucket INTEGER NOT NULL,
    part INTEGER NOT NULL,
    hashes BLOB NOT NULL,
    ids TEXT NOT NULL,
    PRIMARY KEY (cohort, generation, bucket, part)
  );
  CREATE TABLE shard (
    build INTEGER NOT NULL,
    shard INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    digest TEXT NOT NULL,
    inputs TEXT NOT NULL,
    PRIMARY KEY (build, shard)
  ) WITHOUT ROWID;
  CREATE TABLE retired (key TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
  CREATE INDEX retired_at ON retired (at);
  `,
];

/** One building of the index, its shards under `build`. */
export interface Build extends Pick<CohortIndex, "bits" | "ready"> {
  /** Later ones have higher numbers. */
  build: number;
}

/** Single values that outlive a restart. */
export interface Facts extends SchemaFact {
  tenant: string;
  /** Of the cohorts' definitions, as the control plane counts. */
  revision: number;
  /** Of members, and of the index's keys; none is ever given twice. */
  nextGeneration: number;
  nextKeyGeneration: number;
  /** When the next build is to begin, in ms since the epoch; null while the index lacks nothing. */
  wantedAt: number | null;
  /** The build under way. */
  building: Build | null;
  /** The build that the control plane was told of. */
  live: Build | null;
  /** Of the last announcement to the control plane, which takes none that is older. */
  announced: number;
  /** When the last build began, in ms since the epoch. */
  builtAt: number;
  indexing: Retry | null;
  sweeping: Retry | null;
  queueing: Retry | null;
}

export class CohortFacts extends FactStore<Facts> {
  constructor(storage: DurableObjectStorage) {
    super(storage, migrations);
  }

  /** The first of `count` numbers that were never given before, none under `least`. */
  draw(counter: "nextGeneration" | "nextKeyGeneration", { count = 1, least = 1 } = {}): number {
    const first = Math.max(this.get()[counter] ?? 1, least);
    this.set({ [counter]: first + count });
    return first;
  }
}
