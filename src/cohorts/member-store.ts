/** Members of cohorts in SQLite: each bucket of a cohort is a few rows, of one generation, replaced whole. */
import type { CohortIdType } from "../model/cohort.ts";
import { type BucketMembers, bucketOf, findHash } from "./bucket.ts";
import { hashMember } from "./member-hash.ts";
import type { MemberList } from "./merge.ts";

/** A row takes 2 MB; a character of JSON takes up to three bytes, a hash eight. */
const partCharacters = 160 * 1024;
const partMembers = 64 * 1024;

/** A bucket that a writer has made anew. */
export interface FreshBucket {
  bucket: number;
  count: number;
}

export class MemberStore {
  readonly #storage: DurableObjectStorage;
  readonly #sql: SqlStorage;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.#sql = storage.sql;
  }

  /** Forgets what writers of an earlier life have left behind. */
  dropUnfinished(): void {
    this.#sql.exec(
      `DELETE FROM chunk WHERE NOT EXISTS (SELECT 1 FROM bucket WHERE bucket.bucket = chunk.bucket
       AND bucket.cohort = chunk.cohort AND bucket.generation = chunk.generation)`,
    );
  }

  size(cohort: string): number {
    const sql = "SELECT coalesce(sum(count), 0) AS size FROM bucket WHERE cohort = ?";
    return this.#sql.exec<{ size: number }>(sql, cohort).one().size;
  }

  has(cohort: string, idType: CohortIdType, id: string): boolean {
    const hash = new Uint32Array(2);
    hashMember(idType, id, hash, 0);
    const [low = 0, high = 0] = hash;
    const bucket = bucketOf(high);
    const generation = this.generation(cohort, bucket);
    if (generation === null) return false;
    const rows = this.#sql.exec<{ part: number; hashes: ArrayBuffer }>(
      "SELECT part, hashes FROM chunk WHERE cohort = ? AND generation = ? AND bucket = ? ORDER BY part",
      cohort,
      generation,
      bucket,
    );
    for (const { part, hashes } of rows) {
      const at = findHash(new Uint32Array(hashes), high, low);
      if (at >= 0) return this.#idsOfPart(cohort, generation, bucket, part)[at] === id;
    }
    return false;
  }

  /** Null where the cohort has nobody in that bucket. */
  generation(cohort: string, bucket: number): number | null {
    const sql = "SELECT generation FROM bucket WHERE bucket = ? AND cohort = ?";
    return this.#sql.exec<{ generation: number }>(sql, bucket, cohort).toArray()[0]?.generation ?? null;
  }

  /** By bucket; those without a member are left out. */
  generations(cohort: string): { bucket: number; generation: number }[] {
    const sql = "SELECT bucket, generation FROM bucket WHERE cohort = ? ORDER BY bucket";
    return this.#sql.exec<{ bucket: number; generation: number }>(sql, cohort).toArray();
  }

  /** As they were written: one part after the other. */
  read(cohort: string, bucket: number, generation: number): BucketMembers {
    const rows = this.#sql.exec<{ hashes: ArrayBuffer; ids: string }>(
      "SELECT hashes, ids FROM chunk WHERE cohort = ? AND generation = ? AND bucket = ? ORDER BY part",
      cohort,
      generation,
      bucket,
    );
    const parts: ArrayBuffer[] = [];
    const ids: string[] = [];
    for (const row of rows) {
      parts.push(row.hashes);
      for (const id of JSON.parse(row.ids) as string[]) ids.push(id);
    }
    return { words: new Uint32Array(join(parts)), ids };
  }

  /** The hashes alone, in order. */
  readHashes(cohort: string, bucket: number, generation: number): Uint32Array<ArrayBuffer> {
    const rows = this.#sql.exec<{ hashes: ArrayBuffer }>(
      "SELECT hashes FROM chunk WHERE cohort = ? AND generation = ? AND bucket = ? ORDER BY part",
      cohort,
      generation,
      bucket,
    );
    return new Uint32Array(join([...rows].map(({ hashes }) => hashes)));
  }

  /** What all cohorts have in some buckets, by cohort: equal where nothing has changed. */
  contents(from: number, to: number): { cohort: string; bucket: number; generation: number }[] {
    const sql =
      "SELECT cohort, bucket, generation FROM bucket WHERE bucket >= ? AND bucket < ? ORDER BY cohort, bucket";
    return this.#sql.exec<{ cohort: string; bucket: number; generation: number }>(sql, from, to).toArray();
  }

  /** Hashes of `contents`, one list a cohort. */
  lists(contents: ReturnType<MemberStore["contents"]>): MemberList[] {
    const parts = new Map<string, ArrayBuffer[]>();
    for (const { cohort, bucket, generation } of contents) {
      const known = parts.get(cohort) ?? [];
      parts.set(cohort, known);
      known.push(this.readHashes(cohort, bucket, generation).buffer);
    }
    return [...parts].map(([cohort, hashes]) => ({ cohort, hashes: new BigUint64Array(join(hashes)) }));
  }

  /** Appends to a bucket of a generation that is not in use yet, from `part` on; the next part's number. */
  append(cohort: string, bucket: number, generation: number, part: number, { words, ids }: BucketMembers): number {
    let next = part;
    for (let from = 0; from < ids.length; ) {
      let to = from;
      for (let characters = 0; to < ids.length && to - from < partMembers; to++) {
        characters += (ids[to] as string).length + 3;
        if (characters > partCharacters && to > from) break;
      }
      this.#sql.exec(
        "INSERT INTO chunk (cohort, generation, bucket, part, hashes, ids) VALUES (?, ?, ?, ?, ?, ?)",
        cohort,
        generation,
        bucket,
        next++,
        words.slice(from * 2, to * 2).buffer,
        JSON.stringify(ids.slice(from, to)),
      );
      from = to;
    }
    return next;
  }

  /** Takes `fresh` buckets of a generation into use, all at once and together with what `alongside` stores. */
  switchTo(cohort: string, generation: number, fresh: readonly FreshBucket[], alongside: () => void): void {
    this.#storage.transactionSync(() => {
      for (const { bucket, count } of fresh) {
        if (count === 0) this.#sql.exec("DELETE FROM bucket WHERE bucket = ? AND cohort = ?", bucket, cohort);
        else {
          this.#sql.exec(
            "INSERT OR REPLACE INTO bucket (bucket, cohort, generation, count) VALUES (?, ?, ?, ?)",
            bucket,
            cohort,
            generation,
            count,
          );
        }
      }
      alongside();
    });
  }

  /** Deletes what a generation has, in one bucket or in all. */
  dropGeneration(cohort: string, generation: number, bucket?: number): void {
    const where = bucket === undefined ? "" : " AND bucket = ?";
    const values = bucket === undefined ? [] : [bucket];
    this.#sql.exec(`DELETE FROM chunk WHERE cohort = ? AND generation = ?${where}`, cohort, generation, ...values);
  }

  dropCohort(cohort: string): void {
    this.#sql.exec("DELETE FROM bucket WHERE cohort = ?", cohort);
    this.#sql.exec("DELETE FROM chunk WHERE cohort = ?", cohort);
  }

  /** Resolves once everything written so far is on disk: what is written behind is held in memory until then. */
  async flush(): Promise<void> {
    await this.#storage.sync();
  }

  #idsOfPart(cohort: string, generation: number, bucket: number, part: number): string[] {
    const sql = "SELECT ids FROM chunk WHERE cohort = ? AND generation = ? AND bucket = ? AND part = ?";
    return JSON.parse(this.#sql.exec<{ ids: string }>(sql, cohort, generation, bucket, part).one().ids);
  }
}

function join(parts: readonly ArrayBuffer[]): ArrayBuffer {
  if (parts.length === 1) return parts[0] as ArrayBuffer;
  const all = new Uint8Array(parts.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let end = 0;
  for (const part of parts) {
    all.set(new Uint8Array(part), end);
    end += part.byteLength;
  }
  return all.buffer;
}
