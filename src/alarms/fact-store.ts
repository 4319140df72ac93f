/** An object's single values that outlive a restart, and the layout of its tables, brought up to date. */

export interface SchemaFact {
  /** How many migrations have been made. */
  schema: number;
}

export class FactStore<Facts extends SchemaFact> {
  readonly #sql: SqlStorage;
  #facts: Partial<Facts>;

  /**
   * @param migrations each brings the layout from one schema version to the next; what has been released is never changed
   * @throws when the layout is of a newer Vestibule than this one
   */
  constructor(storage: DurableObjectStorage, migrations: readonly string[]) {
    this.#sql = storage.sql;
    this.#sql.exec("CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID");
    const rows = this.#sql.exec<{ name: string; value: string }>("SELECT name, value FROM fact");
    this.#facts = Object.fromEntries([...rows].map(({ name, value }) => [name, JSON.parse(value)])) as Partial<Facts>;
    const { schema = 0 } = this.#facts;
    if (schema > migrations.length) {
      throw new Error(`storage has schema version ${schema}; this release knows ${migrations.length} at most`);
    }
    if (schema === migrations.length) return;
    storage.transactionSync(() => {
      for (const migration of migrations.slice(schema)) this.#sql.exec(migration);
      this.set({ schema: migrations.length } as Partial<Facts>);
    });
  }

  get(): Readonly<Partial<Facts>> {
    return this.#facts;
  }

  set(facts: Partial<Facts>): void {
    for (const [name, value] of Object.entries(facts)) {
      this.#sql.exec("INSERT OR REPLACE INTO fact (name, value) VALUES (?, ?)", name, JSON.stringify(value));
    }
    this.#facts = { ...this.#facts, ...facts };
  }
}
