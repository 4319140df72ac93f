/**
 * Amplitude's event ingestion, HTTP V2 and batch: what it says of variants is counted, all else accepted and ignored, as
 * apps may send everything here. Its answers are Amplitude's, since clients go by what stands in them: which events to
 * drop, and which to send again.
 */
import type { Address } from "../../assignment/address.ts";
import { type Client, type Refusal, staleness } from "../serving/desk.ts";
import type { Serving, Speaker } from "../serving/front.ts";
import { isRecord, readJson } from "../serving/json.ts";
import { overrideIn } from "../serving/override.ts";
import type { Telling } from "../serving/report.ts";
import { attributesOf, idOf, subjectOf } from "../serving/user.ts";
import { type AmplitudeEvent, happeningsIn } from "./happenings.ts";
import { isRefused, methodNotAllowed, refusalOf, refuse } from "./refuse.ts";

/** Amplitude's own limit. */
const mostEvents = 2_000;
const longestKey = 256;

function answer(status: number, body: Record<string, unknown>, headers: Record<string, string> = {}): Response {
  return Response.json({ code: status, ...body }, { status, headers: { "cache-control": "no-store", ...headers } });
}

const missing = (field: string) => answer(400, { error: "Request missing required field", missing_field: field });

export function createEvents({ desk, reporter, keyring, now }: Serving): Speaker {
  return async (request, url, _, visit) => {
    if (request.method !== "POST") return refuse(methodNotAllowed("POST"));
    const read = await readJson(request);
    if (read === "too_large") return answer(413, { error: "Payload too large" });
    // Nothing that a client sends again will be read better: it is told that all of it is to be dropped.
    if (read === "no_json" || !isRecord(read.json))
      return answer(400, { error: "Invalid JSON request body", missing_field: "events" });
    const { api_key: key, events } = read.json;
    if (typeof key !== "string" || key === "") return missing("api_key");
    if (!Array.isArray(events)) return missing("events");
    if (events.length > mostEvents) return answer(413, { error: `Payload too large: at most ${mostEvents} events` });
    const client = await desk.admit(key.length > longestKey ? null : key, visit);
    if (isRefused(client)) return refused(client, events.length);
    const faults = faultsOf(events);
    if (faults !== null) return answer(400, { error: "Request missing required field", ...faults });
    // Whom QA has forced is in no statistics, whatever the client says of them.
    const { override } = await overrideIn(keyring, client.tenant, url, now());
    const tellings = override === null ? tellingsOf(events, { request, url, client }) : [];
    if (tellings.length > 0 && !(await reporter.record(tellings, visit))) {
      return answer(503, { error: "Events cannot be taken at the moment." });
    }
    const taken = { events_ingested: events.length, payload_size_bytes: read.size, server_upload_time: now() };
    return answer(200, taken, staleness(client));
  };

  function tellingsOf(events: readonly AmplitudeEvent[], { request, url, client }: Circumstances): Telling[] {
    const atMs = now();
    return events.flatMap((event) => {
      const { teller, told } = happeningsIn(event, client, atMs);
      if (told.length === 0) return [];
      const user = userOf(event);
      const attributes = attributesOf(user, request, url, client);
      const { tenant, deployment } = client;
      const occasion = { tenant: tenant.id, atMs, source: teller, deployment: deployment.id, attributes };
      return [{ occasion, subject: subjectOf(user), told, links: true }];
    });
  }
}

interface Circumstances {
  request: Request;
  url: Address;
  client: Client;
}

/** An event's own fields, by the names that a user's have. */
function userOf({ app_version, version_name, ...event }: AmplitudeEvent): Record<string, unknown> {
  return { ...event, version: app_version ?? version_name };
}

/** By field, the positions of events that cannot be taken without it; null when all can. */
function faultsOf(events: readonly unknown[]): Record<string, Record<string, number[]>> | null {
  const invalid: number[] = [];
  const untyped: number[] = [];
  const nobodys: number[] = [];
  for (const [position, event] of events.entries()) {
    if (!isRecord(event)) invalid.push(position);
    else if (typeof event.event_type !== "string" || event.event_type === "") untyped.push(position);
    else if (idOf(event.user_id) === null && idOf(event.device_id) === null) nobodys.push(position);
  }
  if (invalid.length + untyped.length + nobodys.length === 0) return null;
  return {
    events_with_invalid_fields: invalid.length > 0 ? { event: invalid } : {},
    events_with_missing_fields: {
      ...(untyped.length > 0 ? { event_type: untyped } : {}),
      ...(nobodys.length > 0 ? { user_id: nobodys, device_id: nobodys } : {}),
    },
  };
}

/** Clients drop events whose key is invalid, and those that are silenced; all else they send again, up to twelve times. */
function refused(refusal: Refusal, count: number): Response {
  const { status, code, message, headers } = refusalOf(refusal, 503);
  const isKeys = refusal.refused === "unknown_key" || refusal.refused === "not_entitled";
  return answer(
    status,
    {
      error: isKeys ? `Invalid API key: ${message}` : message,
      ...(refusal.refused === "too_many_requests"
        ? { silenced_events: Array.from({ length: count }, (_, i) => i) }
        : {}),
    },
    { "x-vestibule-refused": code, ...headers },
  );
}
