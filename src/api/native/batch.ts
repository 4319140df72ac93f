/** A POST that reports one event or a list of them: each is validated by itself, and a wrong one costs no other. */
import * as v from "valibot";
import { cookieName, cookieValues } from "../../assignment/cookies.ts";
import { readDeviceId } from "../../assignment/device-cookie.ts";
import type { Occasion } from "../../assignment/event.ts";
import { isSessionOf, readSession } from "../../assignment/session.ts";
import { messageOf } from "../../assignment/sources.ts";
import { describe } from "../management/issues.ts";
import { knownFields } from "../management/known-fields.ts";
import type { Shape } from "../management/shape.ts";
import { staleness } from "../serving/desk.ts";
import type { Serving } from "../serving/front.ts";
import { isRecord } from "../serving/json.ts";
import { overrideIn } from "../serving/override.ts";
import type { Telling } from "../serving/report.ts";
import { attributesOf } from "../serving/user.ts";
import type { Answer, Ask } from "./native.ts";
import { check, readBody } from "./read.ts";
import { type NativeCode, refuse } from "./refuse.ts";

const maxItems = 500;

/** What is wrong with one field of an item, and what would be right. */
export interface FieldError {
  /** "" where the item as a whole is wrong. */
  field: string;
  message: string;
}

interface ItemError extends FieldError {
  index: number;
}

export type IgnoredReason = "forced" | "no_experiment";

/** What an item has to be told to the ledger, why nothing of it counts, or what is wrong with it. */
export type ItemResult = { telling: Telling } | { ignored: IgnoredReason } | FieldError;

export interface BatchContext extends Ask {
  nowMs: number;
  /** All but the source: the same for every item. */
  occasion: Omit<Occasion, "source">;
  /** Whether the request's query forces a variation, or QA has forced one in the browser's login at the gate. */
  isForced: boolean;
}

export interface BatchKind<Schema extends v.GenericSchema> {
  /** The list's name in the body. */
  name: "exposures" | "outcomes";
  schema: Schema;
  /** The refusal where not one item can be recorded. */
  invalidCode: NativeCode;
  /** @throws (by rejecting) when it cannot be verified now, so that the client has to send it again */
  readItem(item: v.InferOutput<Schema>, context: BatchContext): Promise<ItemResult>;
}

interface Results {
  tellings: Telling[];
  ignored: { index: number; reason: IgnoredReason }[];
  errors: ItemError[];
}

export function createBatchHandler<Schema extends v.GenericSchema>(
  { name, schema, invalidCode, readItem }: BatchKind<Schema>,
  { reporter, keyring, now }: Serving,
): Answer {
  const batchSchema = v.strictObject({
    [name]: v.pipe(
      v.array(v.unknown(), "must be a list"),
      v.minLength(1, `must hold at least one ${name.slice(0, -1)}`),
      v.maxLength(maxItems, `must hold at most ${maxItems} ${name}`),
    ),
  });
  const knownAt = (path: readonly unknown[]) => knownFields(schema as unknown as Shape, path);

  function schemaError(issues: readonly v.BaseIssue<unknown>[]): FieldError {
    const [issue] = issues;
    const field = String(issue?.path?.[0]?.key ?? "");
    const text = describe(issues.slice(0, 1), "It", knownAt).replace(/\.$/, "");
    const start = `${field}: `;
    return { field, message: text.startsWith(start) ? text.slice(start.length) : text };
  }

  function errorText({ index, field, message }: ItemError, isBatch: boolean): string {
    const place = [...(isBatch ? [`${name}[${index}]`] : []), ...(field === "" ? [] : [field])].join(".");
    return place === "" ? `${message}.` : `${place}: ${message}.`;
  }

  /** A page of the login reports with the login's own cookies. */
  async function isForcedLogin({ request, url, client: { tenant } }: Ask, nowMs: number): Promise<boolean> {
    const cookies = request.headers.get("cookie");
    const scope = { secure: url.protocol === "https:" };
    const session = await readSession(keyring, tenant.id, cookieValues(cookies, cookieName("vst_ses", scope)), nowMs);
    if (session === null || session === "unassigned" || !session.isForced) return false;
    return isSessionOf(session, await readDeviceId(keyring, tenant, cookies, scope));
  }

  async function readItems(items: readonly unknown[], context: BatchContext): Promise<Results> {
    const results: Results = { tellings: [], ignored: [], errors: [] };
    for (const [index, item] of items.entries()) {
      const parsed = v.safeParse(schema, item, { abortEarly: true });
      const result = parsed.success ? await readItem(parsed.output, context) : schemaError(parsed.issues);
      if ("telling" in result) results.tellings.push(result.telling);
      else if ("ignored" in result) results.ignored.push({ index, reason: result.ignored });
      else results.errors.push({ index, field: result.field, message: result.message });
    }
    return results;
  }

  return async (ask) => {
    const { request, url, client, visit } = ask;
    const body = await readBody(v.unknown(), request);
    if ("code" in body) return refuse(body);
    const isBatch = isRecord(body.value) && Object.hasOwn(body.value, name);
    const batch = isBatch ? check(batchSchema, body.value, "invalid_body", "The body") : null;
    if (batch && "code" in batch) return refuse(batch);
    const items: readonly unknown[] = batch ? (batch.value[name] ?? []) : [body.value];
    const nowMs = now();
    const attributes = attributesOf({}, request, url, client);
    const occasion = { tenant: client.tenant.id, atMs: nowMs, deployment: client.deployment.id, attributes };
    let results: Results;
    try {
      const { override } = await overrideIn(keyring, client.tenant, url, nowMs);
      const context = { ...ask, nowMs, occasion, isForced: override !== null || (await isForcedLogin(ask, nowMs)) };
      results = await readItems(items, context);
    } catch (error) {
      console.error(JSON.stringify({ message: `${name} cannot be verified`, reason: messageOf(error) }));
      return refuse({ code: "events_unavailable" });
    }
    const { tellings, ignored, errors } = results;
    const [first] = errors;
    if (first && errors.length === items.length) {
      const detail = errorText(first, isBatch);
      return refuse({ code: invalidCode, detail }, { body: { errors }, headers: staleness(client) });
    }
    if (!(await reporter.record(tellings, visit))) return refuse({ code: "events_unavailable" });
    const answer = { accepted: tellings.length, ignored, errors };
    return Response.json(answer, { headers: { "cache-control": "no-store", ...staleness(client) } });
  };
}
