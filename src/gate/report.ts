/** What the gate tells the queue, once the response is on its way: events for the ledger, entries for the log. */
import type { Assignment } from "../assignment/decide.ts";
import type { Pin } from "../assignment/evaluation.ts";
import { eventOf, type Happening, identityOf, type Occasion, requestAttributes } from "../assignment/event.ts";
import { createMemo } from "../assignment/memo.ts";
import { createSender, type SendGuard } from "../assignment/sender.ts";
import type { Units } from "../assignment/unit.ts";
import { createWriteWarnings, entryOf, type Scene, type Warning } from "../assignment/warning.ts";
import type { OutcomeType, VestibuleEvent } from "../model/event.ts";
import type { ExperimentDetails, LogEntry, LoginEntryType, QueueMessage } from "../model/log-entry.ts";
import type { CompiledExperiment } from "../snapshot/compiled.ts";

export interface ObservedRequest extends Scene {
  /** Whether the log may hold who it was. */
  logsUserIds: boolean;
  deviceId: string | null;
  /** Unit of the user, where the session or the request names one. */
  userUnit: string | null;
  /** Called only when something is to be counted. */
  userId: () => Promise<string | null>;
}

export interface Report {
  assigned: readonly Assignment[];
  exposed: readonly Assignment[];
  /** How the login ended, or an attempt failed, and what was in force. */
  outcome: {
    type: OutcomeType;
    assignments: readonly Assignment[];
    /** Nothing of a login is counted in which a variation was forced. */
    isCounted: boolean;
    failedOpen: string | null;
    /** As the login's authorization request named them. */
    clientId: string | null;
    connection: string | null;
  } | null;
  /** Experiments whose statistics must leave this visitor out. */
  forcedIn: readonly { experiment: CompiledExperiment; pin: Pin }[];
  /** The session's, which know how a variation was first chosen. */
  pins: readonly Pin[];
  warnings: readonly Warning[];
}

const entryTypes: Readonly<Record<OutcomeType, LoginEntryType>> = { s: "s", ss: "ss", f: "f", fs: "fs", p: "s" };
const descriptions: Readonly<Record<LoginEntryType, string>> = {
  s: "Success Login",
  ss: "Success Signup",
  f: "Failed Login",
  fs: "Failed Signup",
};

/** Warnings that every request of many visitors would repeat, and how often one is written. */
const repeated: ReadonlySet<string> = new Set(["experiment_stamp_too_large", "device_cookie_cleared"]);
const repeatAfterMs = 60_000;
const maxRepeated = 256;

function detailsOf(assignment: Assignment, pins: readonly Pin[]): ExperimentDetails {
  const { experiment, variation, segmentId, control, epoch } = assignment;
  const pin = pins.find(({ experimentId }) => experimentId === experiment.id);
  return {
    id: experiment.id,
    variation_id: variation.id,
    ...(segmentId === undefined ? {} : { segment_id: segmentId }),
    is_control: control,
    method: pin?.method ?? assignment.method,
    epoch,
  };
}

function happeningsIn({ assigned, exposed, outcome }: Report): Happening[] {
  const ended = outcome?.isCounted ? outcome : null;
  const all: Happening[] = [
    ...assigned.map((assignment) => ({ type: "assignment" as const, assignment })),
    ...exposed.map((assignment) => ({ type: "exposure" as const, assignment })),
    ...(ended?.assignments ?? []).map((assignment) => ({
      type: "auth" as const,
      assignment,
      ...(ended ? { outcome: ended.type } : {}),
    })),
  ];
  return all.filter(({ assignment }) => assignment.method !== "forced");
}

export interface Reporter {
  /** Never throws nor rejects: what cannot be reported is a line on the console. */
  report(observed: ObservedRequest, report: Report, queue: Queue): Promise<void>;
}

export function createReporter(units: Units, guard: SendGuard, now: () => number): Reporter {
  const writeWarnings = createWriteWarnings(now);
  const sender = createSender(guard, now);
  const lastWrittenMs = createMemo<number>(maxRepeated);

  function isDue({ tenant }: ObservedRequest, { code, description }: Warning): boolean {
    if (!repeated.has(code)) return true;
    const key = `${tenant} ${code} ${description}`;
    if (now() - (lastWrittenMs.get(key) ?? Number.NEGATIVE_INFINITY) < repeatAfterMs) return false;
    lastWrittenMs.set(key, now());
    return true;
  }

  async function eventsOf(observed: ObservedRequest, report: Report): Promise<VestibuleEvent[]> {
    const happenings = happeningsIn(report);
    const { forcedIn } = report;
    if (happenings.length === 0 && forcedIn.length === 0) return [];
    const { request, url, tenant, atMs, deviceId } = observed;
    const attributes = { ...requestAttributes(request, url), bot: false };
    const occasion: Occasion = { tenant, atMs, source: "gate", attributes };
    const userId = observed.userUnit === null ? await observed.userId() : null;
    const device = deviceId === null ? null : await units.unitOf(tenant, "device", deviceId);
    const user = observed.userUnit ?? (userId === null ? null : await units.unitOf(tenant, "user", userId));
    const unitFor = ({ subject }: CompiledExperiment) => (subject === "user" ? user : device);
    const events = happenings.flatMap((happening) => {
      const unit = unitFor(happening.assignment.experiment);
      return unit === null ? [] : [eventOf(happening, unit, occasion)];
    });
    for (const { experiment, pin } of forcedIn) {
      const unit = unitFor(experiment);
      const variation = experiment.variations.get(pin.variationId ?? "");
      if (unit === null || variation === undefined) continue;
      const assignment: Assignment = { experiment, variation, control: false, method: "forced", epoch: pin.epoch };
      events.push(eventOf({ type: "forced", assignment }, unit, occasion));
    }
    if (device === null || user === null) return events;
    const assignments = new Map(happenings.map(({ assignment }) => [assignment.experiment.id, assignment]));
    const identities = [...assignments.values()].map((each) => identityOf(each, { device, user }, occasion));
    return [...events, ...identities];
  }

  async function outcomeEntries(observed: ObservedRequest, { outcome, pins }: Report): Promise<LogEntry[]> {
    if (outcome === null) return [];
    const type = entryTypes[outcome.type];
    const [first, ...others] = outcome.assignments.map((assignment) => detailsOf(assignment, pins));
    const details = {
      ...(outcome.failedOpen === null ? {} : { failed_open: outcome.failedOpen }),
      ...(outcome.type === "p" ? { pass_through: true as const } : {}),
      ...(first ? { experiment: first } : {}),
      ...(first && others.length > 0 ? { experiments: [first, ...others] } : {}),
    };
    const userId = observed.logsUserIds ? await observed.userId() : null;
    const { clientId, connection } = outcome;
    return [entryOf(observed, { type, description: descriptions[type], details, userId, clientId, connection })];
  }

  return {
    async report(observed, report, queue) {
      async function gather(): Promise<QueueMessage[]> {
        const due = report.warnings.filter((warning) => isDue(observed, warning));
        const entries = [...writeWarnings(observed, due), ...(await outcomeEntries(observed, report))];
        const events = await eventsOf(observed, report);
        return [
          ...events.map((event) => ({ kind: "event" as const, event })),
          ...entries.map((entry) => ({ kind: "log" as const, entry })),
        ];
      }
      await sender.send(gather, queue);
    },
  };
}
