/** Every way in which the native fetch API says no, in the shape of the management API; docs/problems.md says what to do. */
import { rateHeaders, refusalBody } from "../management/refusal-body.ts";
import type { Refusal } from "../serving/desk.ts";

export const nativeProblems = {
  invalid_query_string: { status: 400, title: "Invalid request query string." },
  invalid_body: { status: 400, title: "Invalid request body." },
  subject_required: { status: 400, title: "Name the subject: device_id, user_id or both." },
  invalid_exposure: { status: 400, title: "There is nothing to record." },
  invalid_key: { status: 401, title: "Unknown or revoked deployment key." },
  feature_not_entitled: { status: 403, title: "Experiment Center is not enabled for this tenant" },
  address_not_found: { status: 404, title: "There is nothing at this address." },
  method_not_allowed: { status: 405, title: "This address does not take that method." },
  body_too_large: { status: 413, title: "The request body is too large." },
  unsupported_media_type: { status: 415, title: "Send application/json." },
  too_many_requests: { status: 429, title: "Too many requests; wait for as many seconds as Retry-After says." },
  configuration_unavailable: { status: 503, title: "No configuration can be read now; go on without, and try again." },
  events_unavailable: { status: 503, title: "Nothing can be recorded now; send it again." },
} as const satisfies Record<string, { status: number; title: string }>;

export type NativeCode = keyof typeof nativeProblems;

/** What keeps a request from being answered. */
export interface Refused {
  code: NativeCode;
  /** Said after the title: what is wrong here, and what would be right. */
  detail?: string;
}

export function isRefused(value: object): value is Refused {
  return "code" in value;
}

/** Of 503s: by then a circuit has probed again. */
const retrySeconds = "5";

export function refuse(
  { code, detail }: Refused,
  { headers = {}, body = {} }: { headers?: Record<string, string>; body?: object } = {},
): Response {
  const { status, title } = nativeProblems[code];
  const message = detail === undefined ? title : `${title} ${detail}`;
  return Response.json(
    { ...refusalBody(status, message, code), ...body },
    {
      status,
      headers: {
        "cache-control": "no-store",
        ...(status === 401 ? { "www-authenticate": "Bearer" } : {}),
        ...(status === 503 ? { "retry-after": retrySeconds } : {}),
        ...headers,
      },
    },
  );
}

const codes = {
  unknown_key: "invalid_key",
  not_entitled: "feature_not_entitled",
  unavailable: "configuration_unavailable",
  too_many_requests: "too_many_requests",
} as const satisfies Record<Refusal["refused"], NativeCode>;

export function refuseClient(refusal: Refusal): Response {
  return refuse({ code: codes[refusal.refused] }, { headers: "rate" in refusal ? rateHeaders(refusal.rate) : {} });
}
