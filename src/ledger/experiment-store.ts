/** The experiments that a shard has counted something of, and their tallies. */
import { isAttributePart } from "./contribution.ts";
import { readPart, Tallies, writePart } from "./tallies.ts";

export interface Experiment {
  no: number;
  id: string;
  /** Into how many shards its units are divided: what was set at its first event. */
  shards: number;
  /** Under which its units stand; another one once they have been dropped for their age. */
  rows: number;
  /** How many those are. */
  units: number;
  /** Of the slice of units that is kept: one in 2^`halvings`. */
  halvings: number;
  /** The unit up to which those outside of the slice have been dropped; null when all have. */
  swept: string | null;
  /** In minutes since the epoch: units first assigned since are told apart by minute. */
  fresh_from: number;
  /** Of its latest event, in ms since the epoch. */
  last_at: number;
  /** Of its latest event that is not of a forced visit; 0 before the first. */
  last_counted_at: number;
}

type Row = Experiment & Record<string, SqlStorageValue>;

/** Held in memory, of each shard; the rest is a read away. */
const mostHeld = 16;

export class ExperimentStore {
  readonly #sql: SqlStorage;
  readonly #held = new Map<string, { experiment: Experiment; tallies: Tallies }>();

  constructor(storage: DurableObjectStorage) {
    this.#sql = storage.sql;
  }

  /** To be changed in a transaction, and saved in it. */
  get(id: string): { experiment: Experiment; tallies: Tallies } | undefined {
    const held = this.#held.get(id);
    if (held !== undefined) return held;
    const [experiment] = [...this.#sql.exec<Row>("SELECT * FROM experiment WHERE id = ?", id)];
    return experiment && this.#hold(experiment);
  }

  create(id: string, shards: number, freshFrom: number): { experiment: Experiment; tallies: Tallies } {
    const experiment = this.#sql
      .exec<Row>(
        `INSERT INTO experiment (id, shards, rows, units, halvings, fresh_from, last_at)
         VALUES (?, ?, ?, 0, 0, ?, 0) RETURNING *`,
        id,
        shards,
        this.nextRows(),
        freshFrom,
      )
      .one();
    return this.#hold(experiment);
  }

  /** A number that no rows stand under. */
  nextRows(): number {
    return this.#sql
      .exec<{ next: number }>(
        `SELECT 1 + max(coalesce((SELECT max(rows) FROM experiment), 0), coalesce((SELECT max(rows) FROM dropped), 0))
         AS next`,
      )
      .one().next;
  }

  all(): Experiment[] {
    return [...this.#sql.exec<Row>("SELECT * FROM experiment ORDER BY no")];
  }

  save({ experiment, tallies }: { experiment: Experiment; tallies: Tallies }): void {
    const { no, rows, units, halvings, swept, fresh_from, last_at, last_counted_at } = experiment;
    this.#sql.exec(
      `UPDATE experiment SET rows = ?, units = ?, halvings = ?, swept = ?, fresh_from = ?, last_at = ?,
         last_counted_at = ? WHERE no = ?`,
      rows,
      units,
      halvings,
      swept,
      fresh_from,
      last_at,
      last_counted_at,
      no,
    );
    for (const part of tallies.changed) {
      const body = writePart(tallies.part(part), isAttributePart(part));
      // What was taken away and added again has changed nothing.
      if (tallies.stored.get(part) === body) continue;
      tallies.stored.set(part, body);
      this.#sql.exec(
        "INSERT INTO tally (experiment, part, body) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET body = excluded.body",
        no,
        part,
        body,
      );
    }
    tallies.changed.clear();
  }

  /** All that was counted, in memory. */
  loadAll(id: string): { experiment: Experiment; tallies: Tallies } | undefined {
    const held = this.get(id);
    if (held === undefined) return undefined;
    const parts = this.#sql.exec<{ part: string }>("SELECT part FROM tally WHERE experiment = ?", held.experiment.no);
    for (const { part } of parts) held.tallies.part(part);
    return held;
  }

  /** What is in memory may not be what is stored: a transaction has failed. */
  forget(): void {
    this.#held.clear();
  }

  #hold(experiment: Experiment): { experiment: Experiment; tallies: Tallies } {
    const tallies = new Tallies((part) => {
      const [row] = [
        ...this.#sql.exec<{ body: string }>(
          "SELECT body FROM tally WHERE experiment = ? AND part = ?",
          experiment.no,
          part,
        ),
      ];
      if (row === undefined) return new Map();
      tallies.stored.set(part, row.body);
      return readPart(row.body);
    });
    const held = { experiment, tallies };
    // The one that has been here longest goes; it has been saved.
    if (this.#held.size >= mostHeld) this.#held.delete(this.#held.keys().next().value ?? "");
    this.#held.set(experiment.id, held);
    return held;
  }
}
