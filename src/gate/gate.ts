/**
 * The auth proxy: classify, identify, assign, stamp, forward, observe. If anything of ours fails, the request goes to the origin
 * unstamped and the origin's response to the client.
 */
import { Address } from "../assignment/address.ts";
import { BreakerOpenError } from "../assignment/breaker.ts";
import { createMemo } from "../assignment/memo.ts";
import { BudgetError } from "../assignment/pending.ts";
import { messageOf, type SourceBindings, type Sources } from "../assignment/sources.ts";
import { circuitWarnings } from "../assignment/warning.ts";
import type { Tenant } from "../model/tenant.ts";
import type { Route } from "../routes.ts";
import type { Settings } from "../settings.ts";
import { createBudget, type DecisionBudget } from "./budget.ts";
import { classify } from "./classify.ts";
import { type DecisionTools, decideRequest, type GateDecision, nothing } from "./decide-request.ts";
import { type Additions, badGateway, complete, fetchOrigin } from "./forward.ts";
import { scanHeaders } from "./header-scan.ts";
import { injectAttributes } from "./inject.ts";
import { type Observed, observe } from "./observe.ts";
import { createReporter } from "./report.ts";
import { withoutReserved } from "./reserved-query.ts";
import { compileRules, type Rules } from "./rules.ts";
import { addStampQuery, createStamper } from "./stamp.ts";
import { createUserReader } from "./user.ts";
import type { Visit } from "./visitor.ts";

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

/** A fixed token, safe as a header's value. */
function reasonOf(error: unknown): string {
  if (error instanceof BudgetError) return "budget";
  if (error instanceof BreakerOpenError) return "circuit_open";
  return "error";
}

function logError(message: string, fields: Record<string, unknown>): void {
  console.error(JSON.stringify({ message, ...fields }));
}

/** What forwarding needs of a route, whatever the state of its tenant's settings. */
export type ForwardTarget = Pick<Route, "origin"> &
  Partial<Pick<Route, "originHost" | "originHeaders" | "reservedQueryNames">>;

/** Forwards without a decision. @param route undefined for a host that no tenant has */
export async function forwardPlainly(
  request: Request,
  route: ForwardTarget | undefined,
  failedOpen: string | null,
): Promise<Response> {
  const url = new Address(request.url);
  try {
    const response = await fetchOrigin(request, url, scanHeaders(request.headers), {
      origin: route?.origin,
      originHost: route?.originHost,
      originHeaders: route?.originHeaders ?? {},
      search: changedSearch(url, withoutReserved(url.search, route?.reservedQueryNames ?? [])),
      stamp: null,
      dropsConditions: false,
      failedOpen,
      signedClientIp: null,
    });
    return complete(response, { cookies: [], caching: "unchanged" });
  } catch (error) {
    logError("origin_unreachable", { host: url.host, reason: String(error) });
    return badGateway();
  }
}

const changedSearch = (url: Address, search: string) => (search === url.search ? undefined : search);

const reservedNames = ({ stamp }: Tenant) => Object.values(stamp.query).flatMap((name) => name ?? []);

const maxUserUnits = 1_024;

/**
 * One gate per isolate. It caches verified signatures and stamps, and nothing of any request.
 * @throws when the settings hold no key to stamp with
 */
export function createGate({ settings, sources, now }: GateOptions): Gate {
  const { decisionBudgetMs, stampKey } = settings;
  if (!stampKey) throw new Error("no STAMP_KEY: settings with errors make no gate");
  const { guard, keyring, units } = sources;
  const stamper = createStamper(stampKey, (call) => guard("crypto", call));
  const users = createUserReader((call, uri) => guard("jwks", call, uri), now);
  const reporter = createReporter(units, guard, now);
  const userUnits = createMemo<string>(maxUserUnits);
  const compiled = new WeakMap<Tenant, Rules>();

  function rulesFor(tenant: Tenant): Rules {
    const known = compiled.get(tenant);
    if (known) return known;
    const rules = compileRules(tenant);
    compiled.set(tenant, rules);
    return rules;
  }

  async function userUnitOf(tenant: string, id: string): Promise<string> {
    const key = `${tenant} ${id}`;
    const unit = userUnits.get(key) ?? (await units.unitOf(tenant, "user", id));
    userUnits.set(key, unit);
    return unit;
  }

  /** Everything that a decision may wait for, within its time. */
  function toolsFor(
    { request, url, tenant }: Visit,
    budget: DecisionBudget,
    env: GateBindings,
    ctx: ExecutionContext,
    onSession: () => void,
  ): DecisionTools {
    return {
      keyring: {
        sign: async (...value) => budget.within(keyring.sign(...value)),
        verify: (...value) => budget.within(keyring.verify(...value)),
      },
      stamper: {
        stamp: (...decided) => budget.within(stamper.stamp(...decided)),
        signClientIp: (...address) => budget.within(stamper.signClientIp(...address)),
      },
      onSession,
      snapshot: () => budget.within(sources.snapshot(tenant.id, env, ctx)),
      user: async () => budget.within(users.read(request, url, tenant)),
      userUnitOf: (id) => budget.within(userUnitOf(tenant.id, id)),
      cohorts: (index, subject, sinceMs) =>
        budget.within(sources.cohorts(tenant.id, index, subject, sinceMs, env, ctx)),
    };
  }

  function cachingOf({ classified }: Visit, { stamp }: GateDecision, cookies: readonly string[]): Additions["caching"] {
    if (cookies.length > 0) return "revalidated";
    if (stamp === null) return "unchanged";
    return classified.isNavigation ? "revalidated" : "private";
  }

  async function handle(
    request: Request,
    url: Address,
    tenant: Tenant,
    env: GateBindings,
    ctx: ExecutionContext,
  ): Promise<Response> {
    const { origin, origin_host: originHost, origin_headers: originHeaders } = tenant;
    const nowMs = now();
    const budget = createBudget(decisionBudgetMs);
    const scan = scanHeaders(request.headers);
    let visit: Visit | null = null;
    let inSession = false;
    let decision: GateDecision;
    let signedClientIp: string | null = null;
    try {
      const rules = rulesFor(tenant);
      visit = {
        request,
        url,
        tenant,
        rules,
        scan,
        classified: classify(request, url, scan, rules),
        scope: { secure: url.protocol === "https:" },
        cookies: request.headers.get("cookie"),
        nowMs,
      };
      const tools = toolsFor(visit, budget, env, ctx, () => {
        inSession = true;
      });
      const ip = tenant.sign_client_ip ? request.headers.get("cf-connecting-ip") : null;
      if (ip !== null) signedClientIp = await tools.stamper.signClientIp(tenant.id, ip, url, nowMs);
      decision = await decideRequest(visit, tools);
    } catch (error) {
      const warning = { code: "experiment_failed_open" as const, description: messageOf(error) };
      const hadSession = inSession;
      decision = nothing({ failedOpen: reasonOf(error), hadSession, inSession, warnings: [warning] });
    } finally {
      budget.clear();
    }

    let response: Response;
    try {
      const names = tenant.stamp.query;
      const own = withoutReserved(url.search, reservedNames(tenant));
      const search =
        decision.stamp && visit?.classified.isStart ? addStampQuery(own, names, decision.stamp.values) : own;
      response = await fetchOrigin(request, url, scan, {
        origin,
        originHost,
        originHeaders,
        search: changedSearch(url, search),
        stamp: decision.stamp?.values ?? null,
        dropsConditions: decision.stamp !== null && visit?.classified.isNavigation === true,
        failedOpen: decision.failedOpen,
        signedClientIp,
      });
    } catch (error) {
      logError("origin_unreachable", { host: url.host, reason: String(error) });
      return badGateway();
    }
    if (visit === null) return complete(response, { cookies: [], caching: "unchanged" });

    let observed: Observed = { response, cookies: decision.cookies, report: noReport };
    try {
      observed = await observe(visit, decision, response, keyring);
      const { report } = observed;
      const warnings = [...report.warnings, ...circuitWarnings(sources, tenant)];
      const { assigned, exposed, outcome, forcedIn } = report;
      if (assigned.length + exposed.length + forcedIn.length + warnings.length > 0 || outcome) {
        const observedRequest = {
          request,
          url,
          tenant: tenant.id,
          logsUserIds: tenant.log_user_ids,
          atMs: now(),
          deviceId: decision.deviceId,
          userUnit: decision.userUnit,
          userId: async () => (await users.read(request, url, tenant)).id,
        };
        ctx.waitUntil(reporter.report(observedRequest, { ...report, warnings }, env.EVENTS));
      }
    } catch (error) {
      logError("response_not_observed", { reason: messageOf(error) });
    }

    try {
      const { cookies } = observed;
      const completed = complete(observed.response, { cookies, caching: cachingOf(visit, decision, cookies) });
      const values = decision.stamp?.values;
      return tenant.inject === "attributes" && values ? injectAttributes(completed, values) : completed;
    } catch (error) {
      logError("response_passed_unchanged", { reason: messageOf(error) });
      return observed.response;
    }
  }

  return { handle };
}

const noReport = { assigned: [], exposed: [], outcome: null, forcedIn: [], pins: [], warnings: [] };
