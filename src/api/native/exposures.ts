/** Exposures, one or many: each is judged by itself, and the answer says which were not taken and what would be right. */
import * as v from "valibot";
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
import { exposureSchema, readExposure } from "./exposure.ts";
import type { Answer, Ask } from "./native.ts";
import { check, readBody } from "./read.ts";
import { refuse } from "./refuse.ts";

const mostAtOnce = 500;

const batchSchema = v.strictObject({
  exposures: v.pipe(
    v.array(v.unknown(), "must be a list"),
    v.minLength(1, "must hold at least one exposure"),
    v.maxLength(mostAtOnce, `must hold at most ${mostAtOnce} exposures`),
  ),
});
/** What was not taken. */
interface Fault {
  index: number;
  /** "" where the exposure as a whole is wrong. */
  field: string;
  message: string;
}

export function createExposures({ reporter, keyring, now }: Serving): Answer {
  return async (ask) => {
    const { request, url, client, visit } = ask;
    const body = await readBody(v.unknown(), request);
    if ("code" in body) return refuse(body);
    const isBatch = isRecord(body.value) && Object.hasOwn(body.value, "exposures");
    const batch = isBatch ? check(batchSchema, body.value, "invalid_body", "The body") : null;
    if (batch && "code" in batch) return refuse(batch);
    const exposures = batch ? batch.value.exposures : [body.value];
    const { override } = await overrideIn(keyring, client.tenant, url, now());
    let judged: Judged;
    try {
      judged = await judge(exposures, ask, override?.experimentId ?? null);
    } catch (error) {
      console.error(JSON.stringify({ message: "assignments cannot be verified", reason: messageOf(error) }));
      return refuse({ code: "events_unavailable" });
    }
    const { tellings, ignored, faults } = judged;
    if (faults.length === exposures.length) {
      const detail = faults
        .slice(0, 1)
        .map((fault) => said(fault, isBatch))
        .join("");
      return refuse({ code: "invalid_exposure", detail }, { body: { errors: faults }, headers: staleness(client) });
    }
    if (!(await reporter.record(tellings, visit))) return refuse({ code: "events_unavailable" });
    const answer = { accepted: tellings.length, ignored, errors: faults };
    return Response.json(answer, { headers: { "cache-control": "no-store", ...staleness(client) } });
  };

  async function judge(exposures: readonly unknown[], { request, url, client }: Ask, forced: string | null) {
    const atMs = now();
    const tellings: Telling[] = [];
    const ignored: { index: number; reason: "forced" }[] = [];
    const faults: Fault[] = [];
    const attributes = attributesOf({}, request, url, client);
    const occasion = { tenant: client.tenant.id, atMs, deployment: client.deployment.id, attributes };
    for (const [index, given] of exposures.entries()) {
      const parsed = v.safeParse(exposureSchema, given, { abortEarly: true });
      if (!parsed.success) {
        faults.push({ index, ...faultOf(parsed.issues) });
        continue;
      }
      const claim = await readExposure(parsed.output, client, keyring, atMs);
      if ("field" in claim) {
        faults.push({ index, ...claim });
        continue;
      }
      const { told, deviceId, userId, isOwnEvent } = claim;
      const { experiment, method } = told.assignment;
      if (method === "forced" || experiment.id === forced) ignored.push({ index, reason: "forced" });
      else {
        const source = isOwnEvent ? ("ingest" as const) : ("native" as const);
        tellings.push({ occasion: { ...occasion, source }, subject: { deviceId, userId }, told: [told] });
      }
    }
    return { tellings, ignored, faults };
  }
}

interface Judged {
  tellings: Telling[];
  ignored: { index: number; reason: "forced" }[];
  faults: Fault[];
}

const knownIn = (schema: v.GenericSchema) => (path: readonly unknown[]) =>
  knownFields(schema as unknown as Shape, path);

function faultOf(issues: readonly v.BaseIssue<unknown>[]): Pick<Fault, "field" | "message"> {
  const [issue] = issues;
  const field = String(issue?.path?.[0]?.key ?? "");
  const text = describe(issues.slice(0, 1), "It", knownIn(exposureSchema)).replace(/\.$/, "");
  const start = `${field}: `;
  return { field, message: text.startsWith(start) ? text.slice(start.length) : text };
}

function said({ index, field, message }: Fault, isBatch: boolean): string {
  const place = [...(isBatch ? [`exposures[${index}]`] : []), ...(field === "" ? [] : [field])].join(".");
  return place === "" ? `${message}.` : `${place}: ${message}.`;
}
