/** What the sequential test has come to, by experiment: its highest value counts, whenever that was. Kept by the root shard. */

export interface Look {
  /** ln of the Bayes factor: finite. */
  logBayesFactor: number;
  /** What was said of it. */
  verdict: string;
  /** ISO time. */
  at: string;
}

export interface Verdict {
  experiment_id: string;
  highest: number;
  /** Of the latest look. */
  verdict: string;
  at: string;
}

export class VerdictStore {
  readonly #sql: SqlStorage;

  constructor(storage: DurableObjectStorage) {
    this.#sql = storage.sql;
  }

  /** @throws where the value is not finite */
  keep(experiment: string, { logBayesFactor, verdict, at }: Look): { highest: number } {
    if (!Number.isFinite(logBayesFactor)) throw new RangeError("the Bayes factor's logarithm is not finite");
    const [kept] = [
      ...this.#sql.exec<{ highest: number }>(
        `INSERT INTO verdict (experiment, highest, verdict, at) VALUES (?, ?, ?, ?)
         ON CONFLICT (experiment) DO UPDATE SET highest = max(highest, excluded.highest),
           verdict = CASE WHEN excluded.at >= at THEN excluded.verdict ELSE verdict END, at = max(at, excluded.at)
         RETURNING highest`,
        experiment,
        logBayesFactor,
        verdict,
        at,
      ),
    ];
    return { highest: kept?.highest ?? logBayesFactor };
  }

  all(): Verdict[] {
    return [
      ...this.#sql.exec<Verdict & Record<string, SqlStorageValue>>(
        "SELECT experiment AS experiment_id, highest, verdict, at FROM verdict ORDER BY at, experiment",
      ),
    ];
  }
}
