/** Answers in the shape of Auth0's management API. */
import type { ControlAnswer } from "../../control/control.ts";
import type { Rate } from "../../control/rate-limit.ts";
import { type ManagementCode, type Problem, problems } from "../../model/problem.ts";
import { rateHeaders, refusalBody } from "./refusal-body.ts";

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

/** RFC 6750, section 3. */
function challenge(status: number, code: ManagementCode): Record<string, string> {
  if (status === 401) return { "www-authenticate": 'Bearer error="invalid_token"' };
  return code === "insufficient_scope" ? { "www-authenticate": 'Bearer error="insufficient_scope"' } : {};
}
