/** The Worker before log-ins: which address goes to which room, and what is for the Workers behind it. */
import { createAmplitude } from "./api/amplitude/amplitude.ts";
import { isManagementPath, isRead } from "./api/management/address.ts";
import { unreachable, unreachableStatus } from "./api/management/unreachable.ts";
import { createNative } from "./api/native/native.ts";
import { createOfrep } from "./api/ofrep/ofrep.ts";
import { createFront, type Front, findSpoken, type Speakers } from "./api/serving/front.ts";
import { Address } from "./assignment/address.ts";
import { createSources, type Sources } from "./assignment/sources.ts";
import { isDashboardPath } from "./dashboard/address.ts";
import { createGate, forwardPlainly, type Gate, type GateBindings } from "./gate/gate.ts";
import { createRouter, type Router } from "./router.ts";
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
  faults: readonly string[];
  /** Null while there are faults: then everything is forwarded and nothing assigned. */
  sources: Sources | null;
  gate: Gate | null;
  router: Router;
  /** Made when it is first asked for: a log-in neither waits for it nor fails with it. */
  front: Front | null;
}

/** Bindings stay the same object for as long as an isolate lives. */
const isolates = new WeakMap<Env, Isolate>();

function isolateOf(env: Env): Isolate {
  const known = isolates.get(env);
  if (known) return known;
  const settings = readSettings(env);
  const missing = bindings.filter((name) => !env[name]);
  const faults = [...settings.faults, ...missing.map((name) => `${name}: the binding is missing from wrangler.toml`)];
  if (faults.length > 0) {
    console.error(JSON.stringify({ message: "settings are wrong: nothing is assigned", faults }));
  }
  const sources = faults.length === 0 ? createSources({ ...settings, now: Date.now, random: Math.random }) : null;
  const gate = sources && createGate({ settings, sources, now: Date.now });
  const variables = variablesOf(env);
  const isolate = { settings, variables, faults, sources, gate, router: createRouter(settings), front: null };
  isolates.set(env, isolate);
  return isolate;
}

const speakers: Speakers = { amplitude: createAmplitude, native: createNative, ofrep: createOfrep };

function frontOf(isolate: Isolate, sources: Sources): Front {
  const { fetchRate: ratePerSecond, decisionBudgetMs: budgetMs } = isolate.settings;
  isolate.front ??= createFront({ sources, ratePerSecond, budgetMs, now: Date.now, speakers });
  return isolate.front;
}

function health({ faults, sources }: Isolate): Response {
  const body = { status: sources ? "ok" : "settings_wrong", faults, ...sources?.health() };
  return Response.json(body, { status: sources ? 200 : 503, headers: { "cache-control": "no-store" } });
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
  const { variables, sources } = isolate;
  const isPage = isDashboardPath(path);
  try {
    if (isPage) return await env.DASHBOARD.show(callable(request), variables, sources?.health() ?? null);
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

export default {
  async fetch(request, env, ctx) {
    const isolate = isolateOf(env);
    const { sources, gate, router } = isolate;
    const url = new Address(request.url);
    if (isReserved(url.pathname) && router.isAdminHost(url.host)) {
      if (url.pathname === "/_vestibule/health") return health(isolate);
      return answerBehind(request, url.pathname, isolate, env);
    }
    const spoken = sources && findSpoken(url.pathname, speakers);
    if (spoken) {
      const tenants = router.servingTenants(url.host);
      const visit = { tenants, bindings: env, ctx };
      if (tenants.length > 0) return frontOf(isolate, sources).answer(spoken, request, url, visit);
    }
    const route = router.routeOf(url.host);
    if (!route) return forwardPlainly(request, { origin: undefined, reservedQueryNames: [] }, null);
    if (gate && route.tenant) return gate.handle(request, url, route.tenant, env, ctx);
    return forwardPlainly(
      request,
      { origin: route.tenant ? route.tenant.origin : route.origin, reservedQueryNames: [] },
      "settings",
    );
  },
  async scheduled({ scheduledTime }, env) {
    await env.MANAGEMENT.tend(isolateOf(env).variables, scheduledTime);
  },
} satisfies ExportedHandler<Env>;
