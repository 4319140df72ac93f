/** Error responses in the shape of Auth0's management API, which the native fetch API has too. */
import type { Rate } from "../../control/rate-limit.ts";

const reasons: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  409: "Conflict",
  413: "Payload Too Large",
  415: "Unsupported Media Type",
  429: "Too Many Requests",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

export function refusalBody(status: number, message: string, errorCode: string) {
  return { statusCode: status, error: reasons[status], message, errorCode };
}

export function rateHeaders(rate: Rate | undefined): Record<string, string> {
  if (rate === undefined) return {};
  return {
    "x-ratelimit-limit": String(rate.limit),
    "x-ratelimit-remaining": String(rate.remaining),
    "x-ratelimit-reset": String(rate.resetAt),
    ...(rate.isExceeded ? { "retry-after": String(rate.retryAfter) } : {}),
  };
}
