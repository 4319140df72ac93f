/** Into how many shards each experiment is divided: what was set when its first event came, for ever. Kept by the root shard. */
export class LayoutStore {
  readonly #sql: SqlStorage;

  constructor(storage: DurableObjectStorage) {
    this.#sql = storage.sql;
  }

  of(experiment: string): number | undefined {
    const [row] = [...this.#sql.exec<{ shards: number }>("SELECT shards FROM layout WHERE experiment = ?", experiment)];
    return row?.shards;
  }

  /** @param shards of those that have none yet */
  fix(experiments: readonly string[], shards: number): Record<string, number> {
    const list = JSON.stringify(experiments);
    this.#sql.exec(
      `INSERT INTO layout (experiment, shards) SELECT value, ? FROM json_each(?) WHERE true ON CONFLICT DO NOTHING`,
      shards,
      list,
    );
    const rows = this.#sql.exec<{ experiment: string; shards: number }>(
      "SELECT experiment, shards FROM layout WHERE experiment IN (SELECT value FROM json_each(?))",
      list,
    );
    return Object.fromEntries([...rows].map(({ experiment, shards: fixed }) => [experiment, fixed]));
  }

  /** Of all experiments, the most; 0 when there is none. */
  most(): number {
    return this.#sql.exec<{ most: number | null }>("SELECT max(shards) AS most FROM layout").one().most ?? 0;
  }
}
