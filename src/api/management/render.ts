/** Answers in the shape of Auth0's management API. */
import { type ManagementCode, Problem, problems } from "../../model/problem.ts";

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

/** @param text JSON, or null where the answer has no body */
export function renderAnswer(status: number, text: string | null): Response {
  return text === null ? new Response(null, { status: 204 }) : new Response(text, { status, headers: json });
}

export function renderRefusal({ code, message }: { code: ManagementCode; message: string }): Response {
  const { status } = problems[code];
  const body = { statusCode: status, error: reasons[status], message, errorCode: code };
  return new Response(JSON.stringify(body), { status, headers: json });
}

/** A problem as it is; whatever else was thrown is a bug, logged and answered bare. */
export function renderFault(error: unknown): Response {
  if (error instanceof Problem) return renderRefusal(error);
  console.error(JSON.stringify({ message: "management API failed", reason: String(error) }));
  const body = { statusCode: 500, error: reasons[500], message: "Something failed on our side." };
  return new Response(JSON.stringify(body), { status: 500, headers: json });
}
