/** Brings what is committed of cohorts to the object that fetches them: at once, and again until it has heard. */
import type { Job } from "../alarms/alarm.ts";
import { within } from "../alarms/deadline.ts";
import { answerMs, createRetried } from "../alarms/retried.ts";
import type { CohortDefinition } from "../model/cohort.ts";
import { guardAfter } from "./guard.ts";
import type { Facts } from "./store.ts";
import type { Tables } from "./tables.ts";

export interface CohortDefinitions {
  tenant: string;
  /** Counts up: what is heard late, after a later one, is not believed. */
  revision: number;
  /** All that the tenant has: what is not among them is no more. */
  cohorts: CohortDefinition[];
}

export interface CohortOutboxOptions {
  /** Answers the revision that is in force then. */
  sync(told: CohortDefinitions): Promise<number>;
  tables(): Tables;
  facts(): Partial<Facts>;
  remember(facts: Partial<Facts>): void;
  now: () => number;
  random: () => number;
}

export function createCohortOutbox(options: CohortOutboxOptions): Job {
  const { sync, tables, facts, remember, now, random } = options;

  function isPending(): boolean {
    const { cohortRevision = 0, cohortsSynced = 0 } = facts();
    return cohortRevision > cohortsSynced;
  }

  function definitions(): CohortDefinition[] {
    const { cohort, secret } = tables();
    return [...cohort.values()].map(({ item }) => {
      const credentials = secret.get(item.id)?.item.credentials;
      return { ...item, ...(credentials === undefined ? {} : { credentials }) };
    });
  }

  return createRetried({
    failure: () => ({ message: "cohorts not told of yet", tenant: facts().tenant }),
    wantedAt: () => (isPending() ? guardAfter(facts()) : null),
    async work() {
      while (isPending()) {
        const { tenant = "", cohortRevision: revision = 0 } = facts();
        const inForce = await within(answerMs, sync({ tenant, revision, cohorts: definitions() }));
        // One of an object that was restored from an earlier point has been overtaken by what it said before.
        remember(inForce > revision ? { cohortRevision: inForce + 1 } : { cohortsSynced: revision });
      }
    },
    retry: () => facts().syncing ?? null,
    rememberRetry: (syncing) => remember({ syncing }),
    now,
    random,
  });
}
