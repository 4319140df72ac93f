/**
 * What one isolate has to assign with: snapshots, cohorts, keys, the circuits before every store. The gate and the fetch
 * APIs share it, so that what one of them has read or seen fail the other knows.
 */
import { createCohortReader } from "../cohorts/lookup.ts";
import { createLimiter } from "../logs/limiter.ts";
import type { CohortIndex } from "../model/snapshot.ts";
import type { CompiledSnapshot } from "../snapshot/compiled.ts";
import { createSnapshotReader, type SnapshotReader } from "../snapshot/reader.ts";
import { createDependencies, type Dependencies, type DependencyName } from "./dependencies.ts";
import { createKeyring, type Keyring, type SigningKey } from "./keyring.ts";
import { createOpenings } from "./openings.ts";
import { BudgetError, isPromise, type Pending, withTimeout } from "./pending.ts";
import { createUnits, type Units } from "./unit.ts";

/** How much of the decision's time may be over when cohorts are given up; the rest is for signing what is decided. */
const cohortShare = 0.7;

export interface SourceBindings {
  SNAPSHOTS: KVNamespace;
}

/** Of a request's context, what keeps work alive after the answer. */
export type Deferring = Pick<ExecutionContext, "waitUntil">;

export interface Subject {
  deviceId: string | null;
  userId: string | null;
}

export interface Sources {
  guard: Dependencies["guard"];
  keyring: Keyring;
  units: Units;
  /** The tenant's snapshot, by the ladder. @throws (by rejecting) when no rung has one. */
  snapshot(tenant: string, bindings: SourceBindings, ctx: Deferring): Pending<CompiledSnapshot | null>;
  /** Whether that is known to be the newest; false while a store is down and the last good one serves. */
  isConfirmed(tenant: string): boolean;
  /**
   * Ids of the cohorts that a subject is in, or why nobody can tell; in good time for the rest of the decision.
   * @param sinceMs when the decision began
   */
  cohorts(
    tenant: string,
    index: CohortIndex,
    subject: Subject,
    sinceMs: number,
    bindings: SourceBindings,
    ctx: Deferring,
  ): Pending<readonly string[] | { failure: string }>;
  /**
   * Circuits that have opened lately, and that this tenant has not been told of: a store is everybody's, a part only of
   * those who use it.
   */
  openedCircuits(tenant: string, parts: readonly string[]): readonly DependencyName[];
  /** For `/_vestibule/health`. */
  health(): { circuits: Record<DependencyName, string>; snapshots: ReturnType<SnapshotReader["held"]> };
}

export interface SourceOptions {
  decisionBudgetMs: number;
  snapshotFreshMs: number;
  cookieKeys: readonly SigningKey[];
  unitKey: Uint8Array<ArrayBuffer> | null;
  now: () => number;
  random: () => number;
}

/** @throws when there is no key to make units with; check `settings.sharedErrors` first. */
export function createSources(options: SourceOptions): Sources {
  const { decisionBudgetMs, snapshotFreshMs, cookieKeys, unitKey, now, random } = options;
  if (!unitKey) throw new Error("no UNIT_KEY: settings with shared errors run no experiment");
  const openings = createOpenings(now);
  const { guard, states } = createDependencies({
    now,
    random,
    slowMs: decisionBudgetMs * 0.8,
    onOpen: openings.add,
  });
  const snapshots = createSnapshotReader({ freshMs: snapshotFreshMs, hedgeMs: decisionBudgetMs / 2, now });
  const cohortReader = createCohortReader({ now });
  const failures = createLimiter(now);

  return {
    guard,
    keyring: createKeyring(cookieKeys, (call) => guard("crypto", call)),
    units: createUnits(unitKey, guard),
    snapshot: (tenant, bindings, ctx) =>
      snapshots.read({
        tenant,
        stores: {
          kv: bindings.SNAPSHOTS,
          // Asked for only when it is needed: the platform may refuse it, and memory needs none.
          get cache() {
            return caches.default;
          },
        },
        guard,
        defer: (work) => ctx.waitUntil(work),
        onFailure(reason) {
          if (failures.admit(tenant)) console.warn(JSON.stringify({ message: "snapshot not read", tenant, reason }));
        },
      }),
    isConfirmed: snapshots.isConfirmed,
    cohorts(tenant, index, subject, sinceMs, bindings, ctx) {
      const lookup = { ...subject, tenant, index, kv: bindings.SNAPSHOTS, guard };
      const found = cohortReader.read({ ...lookup, defer: (work) => ctx.waitUntil(work) });
      if (!isPromise(found)) return found;
      const leftMs = Math.max(0, decisionBudgetMs * cohortShare - (now() - sinceMs));
      return Promise.resolve(withTimeout(found, leftMs)).catch((error) => ({
        failure: error instanceof BudgetError ? "not read in time" : messageOf(error),
      }));
    },
    openedCircuits: openings.take,
    health: () => ({ circuits: states(), snapshots: snapshots.held() }),
  };
}

/** What was thrown, in words short enough for a log. */
export function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 200);
}
