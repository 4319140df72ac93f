/** Whether a request that changes something comes from a page of ours. */
import { timingSafeEqual } from "node:crypto";

/**
 * By what the browser says of it, which no page can change. Browsers send `Origin` with every POST; who sends neither header
 * is no browser, and carries nobody's cookies along.
 */
export function isForeign(request: Request, url: URL): boolean {
  const origin = request.headers.get("origin");
  const site = request.headers.get("sec-fetch-site");
  return (origin !== null && origin !== url.origin) || (site !== null && site !== "same-origin" && site !== "none");
}

/** In a time that tells nothing of where they differ. */
export function isSameKey(given: string, own: string): boolean {
  const encoder = new TextEncoder();
  const [a, b] = [encoder.encode(given), encoder.encode(own)];
  return a.length === b.length && timingSafeEqual(a, b);
}
