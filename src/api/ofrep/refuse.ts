/** How OFREP 0.3 says no. A key is told in answers about one flag only. */
import { rateHeaders } from "../management/refusal-body.ts";
import type { Refusal } from "../serving/desk.ts";

export type OfrepCode = "PARSE_ERROR" | "TARGETING_KEY_MISSING" | "INVALID_CONTEXT" | "GENERAL" | "FLAG_NOT_FOUND";

export interface Failure {
  errorCode: OfrepCode;
  errorDetails: string;
}

/** Also of one flag among many. */
export function failureOf(key: string, { errorCode, errorDetails }: Failure) {
  return { key, errorCode, errorDetails };
}

export function fail(
  failure: Failure,
  {
    key,
    status = failure.errorCode === "FLAG_NOT_FOUND" ? 404 : 400,
    headers = {},
  }: { key: string | null; status?: number; headers?: Record<string, string> },
): Response {
  const body = key === null ? failure : failureOf(key, failure);
  return Response.json(body, { status, headers: { "cache-control": "no-store", ...headers } });
}

/** What the protocol knows no code for. */
export function refuse(status: number, errorDetails: string, headers: Record<string, string> = {}): Response {
  return Response.json({ errorDetails }, { status, headers: { "cache-control": "no-store", ...headers } });
}

/** Seconds until a circuit has probed again. */
const retrySeconds = "5";

export function refuseClient(refusal: Refusal): Response {
  if (refusal.refused === "unavailable") {
    return refuse(503, "No configuration can be read now: go on with defaults, and try again.", {
      "retry-after": retrySeconds,
    });
  }
  // Bare, says the protocol.
  const bare = (status: number, headers: Record<string, string> = {}) =>
    new Response(null, { status, headers: { "cache-control": "no-store", ...headers } });
  if ("rate" in refusal) return bare(429, rateHeaders(refusal.rate));
  return refusal.refused === "not_entitled" ? bare(403) : bare(401, { "www-authenticate": "Bearer" });
}
