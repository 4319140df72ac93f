/** Answers to what is refused: by status, with the codes that may come. */
import { type ManagementCode, problems } from "../../src/model/problem.ts";
import type { JsonSchema } from "./json-schema.ts";
import { referenceTo } from "./json-schema.ts";

/** What every operation may answer, whatever it does. */
const common: readonly ManagementCode[] = [
  "invalid_query_string",
  "tenant_required",
  "invalid_token",
  "invalid_signature",
  "insufficient_scope",
  "feature_not_entitled",
  "tenant_not_found",
  "too_many_requests",
  "internal_error",
  "issuer_unavailable",
  "control_unavailable",
];
const withBody: readonly ManagementCode[] = ["invalid_body", "body_too_large", "unsupported_media_type"];
const withWrite: readonly ManagementCode[] = ["snapshot_too_large"];

/** Shared answers, by status. */
const shared: Readonly<Record<number, string>> = {
  401: "Unauthorized",
  403: "Forbidden",
  404: "TenantNotFound",
  413: "ContentTooLarge",
  415: "UnsupportedMediaType",
  429: "TooManyRequests",
  500: "InternalServerError",
  503: "ServiceUnavailable",
};

/** In the order of the table of problems. */
export function codesOf(options: {
  own: readonly ManagementCode[];
  hasBody: boolean;
  writes: boolean;
}): ManagementCode[] {
  const codes = new Set([
    ...common,
    ...(options.hasBody ? withBody : []),
    ...(options.writes ? withWrite : []),
    ...options.own,
  ]);
  return (Object.keys(problems) as ManagementCode[]).filter((code) => codes.has(code));
}

const everywhere = byStatus([...common, ...withBody]);

export const sharedRefusals = Object.fromEntries(
  Object.entries(shared).map(([status, name]) => [name, refusal(everywhere[Number(status)] ?? [])]),
);

export function refusalsOf(codes: readonly ManagementCode[]): Record<string, JsonSchema> {
  return Object.fromEntries(
    Object.entries(byStatus(codes)).map(([status, ofStatus = []]) => {
      const name = shared[Number(status)];
      const isShared = name !== undefined && ofStatus.join() === everywhere[Number(status)]?.join();
      return [status, isShared ? { $ref: `#/components/responses/${name}` } : refusal(ofStatus)];
    }),
  );
}

function byStatus(codes: readonly ManagementCode[]): Partial<Record<number, ManagementCode[]>> {
  return Object.groupBy(codes, (code) => problems[code].status);
}

function refusal(codes: readonly ManagementCode[]): JsonSchema {
  const [first] = codes;
  if (first === undefined) throw new Error("a refusal without a code");
  return {
    description: codes.map((code) => `- \`${code}\`: ${problems[code].title}`).join("\n"),
    headers: headersOf(problems[first].status),
    content: {
      "application/json": {
        schema: {
          $ref: referenceTo("Refusal"),
          properties: { errorCode: { enum: codes } },
        },
      },
    },
  };
}

/** Which headers an answer of this status has, or may have. */
export function headersOf(status: number, own: readonly string[] = []): JsonSchema {
  const names = [
    ...own,
    "X-Correlation-Id",
    "X-RateLimit-Limit",
    "X-RateLimit-Remaining",
    "X-RateLimit-Reset",
    ...(status === 401 || status === 403 ? ["WWW-Authenticate"] : []),
    ...(status === 429 ? ["Retry-After"] : []),
  ];
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}
