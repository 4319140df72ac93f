/** The Worker of the management API, with report and diagnosis; and of what is looked after on time. */
import { RpcTarget, WorkerEntrypoint } from "cloudflare:workers";
import { type Management as Api, createManagement } from "../api/management/app.ts";
import type { ManagementBindings } from "../api/management/step.ts";
import type { Cohorts } from "../cohorts/cohorts.ts";
import type { Control } from "../control/control.ts";
import { sourcesOf } from "../diagnosis/sources.ts";
import { watchExperiments } from "../diagnosis/watch.ts";
import { Problem } from "../model/problem.ts";
import type { Tenant } from "../model/tenant.ts";
import { createRouter, type Router } from "../router.ts";
import { tenantsOf } from "../routes.ts";
import type { Variables } from "../settings.ts";
import { createMaker } from "./handed.ts";

export interface ManagementEnv extends ManagementBindings {
  EVENTS: Queue;
}

/** By the settings that it is handed, so that what it remembers of callers is remembered. */
/** @throws {Problem} when the request names no tenant, one that does not exist, or one whose settings are wrong */
function tenantOf(router: Router, request: Request): Tenant {
  const route = router.managedRoute(request);
  if (typeof route === "string") throw new Problem(route);
  if (route.tenant !== null) return route.tenant;
  throw new Problem("control_unavailable", "Settings are wrong: GET /_vestibule/health lists them.");
}

const apiOf = createMaker((settings) => {
  const router = createRouter(settings);
  return createManagement({ settings, tenantOf: (request) => tenantOf(router, request) });
});
const tenantsBy = createMaker(tenantsOf);

/** The API for somebody who has several questions. */
class Conversation extends RpcTarget {
  readonly #api: Api;
  readonly #env: ManagementEnv;

  constructor(api: Api, env: ManagementEnv) {
    super();
    this.#api = api;
    this.#env = env;
  }

  /** Whatever comes; never rejects. */
  answer(request: Request): Promise<Response> {
    return this.#api.fetch(request, this.#env);
  }
}

export class Management extends WorkerEntrypoint<ManagementEnv> {
  /** Whatever comes; never rejects. */
  answer(request: Request, variables: Variables): Promise<Response> {
    return this.open(variables).answer(request);
  }

  /** For who asks more than once: a request may call other Workers 32 times, and all that is asked here is one. */
  open(variables: Variables): Conversation {
    return new Conversation(apiOf(variables), this.env);
  }

  /** Of the times in wrangler.toml, all wake what may have slept, and one an hour looks at experiments. */
  async tend(variables: Variables, scheduledMs: number): Promise<void> {
    const tenants = tenantsBy(variables);
    await Promise.allSettled([
      ...tenants.map(({ id }) => wakeCohorts(this.env, id)),
      ...(isNewHour(scheduledMs) ? tenants.map((tenant) => watchTenant(this.env, tenant)) : []),
    ]);
  }
}

/** Their object wakes by itself, but for an alarm that was lost. */
async function wakeCohorts({ COHORTS }: ManagementEnv, tenant: string): Promise<void> {
  await (COHORTS.get(COHORTS.idFromName(tenant)) as unknown as Pick<Cohorts, "wake">).wake();
}

function isNewHour(ms: number): boolean {
  return new Date(ms).getUTCMinutes() < 10;
}

function watchTenant(env: ManagementEnv, tenant: Tenant): Promise<void> {
  return watchExperiments({
    tenant,
    control: env.CONTROL.get(env.CONTROL.idFromName(tenant.id)) as unknown as Pick<Control, "execute">,
    sourcesOf: (experimentId) => sourcesOf(env, tenant.id, experimentId),
    queue: env.EVENTS,
    now: Date.now,
  });
}

export { nowhere as default } from "./nowhere.ts";
