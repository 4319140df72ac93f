/** What the fetch APIs tell the queue: assignments and exposures of known units, each as often as it is worth telling. */

import { within } from "../../alarms/deadline.ts";
import type { Assignment } from "../../assignment/decide.ts";
import { eventOf, type Happening, identityOf, type Occasion, outcomeOf } from "../../assignment/event.ts";
import { createMemo } from "../../assignment/memo.ts";
import { createSender } from "../../assignment/sender.ts";
import type { Sources, Subject } from "../../assignment/sources.ts";
import { circuitWarnings, createWriteWarnings, type Scene, type Warning } from "../../assignment/warning.ts";
import type { OutcomeType, VestibuleEvent } from "../../model/event.ts";
import type { QueueMessage } from "../../model/log-entry.ts";
import type { Tenant } from "../../model/tenant.ts";
import type { CompiledExperiment } from "../../snapshot/compiled.ts";
import type { Visit } from "./desk.ts";

/** A repetition within the day says nothing new: the ledger counts units. */
const dayMs = 24 * 3600 * 1000;
const mostRemembered = 20_000;
/** So often the log is told that the same cohorts are wanting. */
const wantingMs = 60_000;
const mostWanting = 1_000;
/** Apps wait no longer for an answer. */
const giveUpMs = 2_000;

/** One happening, with what the client calls it: told again under the same id, it is the same event. */
export interface Told extends Happening {
  /** Makes a retry idempotent; drawn at random where the client has none. */
  id?: string;
  /** When it happened, where that is not when it was told. */
  atMs?: number;
  /** The experiment's subject as a unit, where that is known and the id is not. */
  unit?: string;
}

/** How a login of the subject ended, in one experiment; its variation is not known here. */
export interface ReportedOutcome extends Pick<Told, "id" | "atMs"> {
  experiment: CompiledExperiment;
  outcome: OutcomeType;
}

export interface Telling {
  occasion: Occasion;
  subject: Subject;
  told: readonly Told[];
  outcomes?: readonly ReportedOutcome[];
  /** Whether device and user belong together, as far as the client says. */
  links?: boolean;
  /** What the device had when it turned out to be the user's: told as such alone. */
  identified?: readonly Assignment[];
}

export interface FetchReporter {
  /**
   * Forced variations, and units nobody can make, are left out. Never throws nor rejects.
   * @returns whether the queue has all that was new
   */
  report(telling: Telling | readonly Telling[], queue: Queue): Promise<boolean>;
  /** The same for a client that is told of it, and sends again what was not taken; false as well if that takes too long. */
  record(telling: Telling | readonly Telling[], visit: Visit): Promise<boolean>;
  /** Writes what went wrong into the tenant's log, behind the answer, with the circuits that have opened meanwhile. */
  warn(tenant: Tenant, scene: Pick<Scene, "request" | "url">, warnings: readonly Warning[], visit: Visit): void;
}

export function createFetchReporter(sources: Sources, now: () => number): FetchReporter {
  const sender = createSender(sources.guard, now);
  const writeWarnings = createWriteWarnings(now);
  const wanting = createMemo<number>(mostWanting);
  const told = createMemo<true>(mostRemembered);
  /** Whole tellings: who is asked for again and again costs no hashing of ids. */
  const heard = createMemo<true>(mostRemembered);

  async function eventsOf({
    occasion,
    subject,
    told,
    outcomes = [],
    links = false,
    identified = [],
  }: Telling): Promise<VestibuleEvent[]> {
    const isCounted = ({ method }: Assignment) => method !== "forced";
    const counted = told.filter(({ assignment }) => isCounted(assignment));
    const linked = [...(links ? counted.map(({ assignment }) => assignment) : []), ...identified.filter(isCounted)];
    if (counted.length + linked.length + outcomes.length === 0) return [];
    const { deviceId, userId } = subject;
    const { tenant } = occasion;
    const device = deviceId === null ? null : await sources.units.unitOf(tenant, "device", deviceId);
    const user = userId === null ? null : await sources.units.unitOf(tenant, "user", userId);
    const unitFor = ({ subject }: CompiledExperiment) => (subject === "user" ? user : device);
    const events = counted.flatMap((happening) => {
      const unit = happening.unit ?? unitFor(happening.assignment.experiment);
      if (unit === null) return [];
      const { id, atMs = occasion.atMs } = happening;
      const event = eventOf(happening, unit, { ...occasion, atMs });
      return id === undefined ? event : { ...event, id };
    });
    for (const { experiment, outcome, id, atMs = occasion.atMs } of outcomes) {
      const unit = unitFor(experiment);
      if (unit === null) continue;
      const event = outcomeOf(experiment, outcome, unit, { ...occasion, atMs });
      events.push(id === undefined ? event : { ...event, id });
    }
    if (device === null || user === null) return events;
    const assignments = new Map(linked.map((assignment) => [assignment.experiment.id, assignment]));
    return [...events, ...[...assignments.values()].map((each) => identityOf(each, { device, user }, occasion))];
  }

  /** Of each of QA's wishes; but whose cohorts are wanting, every app would say with every fetch. */
  function isWorthSaying({ id }: Tenant, { code, description }: Warning): boolean {
    if (code !== "experiment_cohort_unavailable") return true;
    const said = `${id} ${description}`;
    if (now() - (wanting.get(said) ?? Number.NEGATIVE_INFINITY) < wantingMs) return false;
    wanting.set(said, now());
    return true;
  }

  const reporter: FetchReporter = {
    async report(telling, queue) {
      const fresh = ([telling].flat() as readonly Telling[]).map((each) => ({ each, whole: wholeOf(each) }));
      const tellings = fresh.flatMap(({ each, whole }) => (whole !== null && heard.get(whole) ? [] : each));
      if (tellings.length === 0) return true;
      // What a client names itself, it may tell again; whoever counts knows it by its id.
      const named = new Set(
        tellings.flatMap((each) => [...each.told, ...(each.outcomes ?? [])].flatMap(({ id }) => id ?? [])),
      );
      const news = new Set<string>();
      const isNews = (event: VestibuleEvent): boolean => {
        const said = sayingOf(event);
        if (named.has(event.id)) return true;
        if (told.get(said) || news.has(said)) return false;
        news.add(said);
        return true;
      };
      const isSent = await sender.send(async (): Promise<QueueMessage[]> => {
        const events = await Promise.all(tellings.map(eventsOf));
        return events.flat().flatMap((event) => (isNews(event) ? { kind: "event" as const, event } : []));
      }, queue);
      // What the queue did not take is said again, should it be told again.
      if (isSent) for (const said of news) told.set(said, true);
      if (isSent) for (const { whole } of fresh) if (whole !== null) heard.set(whole, true);
      return isSent;
    },
    async record(telling, { bindings, ctx }) {
      const work = reporter.report(telling, bindings.EVENTS);
      ctx.waitUntil(work);
      return within(giveUpMs, work).catch(() => false);
    },
    warn(tenant, { request, url }, warnings, { bindings, ctx }) {
      const all = [...warnings.filter((each) => isWorthSaying(tenant, each)), ...circuitWarnings(sources, tenant)];
      if (all.length === 0) return;
      const entries = writeWarnings({ request, url, tenant: tenant.id, atMs: now() }, all);
      if (entries.length === 0) return;
      ctx.waitUntil(sender.send(async () => entries.map((entry) => ({ kind: "log", entry })), bindings.EVENTS));
    },
  };
  return reporter;
}

/** All that a telling says, but for its hour; null where the client names what it tells. */
function wholeOf({ occasion, subject, told, outcomes = [], links = false, identified = [] }: Telling): string | null {
  if ([...told, ...outcomes].some(({ id, atMs }) => id !== undefined || atMs !== undefined)) return null;
  const assigned = ({ experiment, variation, epoch, method }: Assignment) =>
    `${experiment.id} ${variation.id} ${epoch} ${method}`;
  return JSON.stringify([
    Math.floor(occasion.atMs / dayMs),
    occasion.tenant,
    subject.deviceId,
    subject.userId,
    links,
    told.map(({ type, outcome, assignment, unit }) => `${type} ${outcome} ${unit} ${assigned(assignment)}`),
    outcomes.map(({ experiment, outcome }) => `${experiment.id} ${outcome}`),
    identified.map(assigned),
  ]);
}

/** What an event says, but for its id and its hour. */
function sayingOf(event: VestibuleEvent): string {
  const { type, tenant, experiment_id, variation_id, epoch, unit, linked_unit = "", outcome = "", at } = event;
  const day = Math.floor(Date.parse(at) / dayMs);
  return [type, tenant, experiment_id, variation_id, epoch, unit, linked_unit, outcome, day].join("|");
}
