/** What the gate tells the queue, once the answer is on its way: events for the ledger, lines for the log. */

import { base64url } from "jose";
import type { Address } from "../assignment/address.ts";
import { readAttributes } from "../assignment/attributes.ts";
import type { Assignment } from "../assignment/decide.ts";
import { readUserAgent } from "../assignment/user-agent.ts";
import { createLimiter } from "../logs/limiter.ts";
import type { OutcomeType, VestibuleEvent } from "../model/event.ts";
import type { ExperimentDetails, LogEntry, QueueMessage, WarningCode } from "../model/log-entry.ts";

export interface Sighting {
  request: Request;
  url: Address;
  tenant: string;
  atMs: number;
  deviceId: string | null;
  /** Asked only when an experiment of users is in play. */
  userId: () => Promise<string | null>;
}

export interface Report {
  assigned: readonly Assignment[];
  exposed: readonly Assignment[];
  /** In force when a log-in ended. */
  outcome: { type: OutcomeType; assignments: readonly Assignment[] } | null;
  warnings: readonly { code: WarningCode; description: string }[];
}

const descriptions: Readonly<Record<OutcomeType, string>> = {
  s: "Success Login",
  ss: "Success Signup",
  f: "Failed Login",
  fs: "Failed Signup",
};
const encoder = new TextEncoder();
const unitBytes = 16;

function detailsOf({ experiment, variation, segmentId, control, method, epoch }: Assignment): ExperimentDetails {
  return {
    id: experiment.id,
    variation_id: variation.id,
    ...(segmentId === undefined ? {} : { segment_id: segmentId }),
    is_control: control,
    method,
    epoch,
  };
}

function eventAttributes(sighting: Sighting): VestibuleEvent["attributes"] {
  const { country, region, colo } = readAttributes(sighting.request, sighting.url);
  const traits = readUserAgent(sighting.request.headers.get("user-agent") ?? "");
  const place = Object.entries({ country, region, colo }).flatMap(([name, value]) =>
    typeof value === "string" ? [[name, value] as const] : [],
  );
  return { ...traits, ...Object.fromEntries(place), bot: false };
}

export interface Reporter {
  /** Never throws nor rejects: what cannot be reported is a line on the console. */
  report(sighting: Sighting, report: Report, queue: Queue): Promise<void>;
}

export type ReportGuard = <T>(dependency: "queue" | "crypto", call: () => Promise<T>) => Promise<T>;

export function createReporter(unitKey: Uint8Array<ArrayBuffer>, guard: ReportGuard, now: () => number): Reporter {
  const limiter = createLimiter(now);
  let imported: CryptoKey | undefined;

  /** A keyed hash, so that no raw id is stored; the same subject is the same unit within a tenant. */
  async function unitOf(tenant: string, kind: string, id: string): Promise<string> {
    imported ??= await crypto.subtle.importKey("raw", unitKey, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
    const mac = await crypto.subtle.sign("HMAC", imported, encoder.encode(`unit|${tenant}|${kind}|${id}`));
    return base64url.encode(new Uint8Array(mac, 0, unitBytes));
  }

  async function eventsOf(sighting: Sighting, report: Report): Promise<VestibuleEvent[]> {
    const rows: { type: VestibuleEvent["type"]; assignment: Assignment; outcome?: OutcomeType }[] = [
      ...report.assigned.map((assignment) => ({ type: "assignment" as const, assignment })),
      ...report.exposed.map((assignment) => ({ type: "exposure" as const, assignment })),
      ...(report.outcome?.assignments ?? []).map((assignment) => ({
        type: "auth" as const,
        assignment,
        ...(report.outcome ? { outcome: report.outcome.type } : {}),
      })),
    ];
    const at = new Date(sighting.atMs).toISOString();
    const attributes = rows.length > 0 ? eventAttributes(sighting) : {};
    const events: VestibuleEvent[] = [];
    for (const { type, assignment, outcome } of rows) {
      // Forced variations never enter the statistics.
      if (assignment.method === "forced") continue;
      const { experiment, variation, method, epoch } = assignment;
      const subject = experiment.subject === "user" ? await sighting.userId() : sighting.deviceId;
      if (subject === null) continue;
      events.push({
        id: crypto.randomUUID(),
        tenant: sighting.tenant,
        type,
        at,
        experiment_id: experiment.id,
        flag_key: experiment.flagKey,
        variation_id: variation.id,
        epoch,
        unit: await guard("crypto", () => unitOf(sighting.tenant, experiment.subject, subject)),
        subject_kind: experiment.subject,
        method,
        ...(outcome === undefined ? {} : { outcome }),
        source: "gate",
        attributes,
      });
    }
    return events;
  }

  function entry(
    sighting: Sighting,
    type: LogEntry["type"],
    description: string,
    details: LogEntry["details"],
  ): LogEntry {
    const { request, url, tenant, atMs } = sighting;
    const read = (value: string | null) => value?.slice(0, 512) || undefined;
    const optional = {
      client_id: read(url.searchParams.get("client_id")),
      connection: read(url.searchParams.get("connection")),
      ip: read(request.headers.get("cf-connecting-ip")),
      user_agent: read(request.headers.get("user-agent")),
    };
    const known = Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined));
    const log_id = crypto.randomUUID();
    const date = new Date(atMs).toISOString();
    return { log_id, date, type, description, tenant_name: tenant, hostname: url.host, ...known, details };
  }

  function entriesOf(sighting: Sighting, { outcome, warnings }: Report): LogEntry[] {
    const entries = warnings
      .filter(({ code }) => limiter.admit(`${sighting.tenant} ${code}`))
      .map(({ code, description }) => entry(sighting, "w", description, { code }));
    if (outcome) {
      const [first, ...others] = outcome.assignments.map(detailsOf);
      entries.push(
        entry(sighting, outcome.type, descriptions[outcome.type], {
          ...(first ? { experiment: first } : {}),
          ...(first && others.length > 0 ? { experiments: [first, ...others] } : {}),
        }),
      );
    }
    return entries;
  }

  return {
    async report(sighting, report, queue) {
      try {
        const entries = entriesOf(sighting, report);
        // A warning must be seen although the queue be down.
        for (const each of entries) if (each.type === "w") console.warn(JSON.stringify(each));
        const messages: QueueMessage[] = [
          ...(await eventsOf(sighting, report)).map((event) => ({ kind: "event" as const, event })),
          ...entries.map((each) => ({ kind: "log" as const, entry: each })),
        ];
        if (messages.length > 0) await guard("queue", () => queue.sendBatch(messages.map((body) => ({ body }))));
      } catch (error) {
        if (limiter.admit("unreported")) {
          console.error(JSON.stringify({ message: "events not reported", reason: String(error) }));
        }
      }
    },
  };
}
