/** Everything about one tenant's cohorts, on one storage: their members, when these are fetched, and the index of them. */
import { createAlarm } from "../alarms/alarm.ts";
import { atMost } from "../alarms/deadline.ts";
import type { CohortDefinition, CohortStatus } from "../model/cohort.ts";
import type { CohortIndex } from "../model/snapshot.ts";
import { CohortStore, type Progress } from "./cohort-store.ts";
import { CohortFacts } from "./facts.ts";
import { createIndexBuilder } from "./index-builder.ts";
import { IndexStore } from "./index-store.ts";
import { createKeySweeper } from "./key-sweeper.ts";
import { createMemberStream, type MemberListing } from "./member-list.ts";
import { MemberStore } from "./member-store.ts";
import { createMemberWriter } from "./member-writer.ts";
import { createOverdueWatch } from "./overdue.ts";
import { createPusher, type Push, type PushAnswer } from "./pusher.ts";
import { createRefresher } from "./refresher.ts";
import type { SourceLimits } from "./source/source-limits.ts";
import { createSourceOpener } from "./source-opener.ts";
import { afterSuccess, iso } from "./timing.ts";

export interface KeeperOptions {
  storage: DurableObjectStorage;
  kv: KVNamespace;
  queue: Queue;
  /** Hands an index over to the control plane of a tenant; the number of the announcement that is in force then. */
  announce(tenant: string, number: number, index: CohortIndex): Promise<number>;
  fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** Hosts that cohorts may be fetched from, of `parseAllowedHosts`. */
  allowed: readonly string[];
  limits: SourceLimits;
  now: () => number;
  random: () => number;
}

export interface Sync {
  tenant: string;
  /** Counts up: what says less than was heard already is out of date. */
  revision: number;
  /** All that the tenant has. */
  cohorts: readonly CohortDefinition[];
}

export interface Subject {
  device_id: string | null;
  user_id: string | null;
}

/** How long one who asks for a refresh waits for its end. */
const patienceMs = 2_000;

const rest = () => new Promise<void>((resolve) => setTimeout(resolve, 0));

export function createKeeper(options: KeeperOptions) {
  const { storage, kv, queue, announce, now, random, limits } = options;
  const facts = new CohortFacts(storage);
  const cohorts = new CohortStore(storage);
  const members = new MemberStore(storage);
  const index = new IndexStore(storage);
  members.dropUnfinished();

  const createWriter = ({ id, id_type }: CohortDefinition) =>
    createMemberWriter({ cohort: id, idType: id_type, store: members, facts, maxMembers: limits.members, rest });
  const refresher = createRefresher({
    cohorts,
    openSource: createSourceOpener(options),
    createWriter,
    onRefreshed: (_, changed) => builder.want(changed),
    onEnded: () => alarm.arm(),
    now,
    random,
  });
  const pusher = createPusher({
    cohorts,
    createWriter,
    onPushed(changed) {
      builder.want(changed);
      alarm.arm();
    },
    limits,
    now,
  });
  const builder = createIndexBuilder({
    members,
    index,
    facts,
    kv,
    ready: readyCohorts,
    isBusy: refresher.isBusy,
    announce: (number, made) => announce(facts.get().tenant ?? "", number, made),
    now,
    random,
    rest,
  });
  const alarm = createAlarm({
    storage,
    jobs: [
      refresher,
      builder,
      createKeySweeper({ index, facts, kv, now, random }),
      createOverdueWatch({ cohorts, facts, queue, now, random }),
    ],
    now,
    failure: "cohorts: a job has failed",
  });
  void alarm.rearm();

  function readyCohorts(): CohortIndex["ready"] {
    return Object.fromEntries(
      cohorts.all().flatMap(({ definition: { id, id_type }, progress: { status } }) => {
        const { size, refreshed_at } = status;
        return refreshed_at === null ? [] : [[id, { id_type, size, refreshed_at }]];
      }),
    );
  }

  function forgetMembers(id: string): void {
    members.dropCohort(id);
    builder.drop(id);
    builder.want(true);
  }

  /** Stores a definition; whether a refresh under way is void by it. */
  function place(definition: CohortDefinition): boolean {
    const { id, refresh_minutes } = definition;
    const known = cohorts.get(id);
    if (known === undefined || known.definition.id_type !== definition.id_type) {
      if (known !== undefined) forgetMembers(id);
      cohorts.define(definition, newProgress(definition, now()));
      return known !== undefined;
    }
    if (JSON.stringify(known.definition) === JSON.stringify(definition)) return false;
    const { progress } = known;
    if (sourceOf(known.definition) !== sourceOf(definition)) {
      const { status } = newProgress(definition, now());
      const { size, refreshed_at, added, removed } = progress.status;
      const state = refreshed_at === null ? "never" : "ok";
      const kept = { ...status, state, size, refreshed_at, added, removed } as const;
      cohorts.define(definition, { ...progress, validators: null, status: kept });
      return true;
    }
    const { next_attempt_at, last_attempt_at, failures } = progress.status;
    cohorts.define(definition, progress);
    if (refresh_minutes !== known.definition.refresh_minutes && next_attempt_at !== null) {
      const scheduled = afterSuccess(Date.parse(last_attempt_at ?? "") || now(), refresh_minutes);
      const next = failures > 0 ? Math.min(Date.parse(next_attempt_at), scheduled) : scheduled;
      cohorts.note(id, { status: { next_attempt_at: iso(next) } });
    }
    return false;
  }

  return {
    /**
     * Takes what the tenant's cohorts are from now on. Repeating it changes nothing.
     * @returns the revision that is in force: a higher one than was given when that had been overtaken already
     */
    sync({ tenant, revision, cohorts: definitions }: Sync): number {
      const { revision: known = 0 } = facts.get();
      if (revision < known) return known;
      const wanted = new Set(definitions.map(({ id }) => id));
      const gone = cohorts.all().filter(({ definition: { id } }) => !wanted.has(id));
      const voided = gone.map(({ definition: { id } }) => id);
      storage.transactionSync(() => {
        if (facts.get().tenant !== tenant || revision !== known) facts.set({ tenant, revision });
        for (const id of voided) {
          cohorts.remove(id);
          forgetMembers(id);
        }
        for (const definition of definitions) if (place(definition)) voided.push(definition.id);
      });
      for (const id of voided) refresher.cancel(id);
      alarm.start();
      return revision;
    },

    /** Fetches a cohort now; its status when that is over, or still under way after a while. Null when there is none. */
    async refresh(id: string): Promise<CohortStatus | null> {
      const ended = refresher.refresh(id);
      alarm.arm();
      await atMost(patienceMs, ended);
      return cohorts.get(id)?.progress.status ?? null;
    },

    status(): Record<string, CohortStatus> {
      return Object.fromEntries(cohorts.all().map(({ definition, progress }) => [definition.id, progress.status]));
    },

    /** Whether `memberId` is in the cohort, whatever the index says by now; null when there is no such cohort. */
    find(id: string, memberId: string): boolean | null {
      const definition = cohorts.get(id)?.definition;
      return definition === undefined ? null : members.has(id, definition.id_type, memberId);
    },

    /** Ids of the cohorts that a subject is in, whatever the index says by now. */
    memberships(subject: Subject): string[] {
      return cohorts.all().flatMap(({ definition: { id, id_type } }) => {
        const memberId = subject[`${id_type}_id`];
        return memberId !== null && members.has(id, id_type, memberId) ? [id] : [];
      });
    },

    push(push: Push): Promise<PushAnswer> {
      return pusher.push(push);
    },

    /** Null when there is no such cohort, or it has never had members. */
    list(id: string): MemberListing | null {
      const record = cohorts.get(id);
      if (record === undefined || record.progress.changedAt === null) return null;
      const lastModified = record.progress.changedAt;
      const { size } = record.progress.status;
      const { definition } = record;
      return { size, lastModified, body: createMemberStream(members, { definition, size, lastModified }) };
    },

    /** Does what is due, alarm or no alarm. */
    wake(): void {
      alarm.start();
    },

    ring: () => alarm.ring(),
  };
}

export type Keeper = ReturnType<typeof createKeeper>;

/** What the members depend on. */
const sourceOf = ({ source, credentials }: CohortDefinition) => JSON.stringify([source, credentials]);

function newProgress({ source }: CohortDefinition, now: number): Progress {
  return {
    status: {
      state: "never",
      size: 0,
      refreshed_at: null,
      last_attempt_at: null,
      added: 0,
      removed: 0,
      skipped: 0,
      error: null,
      failures: 0,
      next_attempt_at: source.type === "url" ? iso(now) : null,
    },
    validators: null,
    changedAt: null,
    knownSince: iso(now),
    overdue: null,
  };
}
