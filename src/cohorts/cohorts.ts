/** The cohorts of one tenant: their members, refreshed every hour, and the index of them. */
import { DurableObject } from "cloudflare:workers";
import { parseAllowedHosts } from "../model/allowed-hosts.ts";
import type { CohortStatus } from "../model/cohort.ts";
import type { CohortIndex } from "../model/snapshot.ts";
import { createKeeper, type Keeper, type Subject, type Sync } from "./keeper.ts";
import type { MemberListing } from "./member-list.ts";
import type { Push, PushAnswer } from "./pusher.ts";
import { sourceLimits } from "./source/source-limits.ts";

export interface CohortsEnv {
  SNAPSHOTS: KVNamespace;
  EVENTS: Queue;
  CONTROL: DurableObjectNamespace;
  COHORT_HOSTS?: string;
}

/** What this object asks of the tenant's control plane. */
interface ControlPlane {
  setCohortIndex(build: number, index: CohortIndex): Promise<number>;
}

export class Cohorts extends DurableObject<CohortsEnv> {
  readonly #keeper: Keeper;

  constructor(ctx: DurableObjectState, env: CohortsEnv) {
    super(ctx, env);
    this.#keeper = createKeeper({
      storage: ctx.storage,
      kv: env.SNAPSHOTS,
      queue: env.EVENTS,
      announce: (tenant, number, index) => controlPlaneOf(env, tenant).setCohortIndex(number, index),
      fetch: (url, init) => fetch(url, init),
      allowed: parseAllowedHosts(env.COHORT_HOSTS ?? "").allowed,
      limits: sourceLimits,
      now: Date.now,
      random: Math.random,
    });
  }

  async sync(sync: Sync): Promise<number> {
    return this.#keeper.sync(sync);
  }

  async refresh(id: string): Promise<CohortStatus | null> {
    return this.#keeper.refresh(id);
  }

  async status(): Promise<Record<string, CohortStatus>> {
    return this.#keeper.status();
  }

  async find(id: string, memberId: string): Promise<boolean | null> {
    return this.#keeper.find(id, memberId);
  }

  async memberships(subject: Subject): Promise<string[]> {
    return this.#keeper.memberships(subject);
  }

  async push(push: Push): Promise<PushAnswer> {
    return this.#keeper.push(push);
  }

  async list(id: string): Promise<MemberListing | null> {
    return this.#keeper.list(id);
  }

  async wake(): Promise<void> {
    this.#keeper.wake();
  }

  override async alarm(): Promise<void> {
    await this.#keeper.ring();
  }
}

function controlPlaneOf({ CONTROL }: CohortsEnv, tenant: string): ControlPlane {
  return CONTROL.get(CONTROL.idFromName(tenant)) as unknown as ControlPlane;
}
