/** The request to the origin and its answer to the client: theirs, hop-by-hop headers aside (RFC 9110 §7.6.1). */
import type { Address } from "../assignment/address.ts";
import { type Head, namedByConnection, proxyFields } from "./head.ts";
import { clientIpHeader, failedOpenHeader, type StampValues, setStampHeaders } from "./stamp.ts";

export interface Forwarding {
  /** Undefined: the Route topology, where the request is fetched as it came. */
  origin: string | undefined;
  /** The tenant's own headers for its origin. */
  headers: Readonly<Record<string, string>>;
  /** The query to send; the request's own bytes unless the tenant stamps the query. */
  search: string | undefined;
  stamp: StampValues | null;
  failedOpen: string | null;
  signedClientIp: string | null;
}

/** Everything after the host as it stands, not parsed and put together again. */
function targetOf({ href }: Address, origin: string | undefined, search: string | undefined): string {
  let target = href;
  if (search !== undefined) {
    const query = target.indexOf("?");
    target = `${query < 0 ? target : target.slice(0, query)}${search}`;
  }
  return origin === undefined ? target : `${origin}${target.slice(target.indexOf("/", target.indexOf("//") + 2))}`;
}

function setHeaders(headers: Headers, address: Address, head: Head, forwarding: Forwarding): void {
  const { origin, stamp, failedOpen, signedClientIp } = forwarding;
  for (const name of head.dropped) headers.delete(name);
  if (origin !== undefined) {
    // What the origin cannot see any more: which host was asked, how, and by whom. Cloudflare has put the client into
    // X-Forwarded-For already; a client's own Host or Proto would be believed, so ours replace them.
    headers.set("x-forwarded-host", address.host);
    headers.set("x-forwarded-proto", address.protocol.slice(0, -1));
    const client = head.forwardedFor ? null : headers.get("cf-connecting-ip");
    if (client) headers.set("x-forwarded-for", client);
  }
  for (const [name, value] of Object.entries(forwarding.headers)) headers.set(name, value);
  if (signedClientIp !== null) headers.set(clientIpHeader, signedClientIp);
  if (failedOpen !== null) headers.set(failedOpenHeader, failedOpen);
  if (stamp !== null) setStampHeaders(headers, stamp);
}

/** A stamped request is answered from no shared cache and fills none: those go by URL alone. */
const uncached: RequestInit = { cache: "no-store" };

/**
 * Asks the origin. Redirects are the browser's to follow.
 * @throws when the connection fails.
 */
export function askOrigin(request: Request, address: Address, head: Head, forwarding: Forwarding): Promise<Response> {
  const target = targetOf(address, forwarding.origin, forwarding.search);
  const caching = forwarding.stamp === null ? {} : uncached;
  if (request.body === null && !head.upgrade) {
    // Cheaper by far than a copy of the whole request, and nothing else of it travels.
    const headers = new Headers(request.headers);
    setHeaders(headers, address, head, forwarding);
    return fetch(target, { method: request.method, headers, redirect: "manual", ...caching });
  }
  const isManual = request.redirect === "manual";
  const forwarded = new Request(target, isManual ? request : new Request(request, { redirect: "manual" }));
  setHeaders(forwarded.headers, address, head, forwarding);
  return fetch(forwarded, caching);
}

export interface Additions {
  cookies: readonly string[];
  /** The answer depends on the stamp: no shared cache may keep it. */
  isPrivate: boolean;
}

/** Whether a shared cache may keep the answer for a while without asking (RFC 9111 §3). */
function isForAll(cacheControl: string): boolean {
  return (
    /\b(?:public|s-maxage|max-age)\b/i.test(cacheControl) && !/\b(?:private\b(?!=)|no-store\b)/i.test(cacheControl)
  );
}

function privateCacheControl(value: string): string {
  const kept = value.split(",").flatMap((part) => {
    const directive = part.trim();
    return /^(?:public|s-maxage\b.*|private)$/i.test(directive) ? [] : [directive];
  });
  return ["private", ...kept].join(", ");
}

/** The origin's answer with our additions; the very same object when there are none. */
export function answer(response: Response, { cookies, isPrivate }: Additions): Response {
  if (response.webSocket) return response;
  const { headers } = response;
  // Connection, Keep-Alive and their like the platform keeps back by itself: a plain answer is passed on uncopied.
  const dropped = namedByConnection(headers.get("connection"));
  for (const name of proxyFields) if (headers.has(name)) dropped.push(name);
  const cacheControl = isPrivate || cookies.length > 0 ? headers.get("cache-control") : null;
  const isShared = cacheControl !== null && isForAll(cacheControl);
  if (dropped.length === 0 && cookies.length === 0 && !isShared) return response;
  let changed: Response;
  try {
    changed = new Response(response.body, response);
  } catch {
    // A status outside 200–599 cannot be put together anew, only passed on.
    return response;
  }
  for (const name of dropped) changed.headers.delete(name);
  for (const cookie of cookies) changed.headers.append("set-cookie", cookie);
  if (isShared) changed.headers.set("cache-control", privateCacheControl(cacheControl));
  return changed;
}

const badGatewayPage = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Sign-in is not reachable</title><style>body{font:1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:20vh auto;padding:0 1rem;color-scheme:light dark}</style>
<h1>Sign-in is not reachable just now</h1><p>The log-in service did not answer. Please try again in a moment.</p></html>`;

/** The one answer that is ours: the origin could not be reached. */
export function badGateway(): Response {
  return new Response(badGatewayPage, {
    status: 502,
    headers: { "content-type": "text/html; charset=utf-8", "cache-control": "no-store" },
  });
}
