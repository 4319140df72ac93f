/**
 * Makes the membership index of the members there are: shard by shard into KV, only those that have changed, and then
 * tells the control plane, which points the snapshot at it. A build that a restart ends goes on where it was.
 */
import { createHash } from "node:crypto";
import type { Job } from "../alarms/alarm.ts";
import { within } from "../alarms/deadline.ts";
import { answerMs, createRetried } from "../alarms/retried.ts";
import { type CohortIndex, cohortShardKey } from "../model/snapshot.ts";
import { bucketCount } from "./bucket.ts";
import type { Build, CohortFacts } from "./facts.ts";
import type { IndexStore, ShardRow } from "./index-store.ts";
import { inLanes } from "./lanes.ts";
import type { MemberStore } from "./member-store.ts";
import { mergeMembers, sliceEntries } from "./merge.ts";
import { encodeShard, shardOf } from "./shard.ts";
import { chooseBits } from "./shard-bits.ts";

/** A turn of the object may make 1,000 requests; other jobs have some to make too. */
const defaultPutsPerTurn = 400;
/** Held in memory together, and put a few at a time: of six connections four may be waiting for sources. */
const putsTogether = 16;
const putsAtOnce = 2;
/** Units that are looked at between two notes of how far it has come. */
const unitsTogether = 64;
/** From the beginning of a build to that of the next: pushes may come in quick succession. */
const betweenBuildsMs = 5_000;
/** While other cohorts are being fetched a build waits for them, but not longer. */
const longestWaitMs = 30_000;
/** The age of members that have not changed is told so late, with that of others. */
const ageDelayMs = 10 * 60_000;
/** Subjects counted to know about how many there are. */
const sampleSubjects = 20_000;

export interface IndexBuilderOptions {
  members: MemberStore;
  index: IndexStore;
  facts: CohortFacts;
  kv: KVNamespace;
  /** The cohorts whose members are known. */
  ready(): CohortIndex["ready"];
  /** Whether more changes are about to come. */
  isBusy(): boolean;
  /** Hands the index over to the control plane; the number of the announcement that is in force then. */
  announce(number: number, index: CohortIndex): Promise<number>;
  now: () => number;
  random: () => number;
  rest(): Promise<void>;
  /** Then the next alarm goes on. */
  putsPerTurn?: number;
}

export interface IndexBuilder extends Job {
  /** Told, together with the change, that the index lacks something: members, or, not `soon`, how old they are. */
  want(soon: boolean): void;
  /** Told, together with the change, that a cohort has lost its members: a build under way must not promise them. */
  drop(cohort: string): void;
}

/** A shard that is to be put. */
interface Pending extends ShardRow {
  bytes: Uint8Array<ArrayBuffer>;
}

export function createIndexBuilder(options: IndexBuilderOptions): IndexBuilder {
  const { members, index, facts, kv, ready, isBusy, announce, now, random, rest } = options;
  const { putsPerTurn = defaultPutsPerTurn } = options;
  const tenant = () => facts.get().tenant ?? "";
  const keyOf = ({ generation, shard }: Pick<ShardRow, "generation" | "shard">) =>
    cohortShardKey(tenant(), generation, shard);

  function wantedAt(): number | null {
    const { building, wantedAt: at = null, builtAt = 0 } = facts.get();
    if (building) return now();
    if (at === null) return null;
    return Math.max(isBusy() ? at + longestWaitMs : at, builtAt + betweenBuildsMs);
  }

  function begin(): Build {
    const { live = null } = facts.get();
    const cohorts = ready();
    const bits = chooseBits(countSubjects(new Set(Object.keys(cohorts))), live?.bits);
    const building = { build: (live?.build ?? 0) + 1, bits, ready: cohorts };
    facts.set({ building, builtAt: now(), wantedAt: null });
    return building;
  }

  /** About how many: of a number of buckets all, of the others as many. */
  function countSubjects(included: ReadonlySet<string>): number {
    let counted = 0;
    for (let bucket = 0; bucket < bucketCount; bucket++) {
      counted += mergeMembers(listsOf(contentsOf(included, bucket, bucket + 1))).set.length;
      if (counted >= sampleSubjects) return (counted * bucketCount) / (bucket + 1);
    }
    return counted;
  }

  function contentsOf(included: ReadonlySet<string>, from: number, to: number) {
    return members.contents(from, to).filter(({ cohort }) => included.has(cohort));
  }
  const listsOf = (contents: ReturnType<typeof contentsOf>) => members.lists(contents);

  /** Whether all shards are there. */
  async function buildShards({ build, bits, ready: cohorts }: Build): Promise<boolean> {
    const { live = null } = facts.get();
    const included = new Set(Object.keys(cohorts));
    if (included.size === 0) return true;
    const before = new Map(live?.bits === bits ? index.shards(live.build).map((row) => [row.shard, row] as const) : []);
    // A unit is whole shards of whole buckets: one bucket of several shards, or several buckets of one.
    const units = 2 ** Math.min(bits, 8);
    const bucketsPerUnit = bucketCount / units;
    const shardsPerUnit = 2 ** bits / units;
    // Never that of an earlier attempt, of which a put may still be on its way; nor, by the clock, of storage that was lost
    // or put back to an earlier point: the edge takes what it has read under a key for good.
    const generation = facts.draw("nextKeyGeneration", { least: Math.floor(now() / 1000) });
    let unit = index.shards(build).length / shardsPerUnit;
    let put = 0;

    while (unit < units && put + shardsPerUnit <= putsPerTurn) {
      const room = Math.min(Math.max(putsTogether, shardsPerUnit), putsPerTurn - put);
      const rows: ShardRow[] = [];
      const pending: Pending[] = [];
      for (
        let looked = 0;
        unit < units && looked < unitsTogether && pending.length + shardsPerUnit <= room;
        looked++, unit++
      ) {
        const contents = contentsOf(included, unit * bucketsPerUnit, (unit + 1) * bucketsPerUnit);
        const inputs = digestOf(JSON.stringify(contents));
        const first = unit * shardsPerUnit;
        const known = Array.from({ length: shardsPerUnit }, (_, at) => before.get(first + at));
        const isSame = known.every((row) => row?.inputs === inputs);
        const made = isSame ? [] : makeShards(contents, { bits, first, count: shardsPerUnit });
        known.forEach((old, at) => {
          const bytes = made[at];
          const digest = bytes === undefined ? (old?.digest ?? "") : digestOf(bytes);
          const row = { shard: first + at, generation: old?.generation ?? generation, digest, inputs };
          if (bytes === undefined || digest === old?.digest) rows.push(row);
          else pending.push({ ...row, generation, bytes });
        });
        await rest();
      }
      const keys = pending.map(keyOf);
      // Noted before: what is put and then forgotten by a power cut is to be deleted.
      if (keys.length > 0) index.retire(keys, now());
      await inLanes(pending, putsAtOnce, async (row) => void (await within(answerMs, kv.put(keyOf(row), row.bytes))));
      put += pending.length;
      const done = pending.map(({ bytes: _, ...row }) => row);
      index.addShards(build, [...rows, ...done], keys);
    }
    return unit === units;
  }

  function makeShards(
    contents: ReturnType<typeof contentsOf>,
    { bits, first, count }: { bits: number; first: number; count: number },
  ): Uint8Array<ArrayBuffer>[] {
    const entries = mergeMembers(listsOf(contents));
    const shards: Uint8Array<ArrayBuffer>[] = [];
    let at = 0;
    for (let shard = first; shard < first + count; shard++) {
      let end = at;
      while (end < entries.set.length && shardOf(entries.hashes[end * 2 + 1] as number, bits) === shard) end++;
      shards.push(encodeShard(sliceEntries(entries, at, end)));
      at = end;
    }
    return shards;
  }

  async function handOver({ build, bits, ready: cohorts }: Build): Promise<void> {
    const isIdle = Object.keys(cohorts).length === 0;
    const generations = isIdle ? [0] : index.shards(build).map(({ generation }) => generation);
    // Each has a number of its own, so that one that was given up on and is heard late changes nothing.
    const number = (facts.get().announced ?? 0) + 1;
    facts.set({ announced: number });
    const inForce = await within(answerMs, announce(number, { bits: isIdle ? 0 : bits, generations, ready: cohorts }));
    if (inForce <= number) return;
    facts.set({ announced: inForce });
    throw new Error(`the control plane has heard announcement ${inForce} already`);
  }

  function settle(building: Build): void {
    const { live = null } = facts.get();
    const current = new Set(index.shards(building.build).map(keyOf));
    const old = live === null ? [] : index.shards(live.build).map(keyOf);
    index.transaction(() => {
      index.retire(
        old.filter((key) => !current.has(key)),
        now(),
      );
      if (live !== null) index.dropBuild(live.build);
      facts.set({ live: building, building: null });
    });
  }

  function want(soon: boolean): void {
    const at = now() + (soon ? 0 : ageDelayMs);
    facts.set({ wantedAt: Math.min(facts.get().wantedAt ?? at, at) });
  }

  const job = createRetried({
    failure: () => ({ message: "index of cohorts not built yet" }),
    wantedAt,
    async work() {
      const building = facts.get().building ?? begin();
      if (!(await buildShards(building))) return;
      const complete = facts.get().building ?? building;
      await handOver(complete);
      settle(complete);
    },
    retry: () => facts.get().indexing ?? null,
    rememberRetry: (indexing) => facts.set({ indexing }),
    now,
    random,
  });
  return {
    ...job,
    want,
    drop(cohort) {
      const { building = null } = facts.get();
      if (building === null || !Object.hasOwn(building.ready, cohort)) return;
      const { [cohort]: _, ...left } = building.ready;
      facts.set({ building: { ...building, ready: left } });
    },
  };
}

function digestOf(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("base64url").slice(0, 22);
}
