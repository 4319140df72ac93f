/** Deletes shards from KV that no snapshot has pointed at for an hour: until then, somewhere it may still be read. */
import type { Job } from "../alarms/alarm.ts";
import { within } from "../alarms/deadline.ts";
import { answerMs, createRetried } from "../alarms/retried.ts";
import { cohortShardKey, snapshotKey } from "../model/snapshot.ts";
import type { CohortFacts } from "./facts.ts";
import type { IndexStore } from "./index-store.ts";
import { inLanes } from "./lanes.ts";

const keptMs = 60 * 60_000;
const deletesPerTurn = 400;
const deletesAtOnce = 2;

export interface KeySweeperOptions {
  index: IndexStore;
  facts: CohortFacts;
  kv: KVNamespace;
  now: () => number;
  random: () => number;
}

export function createKeySweeper({ index, facts, kv, now, random }: KeySweeperOptions): Job {
  const tenant = () => facts.get().tenant ?? "";

  /** What the control plane was told of last may not be published yet, and KV may hold what it was told before. */
  async function published(): Promise<ReadonlySet<string>> {
    const snapshot = await within(
      answerMs,
      kv.get<{ cohorts?: { generations?: number[] } }>(snapshotKey(tenant()), { type: "json" }),
    );
    const generations = snapshot?.cohorts?.generations ?? [];
    return new Set(generations.map((generation, shard) => cohortShardKey(tenant(), generation, shard)));
  }

  return createRetried({
    failure: () => ({ message: "shards of the index of cohorts not deleted yet" }),
    wantedAt() {
      const first = index.firstRetiredAt();
      return first === null ? null : first + keptMs;
    },
    async work() {
      const keys = index.retired(now() - keptMs, deletesPerTurn);
      if (keys.length === 0) return;
      const inUse = await published();
      index.retire(
        keys.filter((key) => inUse.has(key)),
        now(),
      );
      const gone = keys.filter((key) => !inUse.has(key));
      await inLanes(gone, deletesAtOnce, (key) => within(answerMs, kv.delete(key)));
      index.forget(gone);
    },
    retry: () => facts.get().sweeping ?? null,
    rememberRetry: (sweeping) => facts.set({ sweeping }),
    now,
    random,
  });
}
