/** The Worker before log-ins: which address goes to which room, and what is for the Workers behind it. */
import { createAmplitude } from "./api/amplitude/amplitude.ts";
import { isManagementPath, isRead } from "./api/management/address.ts";
import { unreachable, unreachableStatus } from "./api/management/unreachable.ts";
import { createNative } from "./api/native/native.ts";
import { createOfrep } from "./api/ofrep/ofrep.ts";
import { createFront, type Front, findSpoken, type Speakers } from "./api/serving/front.ts";
import { Address } from "./assignment/address.ts";
import { createSources, messageOf, type Sources } from "./assignment/sources.ts";
import { isDashboardPath } from "./dashboard/address.ts";
import { createGate, forwardPlainly, type Gate, type GateBindings } from "./gate/gate.ts";
import { createRouter, type Router } from "./router.ts";
import type { Route } from "./routes.ts";
import { readSettings, type Settings, type Variables, variablesOf } from "./settings.ts";
import type { Dashboard } from "./workers/dashboard.ts";
import type { Management } from "./workers/management.ts";

export interface Env extends Variables, GateBindings {
  COHORTS: DurableObjectNamespace;
  MANAGEMENT: Pick<Management, "answer" | "tend">;
  DASHBOARD: Pick<Dashboard, "show">;
}

const bindings = ["SNAPSHOTS", "EVENTS", "COHORTS", "MANAGEMENT", "DASHBOARD"] as const;

interface Isolate {
  settings: Settings;
  /** For the Workers behind. */
  variables: Variables;
  errors: readonly string[];
  /** Null while something that all tenants share is wrong: then everything is forwarded and no experiment runs. */
  serving: { sources: Sources; gate: Gate } | null;
  router: Router;
  /** Created on first use: a login neither waits for it nor fails with it. */
  front: Front | null;
}

/** Bindings stay the same object for as long as an isolate lives. */
const isolates = new WeakMap<Env, Isolate>();

function isolateOf(env: Env): Isolate {
  const known = isolates.get(env);
  if (known) return known;
  const settings = readSettings(env);
  const missing = bindings
    .filter((name) => !env[name])
    .map((name) => `${name}: the binding is missing from wrangler.toml`);
  const errors = [...settings.errors, ...missing];
  let serving: Isolate["serving"] = null;
  if (settings.sharedErrors.length === 0 && missing.length === 0) {
    try {
      const sources = createSources({ ...settings, now: Date.now, random: Math.random });
      serving = { sources, gate: createGate({ settings, sources, now: Date.now }) };
    } catch (error) {
      errors.push(`the gate cannot be created: ${messageOf(error)}`);
    }
  }
  if (errors.length > 0) console.error(JSON.stringify({ message: "settings_invalid", errors }));
  const variables = variablesOf(env);
  const isolate: Isolate = { settings, variables, errors, serving, router: createRouter(settings), front: null };
  isolates.set(env, isolate);
  return isolate;
}

const speakers: Speakers = { amplitude: createAmplitude, native: createNative, ofrep: createOfrep };

function frontOf(isolate: Isolate, sources: Sources): Front {
  const { fetchRate: ratePerSecond, decisionBudgetMs: budgetMs } = isolate.settings;
  isolate.front ??= createFront({ sources, ratePerSecond, budgetMs, now: Date.now, speakers });
  return isolate.front;
}

function health({ errors, serving }: Isolate): Response {
  const isOk = errors.length === 0;
  const body = { status: isOk ? "ok" : "settings_wrong", errors, ...serving?.sources.health() };
  return Response.json(body, { status: isOk ? 200 : 503, headers: { "cache-control": "no-store" } });
}

/** Addresses that exist on admin hosts only. */
function isReserved(path: string): boolean {
  return path === "/_vestibule/health" || isDashboardPath(path) || isManagementPath(path);
}

/** A call to another Worker takes no GET with a body, which HTTP allows and nobody here asks for. */
function callable(request: Request): Request {
  const { url, method, headers } = request;
  return isRead(request) && request.body !== null ? new Request(url, { method, headers }) : request;
}

async function answerBehind(request: Request, path: string, isolate: Isolate, env: Env): Promise<Response> {
  const { variables, serving } = isolate;
  const isPage = isDashboardPath(path);
  try {
    if (isPage) return await env.DASHBOARD.show(callable(request), variables, serving?.sources.health() ?? null);
    return await env.MANAGEMENT.answer(callable(request), variables);
  } catch (error) {
    console.error(JSON.stringify({ message: "a Worker behind cannot be reached", path, reason: String(error) }));
    return renderUnreachable(request, isPage);
  }
}

/** As the management API would say it. */
function renderUnreachable(request: Request, isPage: boolean): Response {
  const { code: errorCode, message } = unreachable(request);
  const init = { status: unreachableStatus, headers: { "cache-control": "no-store" } };
  if (isPage) return new Response(message, init);
  return Response.json({ statusCode: init.status, error: "Service Unavailable", message, errorCode }, init);
}

async function handle(request: Request, url: Address, isolate: Isolate, env: Env, ctx: ExecutionContext) {
  const { serving, router } = isolate;
  const protocol = serving && findSpoken(url.pathname, speakers);
  if (protocol) {
    const tenants = router.servingTenants(url.host);
    const visit = { tenants, bindings: env, ctx };
    if (tenants.length > 0) return frontOf(isolate, serving.sources).answer(protocol, request, url, visit);
  }
  const route = router.routeOf(url.host);
  if (!route) return forwardPlainly(request, undefined, null);
  if (serving && route.tenant) return serving.gate.handle(request, url, route.tenant, env, ctx);
  return forwardPlainly(request, route, "settings");
}

/** Where a request is forwarded although the isolate or the router may be what failed. */
function findRoute(url: Address, isolate: Isolate | null): Route | undefined {
  try {
    return isolate?.router.routeOf(url.host);
  } catch {
    return undefined;
  }
}

export default {
  async fetch(request, env, ctx) {
    const url = new Address(request.url);
    let isolate: Isolate | null = null;
    try {
      isolate = isolateOf(env);
      if (!isReserved(url.pathname) || !isolate.router.isAdminHost(url.host)) {
        return await handle(request, url, isolate, env, ctx);
      }
    } catch (error) {
      console.error(JSON.stringify({ message: "request_not_handled", host: url.host, reason: messageOf(error) }));
      return forwardPlainly(request, findRoute(url, isolate), "error");
    }
    if (url.pathname === "/_vestibule/health") return health(isolate);
    return answerBehind(request, url.pathname, isolate, env);
  },
  async scheduled({ scheduledTime }, env) {
    await env.MANAGEMENT.tend(isolateOf(env).variables, scheduledTime);
  },
} satisfies ExportedHandler<Env>;
