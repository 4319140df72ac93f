/** The authorization requests of a login: which begins one, and which redirect to an application ends it. */
import type { Address } from "../assignment/address.ts";
import type { Login, LoginRequest, Session } from "../assignment/session.ts";
import type { Classified } from "./classify.ts";
import { tagOf } from "./tag.ts";

/** Logins that one browser may have under way in several tabs. */
const maxRequests = 4;
const maxNameLength = 128;

function loginRequestOf({ searchParams }: Address): LoginRequest {
  const read = (name: string) => searchParams.get(name) || null;
  const state = read("state");
  const token = state ?? read("request_uri") ?? read("SAMLRequest") ?? read("request");
  const redirectUri = read("redirect_uri");
  return {
    id: token === null ? null : tagOf(`${read("client_id")} ${token}`),
    state: state === null ? null : tagOf(state),
    redirectUri: redirectUri === null ? null : redirectTagOf(redirectUri),
  };
}

/** Without query and fragment, to which the response adds. */
function redirectTagOf(uri: string): string {
  const url = URL.parse(uri);
  const text = url === null ? uri : `${url.protocol}//${url.host}${url.pathname}`;
  return tagOf(text.replace(/\/$/, ""));
}

/** The address as the browser would request it again, whatever the scheme it believes in. */
export const addressTag = (path: string, search: string): string => tagOf(`${path}${search}`);

/**
 * Whether an authorization request begins a login, rather than belonging to the one under way: many providers go through
 * their own authorization endpoint again after the password, and a realm may broker the login to another on the same host.
 */
export function startsLogin(request: Request, url: Address, { path }: Classified, session: Session | null): boolean {
  if (session === null) return true;
  if (session.redirect !== null && session.redirect === addressTag(url.pathname, url.search)) return false;
  const { login } = session;
  if (login === null) return true;
  const { headers, method } = request;
  const site = headers.get("sec-fetch-site");
  if (session.hasSucceeded && site !== null) return site !== "same-origin";
  const { id } = loginRequestOf(url);
  if (id !== null && login.requests.some((each) => each.id === id)) return false;
  if (site !== null) return site !== "same-origin";
  // A form of the provider's own page; a service provider's comes from elsewhere.
  if (method === "POST") return (headers.get("origin") ?? url.origin) !== url.origin;
  // Without fetch metadata, another authorization address on this host is that of a brokered realm.
  return login.path === tagOf(path.lower);
}

/** The login that this authorization request begins, with those still under way in other tabs. */
export function beginLogin({ method }: Request, url: Address, { path }: Classified, before: Login | null): Login {
  const read = (name: string) => url.searchParams.get(name)?.slice(0, maxNameLength) || null;
  const request = loginRequestOf(url);
  const others = (before?.requests ?? []).filter(({ id }) => id === null || id !== request.id);
  const mode = read("response_mode") ?? "";
  return {
    requests: [request, ...others].slice(0, maxRequests),
    path: tagOf(path.lower),
    clientId: read("client_id"),
    connection: read("connection"),
    organization: read("organization"),
    // Where the parameters are out of sight, in a body or in a pushed or signed request, it may be either.
    postsForm:
      mode.includes("form_post") ||
      method === "POST" ||
      ["SAMLRequest", "request_uri", "request"].some((name) => url.searchParams.has(name)),
  };
}

const loginAttributes = ["client_id", "connection", "organization_id"] as const;

/**
 * What the authorization request said holds to the login's end, although later requests do not repeat it. Where no login
 * is remembered it is left out of all of them: a page must not change in the middle of a login.
 * @param login the one under way; null at its first request
 */
export function withLoginAttributes(
  attributes: Record<string, unknown>,
  login: Login | null,
  isRemembered: boolean,
): Record<string, unknown> {
  const own = [login?.clientId, login?.connection, login?.organization];
  const changed = { ...attributes };
  for (const [at, name] of loginAttributes.entries()) {
    if (own[at]) changed[name] = own[at];
    else if (!isRemembered) delete changed[name];
  }
  return changed;
}

/** Whether a response with this state to this address answers one of the login's requests, as far as they are known. */
export function answersLogin(login: Login | null, target: string, state: string | null): boolean {
  if (login === null) return true;
  const redirectUri = redirectTagOf(target);
  return login.requests.some(
    (request) =>
      (request.redirectUri === null || request.redirectUri === redirectUri) &&
      (request.state === null || state === null || request.state === tagOf(state)),
  );
}

/** Whether the address is one that a request of this login asked to be redirected to. */
export function isRedirectUri(login: Login | null, target: string): boolean {
  return login?.requests.some((request) => request.redirectUri === redirectTagOf(target)) ?? false;
}

/** Whether the state is that of a request of this login; false where none is known. */
export function hasLoginState(login: Login | null, state: string | null): boolean {
  return state !== null && (login?.requests.some((request) => request.state === tagOf(state)) ?? false);
}
