/** What the gate tells the queue, once the answer is on its way: events for the ledger, lines for the log. */
import type { Assignment } from "../assignment/decide.ts";
import { eventOf, type Happening, identityOf, type Occasion, requestAttributes } from "../assignment/event.ts";
import { createSender, type SendGuard } from "../assignment/sender.ts";
import type { Units } from "../assignment/unit.ts";
import { createWriteWarnings, entryOf, type Scene, type Warning } from "../assignment/warning.ts";
import type { OutcomeType, VestibuleEvent } from "../model/event.ts";
import type { ExperimentDetails, LogEntry, QueueMessage } from "../model/log-entry.ts";

export interface Sighting extends Scene {
  /** Whether the log may hold who it was. */
  logsUserIds: boolean;
  deviceId: string | null;
  /** Asked only when something is to be counted. */
  userId: () => Promise<string | null>;
}

export interface Report {
  assigned: readonly Assignment[];
  exposed: readonly Assignment[];
  /** In force when a log-in ended, or why none was. */
  outcome: { type: OutcomeType; assignments: readonly Assignment[]; failedOpen: string | null } | null;
  warnings: readonly Warning[];
}

const descriptions: Readonly<Record<OutcomeType, string>> = {
  s: "Success Login",
  ss: "Success Signup",
  f: "Failed Login",
  fs: "Failed Signup",
  p: "Success Login",
};

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

function happeningsIn({ assigned, exposed, outcome }: Report): Happening[] {
  const all: Happening[] = [
    ...assigned.map((assignment) => ({ type: "assignment" as const, assignment })),
    ...exposed.map((assignment) => ({ type: "exposure" as const, assignment })),
    ...(outcome?.assignments ?? []).map((assignment) => ({
      type: "auth" as const,
      assignment,
      ...(outcome ? { outcome: outcome.type } : {}),
    })),
  ];
  // Forced variations never enter the statistics.
  return all.filter(({ assignment }) => assignment.method !== "forced");
}

export interface Reporter {
  /** Never throws nor rejects: what cannot be reported is a line on the console. */
  report(sighting: Sighting, report: Report, queue: Queue): Promise<void>;
}

export function createReporter(units: Units, guard: SendGuard, now: () => number): Reporter {
  const writeWarnings = createWriteWarnings(now);
  const sender = createSender(guard, now);

  async function eventsOf(sighting: Sighting, report: Report): Promise<VestibuleEvent[]> {
    const happenings = happeningsIn(report);
    if (happenings.length === 0) return [];
    const { request, url, tenant, atMs, deviceId } = sighting;
    const attributes = { ...requestAttributes(request, url), bot: false };
    const occasion: Occasion = { tenant, atMs, source: "gate", attributes };
    const userId = await sighting.userId();
    const device = deviceId === null ? null : await units.unitOf(tenant, "device", deviceId);
    const user = userId === null ? null : await units.unitOf(tenant, "user", userId);
    const events = happenings.flatMap((happening) => {
      const unit = happening.assignment.experiment.subject === "user" ? user : device;
      return unit === null ? [] : [eventOf(happening, unit, occasion)];
    });
    if (device === null || user === null) return events;
    const assignments = new Map(happenings.map(({ assignment }) => [assignment.experiment.id, assignment]));
    const identities = [...assignments.values()].map((each) => identityOf(each, { device, user }, occasion));
    return [...events, ...identities];
  }

  async function outcomeOf(sighting: Sighting, { outcome }: Report): Promise<LogEntry[]> {
    if (outcome === null) return [];
    const { type, assignments, failedOpen } = outcome;
    const [first, ...others] = assignments.map(detailsOf);
    const details = {
      ...(failedOpen === null ? {} : { failed_open: failedOpen }),
      ...(first ? { experiment: first } : {}),
      ...(first && others.length > 0 ? { experiments: [first, ...others] } : {}),
    };
    const userId = sighting.logsUserIds ? await sighting.userId() : null;
    return [entryOf(sighting, { type: type === "p" ? "s" : type, description: descriptions[type], details, userId })];
  }

  return {
    async report(sighting, report, queue) {
      async function gather(): Promise<QueueMessage[]> {
        const warnings = writeWarnings(sighting, report.warnings);
        const entries = [...warnings, ...(await outcomeOf(sighting, report))];
        const events = await eventsOf(sighting, report);
        return [
          ...events.map((event) => ({ kind: "event" as const, event })),
          ...entries.map((each) => ({ kind: "log" as const, entry: each })),
        ];
      }
      await sender.send(gather, queue);
    },
  };
}
