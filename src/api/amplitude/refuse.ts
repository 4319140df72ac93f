/**
 * Refusals with statuses that Amplitude's clients do not retry: they do on 429, on 5xx and below 400, up to eight times at
 * once, whatever Retry-After says.
 */
import type { Refusal } from "../serving/desk.ts";

export interface Refused {
  status: 400 | 401 | 403 | 404 | 405 | 413 | 501 | 503;
  /** Stable, for programs. */
  code: string;
  message: string;
  headers?: Record<string, string>;
}

/** @param allow the methods that the address knows */
export function methodNotAllowed(allow: string): Refused {
  const message = `This address does not know the method: it takes ${allow}.`;
  return { status: 405, code: "method_not_allowed", message, headers: { allow } };
}

export function isRefused<T extends object>(value: T | Refusal): value is Refusal {
  return "refused" in value;
}

/** @param whenUnavailable whether a client does better to try again, or to go on with what it has */
export function refusalOf(refusal: Refusal, whenUnavailable: 404 | 503): Refused {
  switch (refusal.refused) {
    case "unknown_key":
      return { status: 401, code: "invalid_key", message: "No deployment has this key." };
    case "not_entitled":
      return { status: 403, code: "feature_not_entitled", message: "The tenant is not entitled to experiments." };
    case "too_many_requests":
      return {
        status: 403,
        code: "too_many_requests",
        message: "The key asks too often. Go on with what you have, and ask again later.",
        headers: { "retry-after": String(refusal.rate.retryAfter) },
      };
    case "unavailable":
      return {
        status: whenUnavailable,
        code: "configuration_unavailable",
        message: "The configuration cannot be read at the moment. Go on with what you have, or with your fallback.",
      };
  }
}

export function refuse({ status, code, message, headers }: Refused): Response {
  return Response.json(
    { code: status, error: code, message },
    { status, headers: { "cache-control": "no-store", "x-vestibule-refused": code, ...headers } },
  );
}

/** Why QA's wish was not granted. */
export function warningHeader(warnings: readonly string[]): Record<string, string> {
  return warnings.length > 0 ? { "x-vestibule-warning": warnings.join(", ") } : {};
}
