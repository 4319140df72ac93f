/** Which address goes to which room. */
import { createAmplitude } from "./api/amplitude/amplitude.ts";
import { createManagement, type Management, managementPath } from "./api/management/app.ts";
import { createNative } from "./api/native/native.ts";
import { createOfrep } from "./api/ofrep/ofrep.ts";
import { createFront, type Front, findSpoken, type Speakers } from "./api/serving/front.ts";
import { Address } from "./assignment/address.ts";
import { createSources, type Sources } from "./assignment/sources.ts";
import type { Cohorts } from "./cohorts/cohorts.ts";
import type { Control } from "./control/control.ts";
import { isDashboardPath } from "./dashboard/address.ts";
import type { Answer, Ask } from "./dashboard/api.ts";
import { createDashboard, type Dashboard } from "./dashboard/dashboard.ts";
import { endedSessionKey } from "./dashboard/session.ts";
import { sourcesOf } from "./diagnosis/sources.ts";
import { watchExperiments } from "./diagnosis/watch.ts";
import { createGate, forwardPlainly, type Gate } from "./gate/gate.ts";
import { createDelivery, type Deliver } from "./ledger/delivery.ts";
import { recordEntries } from "./logs/record.ts";
import type { Tenant } from "./model/tenant.ts";
import { consume } from "./queue/consume.ts";
import { createRouter, type Router } from "./router.ts";
import { type Env, readSettings, type Settings } from "./settings.ts";

interface Isolate {
  settings: Settings;
  /** Null while the settings are wrong: then everything is forwarded and nothing assigned. */
  sources: Sources | null;
  gate: Gate | null;
  router: Router;
  /** Made when it is first asked for: a log-in neither waits for it nor fails with it. */
  management: Management | null;
  /** Likewise. */
  front: Front | null;
  dashboard: Dashboard | null;
  deliver: Deliver | null;
}

/** Bindings stay the same object for as long as an isolate lives. */
const isolates = new WeakMap<Env, Isolate>();

function isolateOf(env: Env): Isolate {
  const known = isolates.get(env);
  if (known) return known;
  const settings = readSettings(env);
  if (settings.faults.length > 0) {
    console.error(JSON.stringify({ message: "settings are wrong: nothing is assigned", faults: settings.faults }));
  }
  const isSound = settings.faults.length === 0;
  const sources = isSound ? createSources({ ...settings, now: Date.now, random: Math.random }) : null;
  const gate = sources && createGate({ settings, sources, now: Date.now });
  const isolate: Isolate = {
    settings,
    sources,
    gate,
    router: createRouter(settings),
    management: null,
    front: null,
    dashboard: null,
    deliver: null,
  };
  isolates.set(env, isolate);
  return isolate;
}

function managementOf(isolate: Isolate): Management {
  const { settings, router } = isolate;
  isolate.management ??= createManagement({ settings, tenantOf: router.managedTenant });
  return isolate.management;
}

const speakers: Speakers = { amplitude: createAmplitude, native: createNative, ofrep: createOfrep };

function frontOf(isolate: Isolate, sources: Sources): Front {
  const { fetchRate: ratePerSecond, decisionBudgetMs: budgetMs } = isolate.settings;
  isolate.front ??= createFront({ sources, ratePerSecond, budgetMs, now: Date.now, speakers });
  return isolate.front;
}

function dashboardOf(isolate: Isolate): Dashboard {
  const { settings, sources } = isolate;
  isolate.dashboard ??= createDashboard({
    cookieKeys: settings.cookieKeys,
    tenants: settings.routes.flatMap(({ tenant }) => tenant ?? []),
    health: () => sources?.health() ?? null,
    now: Date.now,
  });
  return isolate.dashboard;
}

/** The management API as the dashboard asks it: a request that goes no further than this isolate. */
async function askManagement(isolate: Isolate, env: Env, from: Request, ask: Ask): Promise<Answer> {
  const headers = new Headers({ authorization: `Bearer ${ask.token}` });
  if (ask.tenant !== null) headers.set("x-vestibule-tenant", ask.tenant);
  if (ask.body) headers.set("content-type", ask.body.type);
  const client = from.headers.get("cf-connecting-ip");
  if (client !== null) headers.set("cf-connecting-ip", client);
  const url = new URL(managementPath + ask.path, from.url);
  const request = new Request(url, { method: ask.method, headers, ...(ask.body ? { body: ask.body.content } : {}) });
  const response = await managementOf(isolate).fetch(request, env);
  return { status: response.status, text: await response.text() };
}

function showDashboard(isolate: Isolate, request: Request, env: Env): Promise<Response> {
  return dashboardOf(isolate).fetch(request, {
    call: (ask) => askManagement(isolate, env, request, ask),
    assets: env.ASSETS,
    ended: {
      has: async (id) => (await env.SNAPSHOTS.get(endedSessionKey(id))) !== null,
      add: (id, expirationTtl) => env.SNAPSHOTS.put(endedSessionKey(id), "", { expirationTtl }),
    },
  });
}

function health({ settings, sources }: Isolate): Response {
  const body = { status: sources ? "ok" : "settings_wrong", faults: settings.faults, ...sources?.health() };
  return Response.json(body, { status: sources ? 200 : 503, headers: { "cache-control": "no-store" } });
}

/** Addresses that exist on admin hosts only. */
function isReserved(path: string): boolean {
  return (
    path === "/_vestibule/health" ||
    isDashboardPath(path) ||
    path === managementPath ||
    path.startsWith(`${managementPath}/`)
  );
}

/** Their object wakes by itself, but for an alarm that was lost. */
async function wakeCohorts({ COHORTS }: Env, tenant: string): Promise<void> {
  await (COHORTS.get(COHORTS.idFromName(tenant)) as unknown as Pick<Cohorts, "wake">).wake();
}

/** Of the times in wrangler.toml, one an hour. */
function isNewHour(ms: number): boolean {
  return new Date(ms).getUTCMinutes() < 10;
}

function watchTenant(env: Env, tenant: Tenant): Promise<void> {
  return watchExperiments({
    tenant,
    control: env.CONTROL.get(env.CONTROL.idFromName(tenant.id)) as unknown as Pick<Control, "execute">,
    sourcesOf: (experimentId) => sourcesOf(env, tenant.id, experimentId),
    queue: env.EVENTS,
    now: Date.now,
  });
}

export { Cohorts } from "./cohorts/cohorts.ts";
export { Control } from "./control/control.ts";
export { Ledger } from "./ledger/ledger.ts";
export { Logbook } from "./logs/logbook.ts";

export default {
  async fetch(request, env, ctx) {
    const isolate = isolateOf(env);
    const { sources, gate, router } = isolate;
    const url = new Address(request.url);
    if (isReserved(url.pathname) && router.isAdminHost(url.host)) {
      if (url.pathname === "/_vestibule/health") return health(isolate);
      if (isDashboardPath(url.pathname)) return showDashboard(isolate, request, env);
      return managementOf(isolate).fetch(request, env);
    }
    const spoken = sources && findSpoken(url.pathname, speakers);
    if (spoken) {
      const tenants = router.servingTenants(url.host);
      const visit = { tenants, bindings: env, ctx };
      if (tenants.length > 0) return frontOf(isolate, sources).answer(spoken, request, url, visit);
    }
    const route = router.routeOf(url.host);
    if (!route) return forwardPlainly(request, undefined, null);
    if (gate && route.tenant) return gate.handle(request, url, route.tenant, env, ctx);
    return forwardPlainly(request, route.tenant ? route.tenant.origin : route.origin, "settings");
  },
  async queue(batch, env) {
    const isolate = isolateOf(env);
    isolate.deliver ??= createDelivery(env);
    const { deliver } = isolate;
    await consume(batch, { deliver, record: (tenant, entries) => recordEntries(env, tenant, entries) });
  },
  async scheduled({ scheduledTime }, env) {
    const tenants = isolateOf(env).settings.routes.flatMap(({ tenant }) => tenant ?? []);
    await Promise.allSettled([
      ...tenants.map(({ id }) => wakeCohorts(env, id)),
      ...(isNewHour(scheduledTime) ? tenants.map((tenant) => watchTenant(env, tenant)) : []),
    ]);
  },
} satisfies ExportedHandler<Env>;
