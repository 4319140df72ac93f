/**
 * What the fetch APIs have in common, whatever they speak: whose key it is, what may be given for it, who is told of it
 * afterwards. A key decides the tenant, the type of client and the flags.
 */
import { base64url } from "jose";
import { createMemo } from "../../assignment/memo.ts";
import { after, BudgetError, isPromise, type Pending, withTimeout } from "../../assignment/pending.ts";
import { type Served, type ServeInput, serve, servesByCohorts } from "../../assignment/serve.ts";
import {
  type Deferring,
  messageOf,
  type SourceBindings,
  type Sources,
  type Subject,
} from "../../assignment/sources.ts";
import { createRateLimiter, type Rate } from "../../control/rate-limit.ts";
import type { Tenant } from "../../model/tenant.ts";
import { forApps } from "../../snapshot/any-case.ts";
import type { CompiledSnapshot } from "../../snapshot/compiled.ts";
import { type CompiledDeployment, deploymentsOf } from "../../snapshot/deployments.ts";

/** A client that may fetch. */
export interface Client {
  tenant: Tenant;
  deployment: CompiledDeployment;
  snapshot: CompiledSnapshot;
  /** Whether the snapshot is the newest, as far as is known; false while a store is down and the last good one serves. */
  isConfirmed: boolean;
}

/** Says so in the answer where the last good snapshot serves, or nothing. */
export function staleness({ isConfirmed }: Pick<Client, "isConfirmed">): Record<string, string> {
  return isConfirmed ? {} : { "x-vestibule-stale": "true" };
}

/** Why nothing is given. `unavailable`: no snapshot can be read, so that nobody knows. */
export type Refusal =
  | { refused: "unknown_key" | "not_entitled" | "unavailable" }
  | { refused: "too_many_requests"; rate: Rate };

export interface ServingBindings extends SourceBindings {
  EVENTS: Queue;
  COHORTS: DurableObjectNamespace;
}

export interface Visit {
  /** Whose keys are looked among. */
  tenants: readonly Tenant[];
  bindings: ServingBindings;
  ctx: Deferring;
}

export interface Desk {
  /** Never throws nor rejects. At once where all is in memory. */
  admit(key: string | null, visit: Visit): Pending<Client | Refusal>;
  /** As `serve`, once it is known which cohorts the user is in. Never throws nor rejects for want of a store. */
  answer(client: Client, asked: Asked, visit: Visit): Promise<Served>;
}

export interface Asked extends Omit<ServeInput, "snapshot" | "cohortIds"> {
  subject: Subject;
}

export interface DeskOptions {
  sources: Sources;
  /** Requests a second of one key in one isolate, in the long run; ten times as many at once. */
  ratePerSecond: number;
  /** What a decision may take, reading included. */
  budgetMs: number;
  now: () => number;
}

const burstSeconds = 10;
const encoder = new TextEncoder();

export function createDesk({ sources, ratePerSecond, budgetMs, now }: DeskOptions): Desk {
  const limiter = createRateLimiter({ perSecond: ratePerSecond, burst: ratePerSecond * burstSeconds }, now);
  const hashes = createMemo<string>(1_024);

  function hashOf(key: string): Pending<string> {
    const known = hashes.get(key);
    if (known !== undefined) return known;
    const digest = sources.guard("crypto", () => crypto.subtle.digest("SHA-256", encoder.encode(key)));
    return digest.then((bytes) => {
      const hash = base64url.encode(new Uint8Array(bytes));
      hashes.set(key, hash);
      return hash;
    });
  }

  /** The client whose key has this hash; undefined when it is none of this tenant's. @throws when nobody can tell. */
  function findClient(hash: string, tenant: Tenant, { bindings, ctx }: Visit): Pending<Client | undefined> {
    return after(withTimeout(sources.snapshot(tenant.id, bindings, ctx), budgetMs), (published) => {
      const deployment = published && deploymentsOf(published).get(hash);
      if (!deployment) return undefined;
      return { tenant, deployment, snapshot: forApps(published), isConfirmed: sources.isConfirmed(tenant.id) };
    });
  }

  /** As `findClient`, but what fails is told; at once where memory has the snapshot. */
  function lookFor(hash: string, tenant: Tenant, visit: Visit): Pending<Found> {
    try {
      const client = findClient(hash, tenant, visit);
      return isPromise(client) ? client.catch(() => "untold" as const) : client;
    } catch {
      return "untold";
    }
  }

  function admitHashed(hash: string, visit: Visit): Pending<Client | Refusal> {
    const rate = limiter.take(hash);
    if (rate.isExceeded) return { refused: "too_many_requests", rate };
    const found = visit.tenants.map((tenant) => lookFor(hash, tenant, visit));
    return after(found.some(isPromise) ? Promise.all(found) : (found as Found[]), firstOf);
  }

  return {
    admit(key, visit) {
      if (key === null) return { refused: "unknown_key" };
      const hash = hashOf(key);
      if (!isPromise(hash)) return admitHashed(hash, visit);
      return Promise.resolve(withTimeout(hash, budgetMs)).then(
        (hash) => admitHashed(hash, visit),
        (error) => {
          logFault("a deployment key cannot be hashed", error);
          return { refused: "unavailable" } as const;
        },
      );
    },

    async answer({ tenant, snapshot }, { subject, ...asked }, { bindings, ctx }) {
      const input = { ...asked, snapshot };
      if (snapshot.cohorts === null || !servesByCohorts(input)) return serve(input);
      const sinceMs = now();
      try {
        const read = sources.cohorts(tenant.id, snapshot.cohorts, subject, sinceMs, bindings, ctx);
        const found = await withTimeout(read, budgetMs);
        return serve({ ...input, cohortIds: "failure" in found ? null : found });
      } catch (error) {
        if (!(error instanceof BudgetError)) logFault("cohorts cannot be looked up", error);
        return serve({ ...input, cohortIds: null });
      }
    },
  };
}

/** Of one tenant: the client that its key is, none, or nobody can tell. */
type Found = Client | undefined | "untold";

/** A tenant of whom nobody can tell might have been the one. */
function firstOf(found: readonly Found[]): Client | Refusal {
  const client = found.find((each) => typeof each === "object");
  if (client !== undefined) return client.tenant.entitled ? client : { refused: "not_entitled" };
  return { refused: found.includes("untold") ? "unavailable" : "unknown_key" };
}

function logFault(message: string, error: unknown): void {
  console.error(JSON.stringify({ message, reason: messageOf(error) }));
}
