/**
 * The auth proxy: classify → subject → assign → stamp → forward → observe. Whatever of ours fails, the request goes on
 * to the origin unstamped and the origin's answer to the client.
 */
import { Address } from "../assignment/address.ts";
import { BreakerOpenError } from "../assignment/breaker.ts";
import { BudgetError, both, isPromise, withinBudget } from "../assignment/pending.ts";
import { messageOf, type SourceBindings, type Sources } from "../assignment/sources.ts";
import { circuitWarnings } from "../assignment/warning.ts";
import type { Tenant } from "../model/tenant.ts";
import type { Route, Settings } from "../settings.ts";
import type { Classified } from "./classify.ts";
import { answer, askOrigin, badGateway } from "./forward.ts";
import { inspectHead } from "./head.ts";
import { injectAttributes } from "./inject.ts";
import { type Observed, observe } from "./observe.ts";
import { makePlan, type Plan, type PlanTools, plainPlan } from "./plan.ts";
import { createReporter, type Sighting } from "./report.ts";
import { withoutReserved } from "./reserved-query.ts";
import { compileRules, type Rules } from "./rules.ts";
import { type Screened, screen } from "./screen.ts";
import { createStamper, stampQuery } from "./stamp.ts";
import { createUserReader } from "./user.ts";

export interface GateBindings extends SourceBindings {
  EVENTS: Queue;
}

export interface Gate {
  handle(request: Request, url: Address, tenant: Tenant, env: GateBindings, ctx: ExecutionContext): Promise<Response>;
}

export interface GateOptions {
  settings: Pick<Settings, "decisionBudgetMs" | "stampKey">;
  sources: Sources;
  now: () => number;
}

const nothing: Classified = { kind: "pass", begins: false, signup: false, mints: false };

/** Short and free of surprises: it travels in a header. */
function reasonOf(error: unknown): string {
  if (error instanceof BudgetError) return "budget";
  if (error instanceof BreakerOpenError) return "circuit_open";
  return "error";
}

/** What forwarding needs of a route, whatever the state of its tenant's settings. */
export type ForwardTarget = Pick<Route, "origin"> & Partial<Pick<Route, "originHeaders" | "reservedQueryNames">>;

/** Forwards without a decision. @param route undefined for a host that no tenant has */
export async function forwardPlainly(
  request: Request,
  route: ForwardTarget | undefined,
  failedOpen: string | null,
): Promise<Response> {
  const url = new Address(request.url);
  const search = withoutReserved(url.search, route?.reservedQueryNames ?? []);
  const forwarding = {
    origin: route?.origin,
    headers: route?.originHeaders ?? {},
    search: search === url.search ? undefined : search,
    stamp: null,
    failedOpen,
    signedClientIp: null,
  };
  try {
    const response = await askOrigin(request, url, inspectHead(request.headers), forwarding);
    return answer(response, { cookies: [], isPrivate: false });
  } catch (error) {
    console.error(JSON.stringify({ message: "origin not reachable", host: url.host, reason: String(error) }));
    return badGateway();
  }
}

/**
 * One gate an isolate. It remembers verified signatures and made stamps, and nothing of any request.
 * @throws when the settings hold no key to stamp with; check `settings.sharedErrors` first.
 */
export function createGate({ settings, sources, now }: GateOptions): Gate {
  const { decisionBudgetMs, stampKey } = settings;
  if (!stampKey) throw new Error("no STAMP_KEY: settings with shared errors make no gate");
  const { guard, keyring, units } = sources;
  const stamper = createStamper(stampKey, (call) => guard("crypto", call));
  const users = createUserReader((call, uri) => guard("jwks", call, uri));
  const reporter = createReporter(units, guard, now);
  const rulesOf = new WeakMap<Tenant, Rules>();

  function rulesFor(tenant: Tenant): Rules {
    const known = rulesOf.get(tenant);
    if (known) return known;
    const rules = compileRules(tenant);
    rulesOf.set(tenant, rules);
    return rules;
  }

  function toolsFor(
    { id }: Tenant,
    env: GateBindings,
    ctx: ExecutionContext,
    onSession: PlanTools["onSession"],
  ): PlanTools {
    const snapshot = () => sources.snapshot(id, env, ctx);
    const cohorts: PlanTools["cohorts"] = (index, subject, sinceMs) =>
      sources.cohorts(id, index, subject, sinceMs, env, ctx);
    return { keyring, stamper, users, now, snapshot, cohorts, onSession };
  }

  async function handle(
    request: Request,
    url: Address,
    tenant: Tenant,
    env: GateBindings,
    ctx: ExecutionContext,
  ): Promise<Response> {
    const head = inspectHead(request.headers);
    let plan: Plan;
    let screened: Screened | null = null;
    let signedClientIp: string | null = null;
    let inSession = false;
    const onSession = (isGenuine: boolean) => {
      inSession = isGenuine;
    };
    try {
      screened = screen(request, url, head, tenant, rulesFor(tenant));
      const ip = tenant.sign_client_ip ? request.headers.get("cf-connecting-ip") : null;
      const made = both(
        screened.takesPart ? makePlan(screened, toolsFor(tenant, env, ctx, onSession)) : plainPlan(screened),
        ip ? stamper.signClientIp(tenant.id, ip, url, now()) : null,
      );
      [plan, signedClientIp] = isPromise(made) ? await withinBudget(made, decisionBudgetMs) : made;
    } catch (error) {
      plan = {
        ...plainPlan(screened ?? { classified: nothing, hadSession: false, ended: [] }),
        inSession,
        failedOpen: reasonOf(error),
        warnings: [{ code: "experiment_failed_open", description: messageOf(error) }],
      };
    }

    const search =
      plan.classified.begins && tenant.stamp.query
        ? stampQuery(url.search, tenant.stamp.query, plan.stamp ?? {})
        : url.search;
    let response: Response;
    try {
      response = await askOrigin(request, url, head, {
        origin: tenant.origin,
        headers: tenant.origin_headers,
        search: search === url.search ? undefined : search,
        stamp: plan.stamp,
        failedOpen: plan.failedOpen,
        signedClientIp,
      });
    } catch (error) {
      console.error(JSON.stringify({ message: "origin not reachable", host: url.host, reason: String(error) }));
      return badGateway();
    }

    let observed: Observed | null = null;
    try {
      if (screened) {
        const seen = observe({ ...screened, response, plan }, keyring);
        observed = isPromise(seen) ? await seen : seen;
        const { report } = observed;
        const warnings = [...report.warnings, ...circuitWarnings(sources, tenant)];
        if (report.assigned.length + report.exposed.length + warnings.length > 0 || report.outcome) {
          const sighting: Sighting = {
            request,
            url,
            tenant: tenant.id,
            logsUserIds: tenant.log_user_ids,
            atMs: now(),
            deviceId: plan.deviceId,
            userId: async () => (await users.read(request, url, tenant)).id,
          };
          ctx.waitUntil(reporter.report(sighting, { ...report, warnings }, env.EVENTS));
        }
      }
    } catch (error) {
      console.error(JSON.stringify({ message: "answer not observed", reason: messageOf(error) }));
    }

    try {
      const answered = answer(response, {
        cookies: observed?.cookies ?? plan.cookies,
        isPrivate: plan.stamp !== null,
      });
      return tenant.inject === "attributes" && plan.stamp ? injectAttributes(answered, plan.stamp) : answered;
    } catch (error) {
      console.error(JSON.stringify({ message: "answer passed on as it came", reason: messageOf(error) }));
      return response;
    }
  }

  return { handle };
}
