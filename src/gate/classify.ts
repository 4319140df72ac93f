/** What a request is to the experiment, told from its method and fetch metadata. */
import type { Address } from "../assignment/address.ts";
import type { Head } from "./head.ts";
import type { Rules } from "./rules.ts";

export interface Classified {
  /**
   * `pass`: a sub-resource, a WebSocket or a silent request, none of our business.
   * `document`: a page may be assigned. `carry`: goes with what the session has.
   */
  kind: "pass" | "document" | "carry";
  /** An authorize request: a new log-in begins. */
  begins: boolean;
  signup: boolean;
  /** Whether a visitor without a device may become one. A frame's cookies may be kept from us, so it may not. */
  mints: boolean;
}

const navigations = new Set(["document", "iframe", "frame", "embed", "object", "fencedframe"]);

function isPrefetch(headers: Headers): boolean {
  const purpose = headers.get("sec-purpose") ?? headers.get("purpose") ?? headers.get("x-moz") ?? "";
  return /prefetch|prerender|preview/i.test(purpose);
}

export function classify(request: Request, url: Address, head: Head, rules: Rules): Classified {
  const { headers, method } = request;
  const signup = rules.isSignup(url.pathname);
  const begins = rules.isAuthorize(url.pathname, url.search);
  const as = (kind: Classified["kind"], mints = false): Classified => ({ kind, begins, signup, mints });

  if (head.upgrade && headers.get("upgrade")?.toLowerCase() === "websocket") return as("pass");
  // OpenID Connect Core §3.1.2.1: prompt=none must show no page, so there is nothing to experiment on.
  if (begins && /[?&]prompt=(?:[^&]*(?:\+|%20))?none(?:\+|%20|&|$)/.test(url.search)) return as("pass");

  const destination = headers.get("sec-fetch-dest");
  if (destination !== null && destination !== "empty" && !navigations.has(destination)) return as("pass");
  if (method !== "GET" || destination === "empty") return as("carry");
  // Without fetch metadata (old browsers, libraries): who asks for HTML navigates, and so does an authorize request.
  if (destination === null && !begins && !headers.get("accept")?.includes("text/html")) return as("carry");
  if (!begins && !rules.isPage(url.pathname)) return as("carry");
  if (head.purpose && isPrefetch(headers)) return as("carry");
  return as("document", destination === null || destination === "document");
}
