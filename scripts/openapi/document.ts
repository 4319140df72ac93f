/** The OpenAPI document of the management API, made of the schemas that validate and of words. */
import { uploadFormats } from "../../src/api/management/cohort-members.ts";
import type { Operation } from "../../src/api/management/operation.ts";
import { operations } from "../../src/api/management/operations.ts";
import { scopes } from "../../src/model/token.ts";
import { answers, parts } from "./answers.ts";
import { described } from "./described.ts";
import { componentsOf, type JsonSchema, referenceTo } from "./json-schema.ts";
import type { OperationWords } from "./operation-words.ts";
import { pathParameters, queryParameters } from "./parameters.ts";
import { codesOf, headersOf, refusalsOf, sharedRefusals } from "./refusals.ts";
import { headers, requestHeaders } from "./words/headers.ts";
import { introduction } from "./words/introduction.ts";
import { topics } from "./words/topics.ts";

const base = "/api/v2";
const room = "/experimentation";

/** @throws when an operation lacks its words, or words their operation */
export function createDocument(): JsonSchema {
  const known: Readonly<Record<string, Operation>> = operations;
  const told = topics.flatMap((topic) => Object.keys(topic.operations));
  const silent = Object.keys(known).filter((name) => !told.includes(name));
  const idle = told.filter((name) => !Object.hasOwn(known, name));
  if (silent.length > 0) throw new Error(`scripts/openapi/words lacks ${silent.join(", ")}`);
  if (idle.length > 0)
    throw new Error(`scripts/openapi/words tells of ${idle.join(", ")}, which the API does not know`);

  const bodies = Object.fromEntries(
    Object.entries(known).flatMap(([name, { body }]) =>
      body === undefined || toldOf(name)?.body !== undefined ? [] : [[bodyName(name), body]],
    ),
  );
  const paths: Record<string, Record<string, JsonSchema>> = {};
  for (const topic of topics) {
    for (const [name, words] of Object.entries(topic.operations)) {
      const operation = known[name] as Operation;
      const path = room + operation.path.replaceAll(/:(\w+)/g, "{$1}");
      paths[path] ??= {};
      paths[path][operation.method.toLowerCase()] = operationOf(name, operation, words, topic.name);
    }
  }
  return {
    openapi: "3.1.0",
    info: introduction,
    servers: [{ url: base, description: "On an admin host of the deployment." }],
    tags: topics.map(({ name, description }) => ({ name, description })),
    paths,
    components: {
      schemas: described(componentsOf({ ...answers, ...parts, ...bodies }), { Refusal: refusal }),
      parameters: requestHeaders,
      headers,
      responses: sharedRefusals,
      securitySchemes: {
        bearer: {
          type: "http",
          scheme: "bearer",
          description: `The root token, a token made here, or a JWT of the tenant's own issuer. Scopes: ${scopes.join(", ")}.`,
        },
      },
    },
  };
}

function operationOf(name: string, operation: Operation, words: OperationWords, tag: string): JsonSchema {
  const { method, path, scope, query, body, success } = operation;
  const parameters = [...pathParameters(path), ...(query === undefined ? [] : queryParameters(query, name))];
  const codes = codesOf({
    own: words.refusals,
    hasBody: body !== undefined,
    writes: method !== "GET" && scope !== "read:experimentation" && words.commits !== false,
  });
  return {
    operationId: name,
    tags: [tag],
    summary: words.summary,
    description: words.description,
    security: [{ bearer: [scope] }],
    parameters: [
      ...parameters,
      ...Object.keys(requestHeaders).map((one) => ({ $ref: `#/components/parameters/${one}` })),
    ],
    ...(body === undefined ? {} : { requestBody: requestBodyOf(words.body ?? bodyName(name)) }),
    ...(words.uploads === undefined ? {} : { requestBody: uploadOf(words.uploads) }),
    responses: { [success]: successOf(success, words), ...refusalsOf(codes) },
  };
}

function requestBodyOf(name: string): JsonSchema {
  const media = { schema: { $ref: referenceTo(name) } };
  return { required: true, content: { "application/json": media, "application/x-www-form-urlencoded": media } };
}

function uploadOf(name: string): JsonSchema {
  const media = Object.entries(uploadFormats).map(([type, format]) => [
    type,
    { schema: format === "json" ? { $ref: referenceTo(name) } : { type: "string" } },
  ]);
  return { required: true, content: Object.fromEntries(media) };
}

function successOf(status: number, { answer, lines, headers: own = [] }: OperationWords): JsonSchema {
  const content = {
    "application/json": { schema: { $ref: referenceTo(answer ?? "") } },
    ...(lines === undefined ? {} : { "application/x-ndjson": { schema: lines } }),
  };
  if ((status === 204) !== (answer === undefined)) throw new Error("a 204, and nothing else, has no body");
  return {
    description: status === 204 ? "Done." : status === 201 ? "Made." : "The answer.",
    headers: headersOf(status, own),
    ...(answer === undefined ? {} : { content }),
  };
}

function toldOf(operation: string): OperationWords | undefined {
  return topics.find(({ operations: told }) => Object.hasOwn(told, operation))?.operations[operation];
}

/** As Auth0 names them: `create_segment` → `CreateSegmentRequestContent`. */
function bodyName(operation: string): string {
  const words = operation.split("_").map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  return `${words.join("")}RequestContent`;
}

const refusal: JsonSchema = {
  type: "object",
  properties: {
    statusCode: { type: "integer" },
    error: { type: "string" },
    message: { type: "string" },
    errorCode: { type: "string" },
  },
  required: ["statusCode", "error", "message", "errorCode"],
  additionalProperties: false,
};
