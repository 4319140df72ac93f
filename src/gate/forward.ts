/** The request to the origin and its answer to the client: theirs, hop-by-hop headers aside (RFC 9110 §7.6.1). */
import { clientIpHeader, failedOpenHeader, isOurs, type StampValues, setStampHeaders } from "./stamp.ts";

const hopByHop = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/**
 * What Connection cannot take off (RFC 9110 §7.6.1 forbids naming such fields): a client could hide its address, or an
 * answer lose its cookies.
 */
const endToEnd = /^(?:cf-.*|x-forwarded-.*|forwarded|host|cookie|set-cookie|cache-control|authorization|content-.*)$/;

export interface Forwarding {
  /** Undefined: the Route topology, where the request is fetched as it came. */
  origin: string | undefined;
  /** The query to send; the request's own bytes unless the tenant stamps the query. */
  search: string | undefined;
  stamp: StampValues | null;
  failedOpen: string | null;
  signedClientIp: string | null;
}

/** Names in `headers` that must not travel on. */
function unforwardable(headers: Headers, isRequest: boolean): string[] {
  const names: string[] = [];
  let connection = "";
  for (const name of headers.keys()) {
    if (name === "connection") connection = headers.get(name) ?? "";
    if (hopByHop.has(name) || (isRequest && isOurs(name))) names.push(name);
  }
  if (connection === "" || connection === "keep-alive" || connection === "close") return names;
  for (const token of connection.split(",")) {
    const name = token.trim().toLowerCase();
    if (/^[\w!#$%&'*+.^`|~-]+$/.test(name) && !endToEnd.test(name)) names.push(name);
  }
  return names;
}

/** Everything after the host as it stands, not parsed and put together again. */
function targetOf(request: Request, origin: string | undefined, search: string | undefined): string {
  let target = request.url;
  if (search !== undefined) {
    const query = target.indexOf("?");
    target = `${query < 0 ? target : target.slice(0, query)}${search}`;
  }
  return origin === undefined ? target : `${origin}${target.slice(target.indexOf("/", target.indexOf("//") + 2))}`;
}

export function forwardedRequest(request: Request, url: URL, forwarding: Forwarding): Request {
  const { origin, stamp, failedOpen, signedClientIp } = forwarding;
  const target = targetOf(request, origin, forwarding.search);
  const forwarded = new Request(
    target,
    request.redirect === "manual" ? request : new Request(request, { redirect: "manual" }),
  );
  const { headers } = forwarded;
  const isWebSocket = headers.get("upgrade")?.toLowerCase() === "websocket";
  for (const name of unforwardable(headers, true)) {
    if (!(isWebSocket && (name === "upgrade" || name === "connection"))) headers.delete(name);
  }
  if (origin !== undefined) {
    // What the origin cannot see any more: which host was asked, how, and by whom. Cloudflare has put the client into
    // X-Forwarded-For already; a client's own Host or Proto would be believed, so ours replace them.
    headers.set("x-forwarded-host", url.host);
    headers.set("x-forwarded-proto", url.protocol.slice(0, -1));
    const client = headers.get("cf-connecting-ip");
    if (client && !headers.has("x-forwarded-for")) headers.set("x-forwarded-for", client);
  }
  if (signedClientIp !== null) headers.set(clientIpHeader, signedClientIp);
  if (failedOpen !== null) headers.set(failedOpenHeader, failedOpen);
  if (stamp !== null) setStampHeaders(headers, stamp);
  return forwarded;
}

/**
 * Asks the origin. A stamped request is answered from no shared cache and fills none: those go by URL alone.
 * @throws when the connection fails.
 */
export function askOrigin(forwarded: Request, isStamped: boolean): Promise<Response> {
  return isStamped ? fetch(forwarded, { cache: "no-store" }) : fetch(forwarded);
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
  const dropped = unforwardable(response.headers, false);
  const cacheControl = response.headers.get("cache-control");
  const isShared = (isPrivate || cookies.length > 0) && cacheControl !== null && isForAll(cacheControl);
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
