/** Answers in the shape of Auth0's management API. */
import type { ControlAnswer } from "../../control/control.ts";
import type { Rate } from "../../control/rate-limit.ts";
import { type ManagementCode, type Problem, problems } from "../../model/problem.ts";

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

const json = { "content-type": "application/json; charset=utf-8", "cache-control": "no-store" };

export function renderAnswer(answer: ControlAnswer, success: number, more?: Record<string, string>): Response {
  if (!answer.ok) return renderRefusal(answer, answer.rate);
  const headers = { ...rateHeaders(answer.rate), ...more };
  if (answer.json === null) return new Response(null, { status: 204, headers });
  return new Response(answer.json, { status: success, headers: { ...headers, ...json } });
}

/** What is too long to be held: one JSON value a line. */
export function renderLines(lines: ReadableStream<Uint8Array>, rate: Rate | undefined): Response {
  const headers = { ...rateHeaders(rate), ...json, "content-type": "application/x-ndjson; charset=utf-8" };
  return new Response(lines, { headers });
}

export function renderRefusal(
  { code, message }: { code: ManagementCode; message: string } | Problem,
  rate?: Rate,
  more?: Record<string, string>,
): Response {
  const { status } = problems[code];
  const body = refusalBody(status, message, code);
  const headers = { ...json, ...rateHeaders(rate), ...challenge(status, code), ...more };
  return new Response(JSON.stringify(body), { status, headers });
}

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

/** RFC 6750, section 3. */
function challenge(status: number, code: ManagementCode): Record<string, string> {
  if (status === 401) return { "www-authenticate": 'Bearer error="invalid_token"' };
  return code === "insufficient_scope" ? { "www-authenticate": 'Bearer error="insufficient_scope"' } : {};
}
