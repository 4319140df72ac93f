/**
 * Pages for people, on admin hosts. A request is of a session or gets no further than the sign-in page; what changes anything
 * comes from a form of that session; everything else the management API decides.
 */
import { base64url } from "jose";
import { createKeyring, type SigningKey } from "../assignment/keyring.ts";
import { signOverride } from "../assignment/override.ts";
import type { Tenant } from "../model/tenant.ts";
import { assetsPath, dashboardPath, ownPage, signInPath } from "./address.ts";
import { type Call, createApi, Refused } from "./api.ts";
import { type Assets, serveAsset } from "./assets.ts";
import { isForeign, isSameKey } from "./forgery.ts";
import { formKeyField } from "./forms/form.tsx";
import { renderDoor, renderPage } from "./layout.tsx";
import { failedPage, missingPage, refusedPage } from "./pages/refused.tsx";
import { readerOf } from "./parts/reader.tsx";
import { createRouter } from "./routes.ts";
import { cookieOf, createSessions, type EndedSessions, type OpenedSession, readCookie } from "./session.ts";
import { askWho, renderSignIn, signIn } from "./sign-in.tsx";
import { type Health, mayOf, type Reply, type Visit } from "./visit.ts";

export interface DashboardOptions {
  cookieKeys: readonly SigningKey[];
  tenants: readonly Tenant[];
  /** Null while the settings are wrong. */
  health: () => Health | null;
  now: () => number;
}

/** What a request comes with. */
export interface Surroundings {
  call: Call;
  assets: Assets | undefined;
  ended: EndedSessions;
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
/** What the pages load and where they send forms is ours alone; nothing may frame them; nothing inline runs. */
const policy = [
  "default-src 'none'",
  ...["script-src", "style-src", "img-src", "connect-src", "form-action"].map((name) => `${name} 'self'`),
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");
const guards = {
  "content-security-policy": policy,
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  // Not `no-referrer`: forms would then come from the origin "null".
  "referrer-policy": "same-origin",
  "cache-control": "no-store",
};

export function createDashboard({ cookieKeys, tenants, health, now }: DashboardOptions): Dashboard {
  const sessions = createSessions(cookieKeys, now);
  const keyring = createKeyring(cookieKeys, (call) => call());
  const find = createRouter();
  const hasTenants = tenants.length > 1;

  async function answer(request: Request, url: URL, { call, assets, ended }: Surroundings): Promise<Response> {
    const { method } = request;
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
      const form = isLook ? null : await readForm(request, mostSignInBytes);
      if (form instanceof Response) return form;
      if (form === null)
        return session === null ? door(url) : seeOther(ownPage(url.searchParams.get("to"), url.origin));
      const outcome = await signIn(form, call, sessions, url.origin);
      if ("error" in outcome) {
        const to = ownPage(form.get("to"), url.origin);
        const page = renderSignIn({ error: outcome.error, tenant: form.get("tenant") ?? "", to, hasTenants });
        return new Response(page, { status: outcome.status, headers: html });
      }
      return seeOther(outcome.to, cookieOf(await sessions.seal(outcome.session, url.host), url, dashboardPath));
    }
    if (session === null) return turnAway(url, isLook, cookie !== null);
    const form = isLook ? new URLSearchParams() : await readForm(request, mostFormBytes);
    if (form instanceof Response) return form;
    const who = await askWho(call, session.token, session.tenant);
    if (!who.ok && who.refusal.status === 401) return turnAway(url, isLook, true);
    const visit: Visit = {
      url,
      params: {},
      form,
      api: createApi(call, session),
      caller: who.ok ? who.body : { actor: "", scopes: [], tenant: session.tenant },
      session,
      tenant: tenants.find(({ id }) => id === session.tenant) ?? unknownTenant(session.tenant),
      // Which tenants there are, only the root is told.
      tenants: who.ok && who.body.actor === "root" ? tenants.map(({ id }) => id) : [session.tenant],
      reader: readerOf(request),
      health: health(),
      nowMs: now(),
      may: mayOf(who.ok ? who.body.scopes : []),
      signOverride: (
        experimentId,
        { variation = null, segment = null }: { variation?: string | null; segment?: string | null },
      ) =>
        signOverride(
          keyring,
          session.tenant,
          { experimentId, variationId: variation, segmentId: segment },
          Math.floor(now() / 1000) + overrideSeconds,
        ),
    };
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
        if (cookieKeys.length === 0 || health() === null) response = unsettled();
        else response = await answer(request, url, surroundings);
      } catch (error) {
        const reference = base64url.encode(crypto.getRandomValues(new Uint8Array(6)));
        const reason = error instanceof Error ? (error.stack ?? String(error)) : String(error);
        console.error(JSON.stringify({ message: "the dashboard failed", path: url.pathname, reference, reason }));
        response = new Response(renderDoor("Something failed", failedPage(reference)), { status: 500, headers: html });
      }
      for (const [name, value] of Object.entries(guards)) {
        if (name !== "cache-control" || !response.headers.has(name)) response.headers.set(name, value);
      }
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

/** Files are read as the text that they are. @returns the answer where it is no form of ours */
async function readForm(request: Request, mostBytes: number): Promise<URLSearchParams | Response> {
  const type = request.headers.get("content-type") ?? "";
  const length = request.headers.get("content-length");
  if (length === null) return plain(411, "Say how long it is.");
  if (Number(length) > mostBytes) return plain(413, "The form is too large.");
  if (/^application\/x-www-form-urlencoded\b/i.test(type)) {
    return new URLSearchParams(new TextDecoder().decode(await request.arrayBuffer()));
  }
  if (!/^multipart\/form-data\b/i.test(type)) return plain(415, "Send a form.");
  try {
    const parts = [...(await request.formData())] as [string, string | File][];
    const texts = parts.map(async ([name, part]) => [name, typeof part === "string" ? part : await part.text()]);
    return new URLSearchParams((await Promise.all(texts)) as string[][]);
  } catch {
    return plain(400, "The form cannot be read.");
  }
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

function seeOther(to: string, cookie?: string): Response {
  return new Response(null, { status: 303, headers: { location: to, ...(cookie ? { "set-cookie": cookie } : {}) } });
}

function plain(status: number, text: string, headers: Record<string, string> = {}): Response {
  return new Response(`${text}\n`, { status, headers: { "content-type": "text/plain; charset=utf-8", ...headers } });
}
