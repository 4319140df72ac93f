/** The request to the origin and its response to the client: theirs, hop-by-hop headers aside (RFC 9110 section 7.6.1). */
import type { Address } from "../assignment/address.ts";
import { type HeaderScan, namedByConnection, proxyFields } from "./header-scan.ts";
import { clientIpHeader, failedOpenHeader, type StampValues, setStampHeaders } from "./stamp.ts";

export interface Forwarding {
  /** Undefined: the Route topology, where the request is fetched as it came. */
  origin: string | undefined;
  /** The Host header that the origin wants, where it is not the origin's own. */
  originHost: string | undefined;
  /** Headers that the origin wants of every request, secret ones included. */
  originHeaders: Readonly<Record<string, string>>;
  /** The query to send; undefined: the request's own bytes. */
  search: string | undefined;
  stamp: StampValues | null;
  /** A kept copy of a page would hide the variation, so nothing may be answered "not modified". */
  dropsConditions: boolean;
  failedOpen: string | null;
  signedClientIp: string | null;
}

/**
 * Cloudflare sends the host of the address that is fetched as Host, and lets a Worker choose where to connect instead (within
 * its zone). workerd by itself, where a request has no `cf`, does not.
 */
function connectionOf(
  { origin, originHost }: Forwarding,
  request: Request,
): { base: string | undefined; init: RequestInit } {
  if (origin === undefined || originHost === undefined || request.cf === undefined) return { base: origin, init: {} };
  const { protocol, hostname, port } = new URL(origin);
  const base = `${protocol}//${originHost}${port === "" ? "" : `:${port}`}`;
  return { base, init: { cf: { resolveOverride: hostname } } };
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

/** RFC 9110 section 13.1 */
const conditions = ["if-none-match", "if-modified-since", "if-match", "if-unmodified-since", "if-range"];

function dropConditions(headers: Headers): void {
  // The part that a browser lacks of its copy (section 14.2) may be another variation's.
  if (headers.has("if-range")) headers.delete("range");
  for (const name of conditions) headers.delete(name);
}

function portOf({ host, protocol }: Address): string {
  return /:(\d+)$/.exec(host)?.[1] ?? (protocol === "https:" ? "443" : "80");
}

/** Whatever a client said of who asks and for what was removed with `dropped`; this is what the gate has seen itself. */
function setHeaders(headers: Headers, address: Address, scan: HeaderScan, forwarding: Forwarding): void {
  const { stamp, failedOpen, signedClientIp, originHeaders } = forwarding;
  for (const name of scan.dropped) headers.delete(name);
  if (forwarding.dropsConditions) dropConditions(headers);
  headers.set("x-forwarded-host", address.host);
  headers.set("x-forwarded-proto", address.protocol.slice(0, -1));
  headers.set("x-forwarded-port", portOf(address));
  const client = headers.get("cf-connecting-ip");
  if (client !== null) headers.set("x-forwarded-for", client);
  for (const name in originHeaders) headers.set(name, originHeaders[name] ?? "");
  if (signedClientIp !== null) headers.set(clientIpHeader, signedClientIp);
  if (failedOpen !== null) headers.set(failedOpenHeader, failedOpen);
  if (stamp !== null) setStampHeaders(headers, stamp);
}

/** A stamped request is answered from no shared cache and fills none: those go by URL alone. */
const uncached: RequestInit = { cache: "no-store" };

/**
 * Sends the request to the origin. Redirects are the browser's to follow.
 * @throws (by rejecting) when the connection fails
 */
export function fetchOrigin(
  request: Request,
  address: Address,
  scan: HeaderScan,
  forwarding: Forwarding,
): Promise<Response> {
  const { base, init } = connectionOf(forwarding, request);
  const target = targetOf(address, base, forwarding.search);
  const options = forwarding.stamp === null ? init : { ...init, ...uncached };
  if (request.body === null && !scan.upgrade) {
    // Much cheaper than a copy of the whole request, and nothing else of it is needed.
    const headers = new Headers(request.headers);
    setHeaders(headers, address, scan, forwarding);
    return fetch(target, { method: request.method, headers, redirect: "manual", ...options });
  }
  const isManual = request.redirect === "manual";
  const forwarded = new Request(target, isManual ? request : new Request(request, { redirect: "manual" }));
  setHeaders(forwarded.headers, address, scan, forwarding);
  return fetch(forwarded, options);
}

export interface Additions {
  cookies: readonly string[];
  /** What caches may do: nothing changes; no shared one may keep the response; a browser asks again each time. */
  caching: "unchanged" | "private" | "revalidated";
}

/**
 * Headers by which a cache, in front of the Worker or behind it, learns how long it may keep a response, besides those
 * of one cache each, such as CDN-Cache-Control (RFC 9213).
 */
const cacheHeaders = new Set([
  ..."expires pragma age surrogate-control edge-control x-accel-expires".split(" "),
  ..."surrogate-key cache-tag edge-cache-tag".split(" "),
]);
const isCacheHeader = (name: string) => cacheHeaders.has(name) || name.endsWith("-cache-control");
/** With these a browser asks whether its copy still holds, and would be shown the copy of another variation. */
const validators = new Set(["etag", "last-modified"]);

function directivesOf(cacheControl: string | null): string[] {
  return (cacheControl ?? "").split(",").flatMap((part) => part.trim() || []);
}

function setCaching(headers: Headers, caching: Additions["caching"]): void {
  if (caching === "unchanged") return;
  const directives = directivesOf(headers.get("cache-control"));
  const says = (name: string) => directives.some((directive) => directive.toLowerCase() === name);
  const isRevalidated = caching === "revalidated";
  const dropped: string[] = [];
  for (const name of headers.keys()) {
    if (isCacheHeader(name) || (isRevalidated && validators.has(name))) dropped.push(name);
  }
  for (const name of dropped) headers.delete(name);
  if (isRevalidated) {
    const kept = says("no-transform") ? ", no-transform" : "";
    headers.set("cache-control", `private, ${says("no-store") ? "no-store" : "no-cache"}${kept}`);
    return;
  }
  const kept = directives.filter((directive) => !/^(?:public|private|s-maxage\b.*|proxy-revalidate)$/i.test(directive));
  headers.set("cache-control", ["private", ...kept].join(", "));
}

/** The origin's response with our additions; the very same object when there are none. */
export function complete(response: Response, { cookies, caching }: Additions): Response {
  if (response.webSocket) return response;
  const { headers } = response;
  // Connection, Keep-Alive and their like are removed by the platform: a plain response is passed on uncopied.
  const dropped = namedByConnection(headers.get("connection"));
  for (const name of proxyFields) if (headers.has(name)) dropped.push(name);
  if (dropped.length === 0 && cookies.length === 0 && caching === "unchanged") return response;
  let changed: Response;
  try {
    changed = new Response(response.body, response);
  } catch {
    // A status outside 200–599 cannot be put together anew, only passed on.
    return response;
  }
  for (const name of dropped) changed.headers.delete(name);
  setCaching(changed.headers, caching);
  for (const cookie of cookies) changed.headers.append("set-cookie", cookie);
  return changed;
}

const badGatewayPage = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Sign-in is not available</title><style>body{font:1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:20vh auto;padding:0 1rem;color-scheme:light dark}</style>
<h1>Sign-in is not available right now</h1><p>The login service did not respond. Please try again in a moment.</p></html>`;

/** The only response of our own: the origin could not be reached. */
export function badGateway(): Response {
  return new Response(badGatewayPage, {
    status: 502,
    headers: { "content-type": "text/html; charset=utf-8", "cache-control": "no-store" },
  });
}
