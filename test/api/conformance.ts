/** Whether an exchange with the management API is as its OpenAPI document says: support for tests in workerd. */
import { dereference, type Schema, validate } from "@cfworker/json-schema";
import document from "../../src/assets/openapi.json";
import type { Answer, Client } from "./client.ts";

interface Parameter {
  name: string;
  in: string;
  required?: boolean;
  schema: Schema;
}

interface Media {
  schema: Schema;
}

interface Response {
  headers?: Record<string, { required?: boolean; schema: Schema }>;
  content?: Record<string, Media>;
}

export interface DocumentedOperation {
  id: string;
  method: string;
  /** Under the API's own path, parameters as `{id}`. */
  path: string;
  scope: string;
  parameters: Parameter[];
  /** Of fields, which a form may hold as well; an upload has none. */
  body: Schema | undefined;
  responses: Record<string, Response>;
}

export interface Exchange {
  method: string;
  /** With its query. */
  path: string;
  /** Of JSON; undefined where none was sent, or something else was. */
  body?: unknown;
  answer: Answer;
}

const room = "/experimentation";
const root = structuredClone(document) as unknown as Record<string, unknown>;
const lookup = dereference(root as Schema);

/** Follows a reference within the document, if it is one. */
function resolved<T>(node: T | { $ref: string }): T {
  const { $ref } = node as { $ref?: string };
  if ($ref === undefined) return node as T;
  const found = $ref
    .slice(2)
    .split("/")
    .reduce((inner, key) => (inner as Record<string, unknown>)[key], root as unknown);
  return found as T;
}

function errorsOf(value: unknown, schema: Schema): string[] {
  const { errors } = validate(value, schema, "2020-12", lookup, false);
  return errors.map(({ instanceLocation, error }) => `${instanceLocation}: ${error}`);
}

type Node = Record<string, Record<string, Record<string, unknown>>>;

export const documentedOperations: readonly DocumentedOperation[] = Object.entries(root.paths as Node).flatMap(
  ([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => {
      const { content } = (operation.requestBody ?? {}) as { content?: Record<string, Media> };
      const responses = operation.responses as Record<string, Response>;
      return {
        id: operation.operationId as string,
        method: method.toUpperCase(),
        path: path.slice(room.length),
        scope: ((operation.security as { bearer: string[] }[])[0]?.bearer ?? [])[0] ?? "",
        parameters: (operation.parameters as Parameter[]).map((one) => resolved<Parameter>(one)),
        body: content?.["application/x-www-form-urlencoded"]?.schema,
        responses: Object.fromEntries(
          Object.entries(responses).map(([status, response]) => [status, resolved<Response>(response)]),
        ),
      };
    }),
);

/** The operation an address leads to; a word goes before a parameter. */
export function documentedOperation(method: string, path: string): DocumentedOperation | undefined {
  const [bare = ""] = path.split("?");
  const fits = documentedOperations.filter(
    (operation) =>
      operation.method === method && new RegExp(`^${operation.path.replaceAll(/\{\w+\}/g, "[^/]+")}$`).test(bare),
  );
  return fits.sort((a, b) => a.path.split("{").length - b.path.split("{").length)[0];
}

/** Which codes may come with which status. */
export function documentedCodes({ responses }: DocumentedOperation): { status: number; code: string }[] {
  return Object.entries(responses).flatMap(([status, { content }]) => {
    const schema = content?.["application/json"]?.schema as { properties?: { errorCode?: { enum: string[] } } };
    const codes = schema?.properties?.errorCode?.enum ?? [];
    return codes.map((code) => ({ status: Number(status), code }));
  });
}

/** Everything in which an exchange is not as documented; empty when it is. */
export function faultsOf(exchange: Exchange): string[] {
  const { method, path, answer } = exchange;
  const operation = documentedOperation(method, path);
  if (operation === undefined) return [`${method} ${path} is not documented`];
  const response = operation.responses[answer.status];
  const faults =
    response === undefined
      ? [`status ${answer.status} is not documented: ${answer.text}`]
      : [...answerFaults(response, answer), ...requestFaults(operation, exchange)];
  return faults.map((fault) => `${operation.id}: ${fault}`);
}

function answerFaults({ headers = {}, content }: Response, answer: Answer): string[] {
  const faults: string[] = [];
  for (const [name, given] of Object.entries(headers)) {
    const { required, schema } = resolved<{ required?: boolean; schema: Schema }>(given);
    const text = answer.headers.get(name);
    if (text === null && required === true) faults.push(`${answer.status} lacks ${name}`);
    if (text !== null) faults.push(...errorsOf(typed(text, schema), schema).map((error) => `${name} ${error}`));
  }
  for (const name of ["x-ratelimit-limit", "www-authenticate", "retry-after"]) {
    const isTold = Object.keys(headers).some((one) => one.toLowerCase() === name);
    if (answer.headers.has(name) && !isTold) faults.push(`${answer.status} has ${name}, which is not documented`);
  }
  if (content === undefined) {
    if (answer.text !== "") faults.push(`${answer.status} has a body`);
    return faults;
  }
  const [type = ""] = (answer.headers.get("content-type") ?? "").split(";");
  const media = content[type];
  if (media === undefined) return [...faults, `${answer.status} is of type ${JSON.stringify(type)}`];
  return [...faults, ...errorsOf(answer.body, media.schema)];
}

/** What the document calls wrong must have been refused. The other way round, it cannot say all that is checked. */
function requestFaults(operation: DocumentedOperation, { path, body, answer }: Exchange): string[] {
  // A dry run is told what is wrong.
  if (answer.status >= 300 || answer.body?.dry_run === true) return [];
  const known = operation.parameters.filter((parameter) => parameter.in === "query");
  const query = new URLSearchParams(path.split("?")[1]);
  const faults = known
    .filter(({ name, required }) => required === true && !query.has(name))
    .map(({ name }) => `${name} was not asked for`);
  for (const [name, text] of query) {
    const parameter = known.find((one) => one.name === name);
    if (parameter === undefined && known.some(isOpen)) continue;
    if (parameter === undefined) faults.push(`accepts the parameter ${name}`);
    else faults.push(...errorsOf(typed(text, parameter.schema), parameter.schema).map((e) => `${name} ${e}`));
  }
  if (operation.body !== undefined && body !== undefined) {
    faults.push(...errorsOf(body, operation.body).map((error) => `accepts ${error}`));
  }
  return faults;
}

/** Whether a parameter stands for any name. */
export function isOpen({ in: place, schema }: Parameter): boolean {
  return place === "query" && schema.type === "object";
}

/** Whether the document allows a body. */
export function allows(operation: DocumentedOperation, body: unknown): boolean {
  return operation.body !== undefined && errorsOf(body, operation.body).length === 0;
}

function typed(text: string, schema: Schema): unknown {
  return schema.type === "integer" || schema.type === "number" ? Number(text) : text;
}

/** What every operation may answer, whatever it does. */
export const commonCodes: ReadonlySet<string> = new Set([
  "invalid_body",
  "invalid_query_string",
  "tenant_required",
  "snapshot_too_large",
  "invalid_token",
  "invalid_signature",
  "insufficient_scope",
  "feature_not_entitled",
  "tenant_not_found",
  "body_too_large",
  "unsupported_media_type",
  "too_many_requests",
  "internal_error",
  "issuer_unavailable",
  "control_unavailable",
]);

/** The client, all of whose exchanges are checked against the document. */
export function conforming(client: Client, onExchange: (method: string, path: string) => void = () => {}): Client {
  async function send(method: string, path: string, body?: unknown, headers?: Record<string, string>) {
    const answer = await client.send(method, path, body, headers);
    const isJson = typeof body === "object" && body !== null && Object.getPrototypeOf(body) === Object.prototype;
    const sent = isJson ? { body: JSON.parse(JSON.stringify(body)) } : {};
    const faults = faultsOf({ method, path, ...sent, answer });
    if (faults.length > 0) throw new Error(`not as documented: ${faults.join("; ")}`);
    onExchange(method, path);
    return answer;
  }
  return through(client, send);
}

/** The client, with another way of sending. */
export function through(client: Client, send: Client["send"]): Client {
  async function expectOk(method: string, path: string, body?: unknown) {
    const answer = await send(method, path, body);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
    return answer.body;
  }
  return {
    ...client,
    send,
    get: (path) => expectOk("GET", path),
    post: (path, body) => expectOk("POST", path, body),
    patch: (path, body) => expectOk("PATCH", path, body),
    delete: async (path) => void (await expectOk("DELETE", path)),
  };
}
