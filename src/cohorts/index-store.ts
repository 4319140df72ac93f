/** What the index's builds have put into KV so far, and the keys that are to be deleted there. */

export interface ShardRow {
  shard: number;
  /** Part of its key; whatever has the same content keeps its key from build to build. */
  generation: number;
  digest: string;
  /** Tells what the shard was made of, so that it need not be made again to see that it has not changed. */
  inputs: string;
}

export class IndexStore {
  readonly #storage: DurableObjectStorage;
  readonly #sql: SqlStorage;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.#sql = storage.sql;
  }

  /** In order; those that the build has so far. */
  shards(build: number): ShardRow[] {
    const sql = "SELECT shard, generation, digest, inputs FROM shard WHERE build = ? ORDER BY shard";
    return [...this.#sql.exec<Record<string, SqlStorageValue>>(sql, build)] as unknown as ShardRow[];
  }

  /** @param put keys of those that were put for it; they are not to be deleted any more */
  addShards(build: number, rows: readonly ShardRow[], put: readonly string[]): void {
    this.#storage.transactionSync(() => {
      for (const { shard, generation, digest, inputs } of rows) {
        const sql = "INSERT OR REPLACE INTO shard (build, shard, generation, digest, inputs) VALUES (?, ?, ?, ?, ?)";
        this.#sql.exec(sql, build, shard, generation, digest, inputs);
      }
      for (const key of put) this.#sql.exec("DELETE FROM retired WHERE key = ?", key);
    });
  }

  dropBuild(build: number): void {
    this.#sql.exec("DELETE FROM shard WHERE build = ?", build);
  }

  /** Keys to be deleted, counted from `at`. */
  retire(keys: readonly string[], at: number): void {
    this.#storage.transactionSync(() => {
      for (const key of keys) this.#sql.exec("INSERT OR REPLACE INTO retired (key, at) VALUES (?, ?)", key, at);
    });
  }

  firstRetiredAt(): number | null {
    return this.#sql.exec<{ at: number | null }>("SELECT min(at) AS at FROM retired").one().at;
  }

  retired(until: number, most: number): string[] {
    const sql = "SELECT key FROM retired WHERE at <= ? ORDER BY at LIMIT ?";
    return [...this.#sql.exec<{ key: string }>(sql, until, most)].map(({ key }) => key);
  }

  forget(keys: readonly string[]): void {
    this.#storage.transactionSync(() => {
      for (const key of keys) this.#sql.exec("DELETE FROM retired WHERE key = ?", key);
    });
  }

  transaction(work: () => void): void {
    this.#storage.transactionSync(work);
  }
}
