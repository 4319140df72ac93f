/**
 * Pages for people, on admin hosts. A request is of a session or gets no further than the sign-in page; what changes anything
 * comes from a form of that session; everything else the management API decides.
 */
import { base64url } from "jose";
import { createKeyring, type SigningKey } from "../assignment/keyring.ts";
import { signOverride } from "../assignment/override.ts";
import type { Tenant } from "../model/tenant.ts";
import { assetsPath, dashboardPath, ownPage, signInPath } from "./address.ts";
import { type Call, type Caller, createApi, Refused } from "./api.ts";
import { type Assets, serveAsset } from "./assets.ts";
import { isForeign, isSameKey } from "./forgery.ts";
import { formKeyField } from "./forms/form.tsx";
import { guard } from "./guards.ts";
import { renderDoor, renderPage } from "./layout.tsx";
import { failedPage, missingPage, refusedPage } from "./pages/refused.tsx";
import { readerOf } from "./parts/reader.tsx";
import { readPosted } from "./posted.ts";
import { plain, seeOther } from "./replies.ts";
import { createRouter } from "./routes.ts";
import {
  cookieOf,
  createSessions,
  type EndedSessions,
  type OpenedSession,
  readCookie,
  type Session,
} from "./session.ts";
import { askWho, renderSignIn, signIn } from "./sign-in.tsx";
import { type Health, mayOf, type Reply, type Visit } from "./visit.ts";

export interface DashboardOptions {
  cookieKeys: readonly SigningKey[];
  tenants: readonly Tenant[];
  now: () => number;
}

/** What a request comes with. */
export interface Surroundings {
  call: Call;
  assets: Assets | undefined;
  ended: EndedSessions;
  /** Null while the settings are wrong. */
  health: Health | null;
}

export interface Dashboard {
  /** Answers whatever comes; never throws. */
  fetch(request: Request, surroundings: Surroundings): Promise<Response>;
}

const mostSignInBytes = 16 * 1024;
/** An import is the largest: 8 MiB of JSON, and what a form makes of it. */
const mostFormBytes = 12 * 1024 * 1024;
const overrideSeconds = 3_600;

const html = { "content-type": "text/html; charset=utf-8" };
export function createDashboard({ cookieKeys, tenants, now }: DashboardOptions): Dashboard {
  const sessions = createSessions(cookieKeys, now);
  const keyring = createKeyring(cookieKeys, (call) => call());
  const find = createRouter();
  const hasTenants = tenants.length > 1;

  async function answer(request: Request, url: URL, surroundings: Surroundings): Promise<Response> {
    const { method } = request;
    const { call, assets, ended } = surroundings;
    const isLook = method === "GET" || method === "HEAD";
    if (!isLook && method !== "POST") return plain(405, "GET, HEAD or POST.", { allow: "GET, HEAD, POST" });
    if (url.pathname === dashboardPath) return seeOther(`${dashboardPath}/`);
    const cookie = readCookie(request, url);
    const session = cookie === null ? null : await sessions.open(cookie, url.host, ended);

    if (url.pathname.startsWith(assetsPath)) {
      const asset = isLook ? await serveAsset(request, url, assets, session !== null) : null;
      return asset ?? plain(404, "There is nothing here.");
    }
    if (!isLook && isForeign(request, url)) return plain(403, "Refused: this form was sent by another site.");
    if (url.pathname === signInPath) {
      if (isLook && session !== null) return seeOther(ownPage(url.searchParams.get("to"), url.origin));
      return isLook ? door(url) : enter(request, url, call);
    }
    if (session === null) return turnAway(url, isLook, cookie !== null);
    const form = isLook ? new URLSearchParams() : await readPosted(request, mostFormBytes);
    if (form instanceof Response) return form;
    const who = await askWho(call, session.token, session.tenant);
    if (!who.ok && who.refusal.status === 401) return turnAway(url, isLook, true);
    const visit = visitOf(request, url, form, session, surroundings, who.ok ? who.body : null);
    if (!isLook && !isSameKey(form.get(formKeyField) ?? "", session.formKey)) {
      return rendered(
        visit,
        refusedPage({ status: 403, code: "", message: "This form is of another session. Open the page again." }),
      );
    }
    if (!isLook && url.pathname === `${dashboardPath}/sign-out`) {
      await sessions.end(session, ended);
      return seeOther(signInPath, cookieOf(null, url, dashboardPath));
    }
    if (!who.ok) return rendered(visit, refusedPage(who.refusal));
    if (!isLook && url.pathname === `${dashboardPath}/tenant`) return switchTenant(visit, session, call);
    const response = await rendered(visit, await reply(visit, isLook));
    if (session.isAgeing) {
      response.headers.append("set-cookie", cookieOf(await sessions.seal(session, url.host), url, dashboardPath));
    }
    return response;
  }

  async function enter(request: Request, url: URL, call: Call): Promise<Response> {
    const form = await readPosted(request, mostSignInBytes);
    if (form instanceof Response) return form;
    const outcome = await signIn(form, call, sessions, url.origin);
    if ("errors" in outcome) {
      const to = ownPage(form.get("to"), url.origin);
      const page = renderSignIn({ errors: outcome.errors, tenant: form.get("tenant") ?? "", to, hasTenants });
      return new Response(page, { status: outcome.status, headers: html });
    }
    return seeOther(outcome.to, cookieOf(await sessions.seal(outcome.session, url.host), url, dashboardPath));
  }

  /** @param caller null where the API does not let one in, or cannot tell */
  function visitOf(
    request: Request,
    url: URL,
    form: URLSearchParams,
    session: Session,
    { call, health }: Surroundings,
    caller: Caller | null,
  ): Visit {
    const { tenant } = session;
    return {
      url,
      params: {},
      form,
      api: createApi(call, session),
      caller: caller ?? { actor: "", scopes: [], tenant },
      session,
      tenant: tenants.find(({ id }) => id === tenant) ?? unknownTenant(tenant),
      // Which tenants there are, only the root is told.
      tenants: caller?.actor === "root" ? tenants.map(({ id }) => id) : [tenant],
      reader: readerOf(request),
      health,
      nowMs: now(),
      may: mayOf(caller?.scopes ?? []),
      signOverride(experimentId, { variation = null, segment = null }) {
        const until = Math.floor(now() / 1000) + overrideSeconds;
        return signOverride(keyring, tenant, { experimentId, variationId: variation, segmentId: segment }, until);
      },
    };
  }

  async function reply(visit: Visit, isLook: boolean): Promise<Reply> {
    const found = find(isLook ? "GET" : "POST", visit.url.pathname.slice(dashboardPath.length));
    if (found === undefined) return missingPage();
    try {
      return await found.handler({ ...visit, params: found.params });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return error.status === 404 ? missingPage(error.message) : refusedPage(error);
    }
  }

  async function switchTenant({ form, url, caller }: Visit, session: OpenedSession, call: Call): Promise<Response> {
    const tenant = form.get("tenant") ?? "";
    const outcome = await askWho(call, session.token, tenant);
    if (!outcome.ok)
      return door(url, { message: `${caller.actor} may not go to that tenant.` }, outcome.refusal.status);
    const cookie = await sessions.seal({ ...session, tenant: outcome.body.tenant }, url.host);
    return seeOther(`${dashboardPath}/`, cookieOf(cookie, url, dashboardPath));
  }

  /** A page that is asked for is shown after signing in; what was posted is not done. */
  function turnAway(url: URL, isLook: boolean, wasSignedIn: boolean): Response {
    const message = wasSignedIn ? "The session is over: sign in again." : undefined;
    if (!isLook) return door(url, { message: `${message ?? "Sign in first."} Nothing was changed.` }, 401);
    const to = ownPage(url.pathname + url.search, url.origin);
    const query = to === `${dashboardPath}/` ? "" : `?to=${encodeURIComponent(to)}`;
    return seeOther(signInPath + query, wasSignedIn ? cookieOf(null, url, dashboardPath) : undefined);
  }

  function door(url: URL, { message }: { message?: string | undefined } = {}, status = 200): Response {
    const to = ownPage(url.searchParams.get("to"), url.origin);
    const page = renderSignIn({ ...(message === undefined ? {} : { message }), to, hasTenants });
    return new Response(page, { status, headers: html });
  }

  return {
    async fetch(request, surroundings) {
      const url = new URL(request.url);
      let response: Response;
      try {
        if (cookieKeys.length === 0 || surroundings.health === null) response = unsettled();
        else response = await answer(request, url, surroundings);
      } catch (error) {
        const reference = base64url.encode(crypto.getRandomValues(new Uint8Array(6)));
        const reason = error instanceof Error ? (error.stack ?? String(error)) : String(error);
        console.error(JSON.stringify({ message: "the dashboard failed", path: url.pathname, reference, reason }));
        response = new Response(renderDoor("Something failed", failedPage(reference)), { status: 500, headers: html });
      }
      guard(response);
      if (request.method !== "HEAD") return response;
      await response.body?.cancel();
      return new Response(null, response);
    },
  };
}

async function rendered(visit: Visit, reply: Reply): Promise<Response> {
  if (reply instanceof Response) return new Response(reply.body, reply);
  if ("to" in reply) return seeOther(reply.to);
  return new Response(renderPage(visit, reply), { status: reply.status ?? 200, headers: html });
}

function unsettled(): Response {
  const page = renderDoor(
    "Settings are wrong",
    "The settings of this deployment are wrong, and nothing is assigned: /_vestibule/health lists what to mend.",
  );
  return new Response(page, { status: 503, headers: html });
}

/** A session of a tenant that is no longer deployed. */
function unknownTenant(id: string): Visit["tenant"] {
  return { id, hosts: [], overrides: "off", active_experiment_limit: 1 };
}
