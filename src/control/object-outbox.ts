/** Brings what is committed to another object of the tenant that goes by it: at once, and again until it has heard. */
import type { Job } from "../alarms/alarm.ts";
import { within } from "../alarms/deadline.ts";
import { answerMs, createRetried } from "../alarms/retried.ts";
import { guardAfter } from "./guard.ts";
import type { Facts } from "./store.ts";

export interface ObjectOutboxOptions {
  /** Said on the console of a failed attempt. */
  failure: string;
  /** Names of the facts that tell how far it has heard. */
  revision: "cohortRevision" | "streamRevision";
  synced: "cohortsSynced" | "streamsSynced";
  retry: "syncing" | "streaming";
  /** Tells all there is; answers the revision that is in force then. */
  tell(tenant: string, revision: number): Promise<number>;
  facts(): Partial<Facts>;
  remember(facts: Partial<Facts>): void;
  now: () => number;
  random: () => number;
}

export function createObjectOutbox(options: ObjectOutboxOptions): Job {
  const { failure, revision: counted, synced, retry, tell, facts, remember, now, random } = options;
  const isPending = () => (facts()[counted] ?? 0) > (facts()[synced] ?? 0);

  return createRetried({
    failure: () => ({ message: failure, tenant: facts().tenant }),
    wantedAt: () => (isPending() ? guardAfter(facts()) : null),
    async work() {
      while (isPending()) {
        const { tenant = "", [counted]: revision = 0 } = facts();
        const inForce = await within(answerMs, tell(tenant, revision));
        // One of an object that was restored from an earlier point has been overtaken by what it said before.
        remember(inForce > revision ? { [counted]: inForce + 1 } : { [synced]: revision });
      }
    },
    retry: () => facts()[retry] ?? null,
    rememberRetry: (attempt) => remember({ [retry]: attempt }),
    now,
    random,
  });
}
