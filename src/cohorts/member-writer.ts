/** Takes members in whatever order and number they come, and makes them a cohort's: all of them, or none. */
import type { CohortIdType } from "../model/cohort.ts";
import {
  addMembers,
  type BucketMembers,
  bucketCount,
  bucketOf,
  countChanges,
  nobody,
  removeMembers,
  sortMembers,
} from "./bucket.ts";
import type { CohortFacts } from "./facts.ts";
import { hashMember } from "./member-hash.ts";
import type { FreshBucket, MemberStore } from "./member-store.ts";

/** What becomes of the members there are. */
export type WriteMode = "replace" | "add" | "remove";

/** Of one bucket, then it is stored: 256 such buffers are some 8 MB. */
const bufferedCharacters = 12 * 1024;
/** Members sorted and stored, then others have their turn: some 20 ms. */
const membersAtOnce = 16 * 1024;
/** Characters stored, then the disk is waited for. */
const writtenAtOnce = 4 * 1024 * 1024;

export interface Outcome {
  added: number;
  removed: number;
  size: number;
}

export interface MemberWriter {
  add(ids: readonly string[]): Promise<void>;
  /**
   * @param commit stores what is to be known of the new members, in one transaction with them; where it throws, all
   *   stays as it was
   */
  finish(mode: WriteMode, commit: (outcome: Outcome) => void): Promise<Outcome>;
  /** Leaves all as it was. After `finish` it does nothing. */
  abandon(): void;
}

export interface MemberWriterOptions {
  cohort: string;
  idType: CohortIdType;
  store: MemberStore;
  facts: CohortFacts;
  /** Members that the cohort may have. */
  maxMembers: number;
  /** Lets others have a turn. */
  rest(): Promise<void>;
}

interface Buffer {
  words: number[];
  ids: string[];
  characters: number;
  parts: number;
}

export class TooManyMembers extends Error {}

export function createMemberWriter(options: MemberWriterOptions): MemberWriter {
  const { cohort, idType, store, facts, maxMembers, rest } = options;
  const staged = facts.draw("nextGeneration", { count: 2 });
  const fresh = staged + 1;
  const buffers = Array.from({ length: bucketCount }, (): Buffer => ({ words: [], ids: [], characters: 0, parts: 0 }));
  const hash = new Uint32Array(2);
  let written = 0;
  let sorted = 0;
  let isOver = false;

  function stage(bucket: number, buffer: Buffer): void {
    const members = { words: new Uint32Array(buffer.words), ids: buffer.ids };
    buffer.parts = store.append(cohort, bucket, staged, buffer.parts, members);
    written += buffer.characters;
    buffer.words = [];
    buffer.ids = [];
    buffer.characters = 0;
  }

  function takeStaged(bucket: number): BucketMembers {
    const { words, ids } = buffers[bucket] as Buffer;
    const stored = store.read(cohort, bucket, staged);
    const all = new Uint32Array(stored.words.length + words.length);
    all.set(stored.words);
    all.set(words, stored.words.length);
    for (const id of ids) stored.ids.push(id);
    return sortMembers({ words: all, ids: stored.ids });
  }

  /** Writes what the bucket will be; null when it stays as it is. */
  function makeBucket(bucket: number, mode: WriteMode): { count: number; added: number; removed: number } | null {
    const given = takeStaged(bucket);
    sorted += given.ids.length;
    store.dropGeneration(cohort, staged, bucket);
    if (mode !== "replace" && given.ids.length === 0) return null;
    const generation = store.generation(cohort, bucket);
    const before =
      generation === null
        ? nobody
        : mode === "replace"
          ? { words: store.readHashes(cohort, bucket, generation), ids: [] }
          : store.read(cohort, bucket, generation);
    const after =
      mode === "replace" ? given : mode === "add" ? addMembers(before, given) : removeMembers(before, given);
    const changes = countChanges(before.words, after.words);
    if (changes.added + changes.removed === 0) return null;
    store.append(cohort, bucket, fresh, 0, after);
    for (const id of after.ids) written += id.length + 12;
    sorted += after.ids.length;
    return { ...changes, count: after.ids.length };
  }

  function refuseIfOver(): void {
    if (isOver) throw new Error("the writer is over");
  }

  async function breathe(): Promise<void> {
    if (sorted >= membersAtOnce) {
      sorted = 0;
      await rest();
    }
    if (written >= writtenAtOnce) {
      written = 0;
      await store.flush();
    }
  }

  return {
    async add(ids) {
      refuseIfOver();
      for (const id of ids) {
        hashMember(idType, id, hash, 0);
        const bucket = bucketOf(hash[1] as number);
        const buffer = buffers[bucket] as Buffer;
        buffer.words.push(hash[0] as number, hash[1] as number);
        buffer.ids.push(id);
        buffer.characters += id.length + 12;
        if (buffer.characters > bufferedCharacters) stage(bucket, buffer);
      }
      await breathe();
    },

    async finish(mode, commit) {
      const made: FreshBucket[] = [];
      const outcome: Outcome = { added: 0, removed: 0, size: store.size(cohort) };
      for (let bucket = 0; bucket < bucketCount; bucket++) {
        const change = makeBucket(bucket, mode);
        buffers[bucket] = { words: [], ids: [], characters: 0, parts: 0 };
        if (change !== null) {
          made.push({ bucket, count: change.count });
          outcome.added += change.added;
          outcome.removed += change.removed;
        }
        await breathe();
        refuseIfOver();
      }
      outcome.size += outcome.added - outcome.removed;
      if (outcome.size > maxMembers) throw new TooManyMembers(`${outcome.size} members, more than ${maxMembers}`);
      const replaced = made.map(({ bucket }) => ({ bucket, generation: store.generation(cohort, bucket) }));
      store.switchTo(cohort, fresh, made, () => commit(outcome));
      isOver = true;
      for (const { bucket, generation } of replaced) {
        if (generation !== null) store.dropGeneration(cohort, generation, bucket);
        sorted += outcome.size / bucketCount;
        await breathe();
      }
      return outcome;
    },

    abandon() {
      if (isOver) return;
      isOver = true;
      store.dropGeneration(cohort, staged);
      store.dropGeneration(cohort, fresh);
    },
  };
}
