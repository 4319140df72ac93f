/** What a request is to an experiment, from its method, address and fetch metadata. */
import type { Address } from "../assignment/address.ts";
import { mentionsOverride } from "../assignment/override.ts";
import type { FlowName } from "../model/flow.ts";
import type { HeaderScan } from "./header-scan.ts";
import { noPath, type ParsedPath, parsePath } from "./path-pattern.ts";
import type { Rules } from "./rules.ts";

export interface Classified {
  /**
   * `pass`: a sub-resource, a WebSocket or a silent request, which concerns no experiment.
   * `document`: a page that may be newly assigned. `carry`: is stamped with what its session has.
   */
  kind: "pass" | "document" | "carry";
  /** Whether a browser goes to a page by it; a page's own call is none. */
  isNavigation: boolean;
  /** Whether the page is shown in a frame. */
  isFrame: boolean;
  /** Whether a page's script calls by it. */
  isFetch: boolean;
  /** An authorization request: a login begins, or the provider itself asks again. */
  isStart: boolean;
  /** The flow that the address belongs to; null where it is no page of a login. */
  flow: FlowName | null;
  isSignup: boolean;
  /** A page that is prerendered: it is shown later as it is, if at all. */
  isPrerender: boolean;
  /** Whether the query forces a variation on a request where none can be forced. */
  ignoresOverride: boolean;
  /** Whether the address has no part in any login, such as logout: nothing that it answers is an outcome. */
  isIgnored: boolean;
  path: ParsedPath;
}

const frames = new Set(["iframe", "frame", "embed", "object", "fencedframe"]);

/** Every header by which a client says that nobody looks at the response yet. */
const purposeHeaders = ["sec-purpose", "purpose", "x-purpose", "x-moz", "moz-purpose"] as const;

/** Why a client asks for a page before anybody looks at it. */
function purposeOf(headers: Headers): "prefetch" | "prerender" | null {
  const purpose = purposeHeaders.map((name) => headers.get(name) ?? "").join(" ");
  if (/prerender/i.test(purpose)) return "prerender";
  return /prefetch|preview|preload/i.test(purpose) ? "prefetch" : null;
}

/** What a request is where no rule has a say. */
const passed: Classified = {
  kind: "pass",
  isNavigation: false,
  isFrame: false,
  isFetch: false,
  isStart: false,
  flow: null,
  isSignup: false,
  isPrerender: false,
  isIgnored: false,
  ignoresOverride: false,
  path: noPath,
};

export function classify(request: Request, url: Address, scan: HeaderScan, rules: Rules): Classified {
  const { headers, method } = request;
  const destination = headers.get("sec-fetch-dest");
  const isFrame = destination !== null && frames.has(destination);
  const isSubResource = destination !== null && !isFrame && destination !== "empty" && destination !== "document";
  const isWebSocket = scan.upgrade && headers.get("upgrade")?.toLowerCase() === "websocket";
  // A server that echoes TRACE would show the stamp to scripts.
  if (isSubResource || isWebSocket || method === "TRACE") return passed;

  const path = parsePath(url.pathname);
  const isStart = rules.isStart(method, path, url.search);
  const page = rules.pageOf(path, url.search, isStart);
  const flow = page?.flow ?? null;
  // A service worker fetches a navigation with the destination "empty" and the mode "navigate", which no script can set.
  const isTopLevel =
    destination === "document" ||
    (destination === "empty" && headers.get("sec-fetch-mode") === "navigate") ||
    (destination === null && (isStart || headers.get("accept")?.includes("text/html") === true));
  const isNavigation = isFrame || isTopLevel;
  const as = (kind: Classified["kind"], isPrerender = false): Classified => ({
    kind,
    isNavigation,
    isFrame,
    isFetch: !isNavigation && destination === "empty",
    isStart,
    flow,
    isSignup: page?.isSignup === true,
    isPrerender,
    isIgnored: flow === null && rules.isIgnored(path),
    ignoresOverride: kind !== "document" && (isNavigation || destination === null) && mentionsOverride(url),
    path,
  });

  // OpenID Connect Core section 3.1.2.1: prompt=none must show no page, so there is nothing to experiment on.
  if (isStart && /[?&]prompt=(?:[^&]*(?:\+|%20))?none(?:\+|%20|&|$)/.test(url.search)) return as("pass");
  const purpose = scan.purpose ? purposeOf(headers) : null;
  if (purpose !== null) return as("carry", purpose === "prerender" && isTopLevel);
  if (flow === null || isFrame) return as("carry");
  // The POST bindings of OpenID Connect (section 3.1.2.1) and SAML begin a login with a POST.
  if (method !== "GET" && !(method === "POST" && isStart)) return as("carry");
  // A tool such as curl accepts anything; it may be forced all the same.
  const isForcedByTool = destination === null && mentionsOverride(url);
  return as(isTopLevel || isForcedByTool ? "document" : "carry");
}
