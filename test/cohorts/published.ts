/** An index of cohorts' members, put into KV as it is published: support for tests. */
import { hashMember } from "../../src/cohorts/member-hash.ts";
import { mergeMembers, sliceEntries, unite } from "../../src/cohorts/merge.ts";
import { encodeShard, shardOf } from "../../src/cohorts/shard.ts";
import type { CohortIdType } from "../../src/model/cohort.ts";
import { type CohortIndex, cohortShardKey } from "../../src/model/snapshot.ts";

export interface PublishedCohort {
  type: CohortIdType;
  members: readonly string[];
}

function hashesOf({ type, members }: PublishedCohort): BigUint64Array {
  const words = new Uint32Array(members.length * 2);
  members.forEach((id, place) => {
    hashMember(type, id, words, place * 2);
  });
  return unite([new BigUint64Array(words.buffer), new BigUint64Array()]);
}

export const shardOfMember = (type: CohortIdType, id: string, bits: number): number => {
  const words = new Uint32Array(2);
  hashMember(type, id, words, 0);
  return shardOf(words[1] as number, bits);
};

/** Writes every shard under `generation`, and says where. @param cohorts by id */
export async function publishIndex(
  kv: KVNamespace,
  cohorts: Readonly<Record<string, PublishedCohort>>,
  { tenant = "acme", bits = 2, generation = 1 } = {},
): Promise<CohortIndex> {
  const entries = mergeMembers(
    Object.entries(cohorts).map(([cohort, published]) => ({ cohort, hashes: hashesOf(published) })),
  );
  const generations = Array<number>(2 ** bits).fill(generation);
  let start = 0;
  for (const shard of generations.keys()) {
    let end = start;
    while (end < entries.set.length && shardOf(entries.hashes[end * 2 + 1] as number, bits) === shard) end++;
    await kv.put(cohortShardKey(tenant, generation, shard), encodeShard(sliceEntries(entries, start, end)));
    start = end;
  }
  const ready = Object.entries(cohorts).map(([id, { type, members }]) => [
    id,
    { id_type: type, size: members.length, refreshed_at: "2025-01-31T12:00:00.000Z" },
  ]);
  return { bits, generations, ready: Object.fromEntries(ready) };
}
