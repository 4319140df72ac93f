/** What the fetch APIs tell the queue: assignments and exposures of known units, each as often as it is worth telling. */
import { eventOf, type Happening, identityOf, type Occasion } from "../../assignment/event.ts";
import { createMemo } from "../../assignment/memo.ts";
import { createSender } from "../../assignment/sender.ts";
import type { Sources, Subject } from "../../assignment/sources.ts";
import type { VestibuleEvent } from "../../model/event.ts";
import type { QueueMessage } from "../../model/log-entry.ts";

/** A repetition within the day says nothing new: the ledger counts units. */
const dayMs = 24 * 3600 * 1000;
const mostRemembered = 20_000;

/** One happening, with what the client calls it: told again under the same id, it is the same event. */
export interface Told extends Happening {
  /** Makes a retry idempotent; drawn at random where the client has none. */
  id?: string;
  /** When it happened, where that is not when it was told. */
  atMs?: number;
}

export interface Telling {
  occasion: Occasion;
  subject: Subject;
  told: readonly Told[];
  /** Whether device and user belong together, as far as the client says. */
  links?: boolean;
}

export interface FetchReporter {
  /** Never throws nor rejects. Forced variations, and units nobody can make, are left out. */
  report(telling: Telling, queue: Queue): Promise<void>;
}

export function createFetchReporter(sources: Sources, now: () => number): FetchReporter {
  const sender = createSender(sources.guard, now);
  const told = createMemo<true>(mostRemembered);

  /** Whether this isolate has not said so today. */
  function isNew({ type, tenant, experiment_id, variation_id, epoch, unit, linked_unit, at }: VestibuleEvent): boolean {
    const day = Math.floor(Date.parse(at) / dayMs);
    const key = [type, tenant, experiment_id, variation_id, epoch, unit, linked_unit ?? "", day].join("|");
    if (told.get(key)) return false;
    told.set(key, true);
    return true;
  }

  async function eventsOf({ occasion, subject, told, links = false }: Telling): Promise<VestibuleEvent[]> {
    const counted = told.filter(({ assignment }) => assignment.method !== "forced");
    if (counted.length === 0) return [];
    const { deviceId, userId } = subject;
    const { tenant } = occasion;
    const device = deviceId === null ? null : await sources.units.unitOf(tenant, "device", deviceId);
    const user = userId === null ? null : await sources.units.unitOf(tenant, "user", userId);
    const events = counted.flatMap((happening) => {
      const unit = happening.assignment.experiment.subject === "user" ? user : device;
      if (unit === null) return [];
      const { id, atMs = occasion.atMs } = happening;
      const event = eventOf(happening, unit, { ...occasion, atMs });
      return id === undefined ? event : { ...event, id };
    });
    if (!links || device === null || user === null) return events;
    const assignments = new Map(counted.map(({ assignment }) => [assignment.experiment.id, assignment]));
    return [...events, ...[...assignments.values()].map((each) => identityOf(each, { device, user }, occasion))];
  }

  return {
    report: (telling, queue) =>
      sender.send(async (): Promise<QueueMessage[]> => {
        const events = await eventsOf(telling);
        // What a client names itself, it may tell again; whoever counts knows it by its id.
        const named = new Set(telling.told.flatMap(({ id }) => id ?? []));
        return events
          .filter((event) => named.has(event.id) || isNew(event))
          .map((event) => ({ kind: "event" as const, event }));
      }, queue),
  };
}
