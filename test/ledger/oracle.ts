/** What the counts of a set of events have to be, worked out in the plainest way: all of a unit's events at a time. */
import type { VestibuleEvent } from "../../src/model/event.ts";

export interface Truth {
  forced: number;
  /** `epoch variation method` → counts. */
  cells: Record<string, Record<string, number>>;
  unassigned: number;
  /** `hour variation` → counts. */
  hours: Record<string, Record<string, number>>;
  /** Variation → users with one device or more, two, three. */
  links: Record<string, [number, number, number]>;
  last_event_at: string | null;
}

const ms = ({ at }: VestibuleEvent) => Date.parse(at);
const weekMs = 7 * 24 * 3_600_000;

/** Of what happened at one moment, that comes first which says less by the order of letters. */
function orderOf(event: VestibuleEvent): string {
  const { variation_id, epoch, method, segment_id = null, source, deployment = null, missing = [] } = event;
  const said =
    event.type === "exposure"
      ? [variation_id, source]
      : [{ variation: variation_id, epoch, method, segment: segment_id, source, deployment, missing }];
  return JSON.stringify(said);
}

function inOrder(events: readonly VestibuleEvent[]): VestibuleEvent[] {
  return [...events].sort((a, b) => ms(a) - ms(b) || (orderOf(a) < orderOf(b) ? -1 : 1));
}

export function truthOf(all: readonly VestibuleEvent[]): Truth {
  const events = [...new Map(all.map((event) => [event.id, event])).values()];
  const genuine = events.filter(({ type, method }) => type !== "forced" && method !== "forced");
  const truth: Truth = {
    forced: 0,
    cells: {},
    unassigned: 0,
    hours: {},
    links: {},
    last_event_at:
      genuine
        .map(({ at }) => at)
        .sort()
        .at(-1) ?? null,
  };
  const subjects = Map.groupBy(events, ({ unit }) => unit);
  const users = Map.groupBy(
    events.filter(({ type }) => type === "identity"),
    ({ linked_unit }) => linked_unit ?? "",
  );
  const isForced = (unit: string) =>
    [...(subjects.get(unit) ?? []), ...(users.get(unit) ?? [])].some(
      ({ type, method }) => type === "forced" || method === "forced",
    );
  for (const unit of new Set([...subjects.keys(), ...users.keys()])) {
    const own = inOrder(subjects.get(unit) ?? []);
    const of = (type: VestibuleEvent["type"]) => own.filter((event) => event.type === type);
    const [assignment, exposures, ends] = [of("assignment")[0], of("exposure"), of("auth")];
    if (isForced(unit)) {
      if (assignment !== undefined || exposures.length > 0) truth.forced++;
      continue;
    }
    if (assignment === undefined) {
      if (exposures.length > 0) truth.unassigned++;
      continue;
    }
    const cell = cellOf(truth, assignment);
    const count = (field: string, happens: unknown) => {
      if (happens) cell[field] = (cell[field] ?? 0) + 1;
    };
    const endedBy = (...outcomes: string[]) => ends.find(({ outcome = "" }) => outcomes.includes(outcome));
    const pairs = new Map(exposures.map(({ epoch, variation_id }) => [`${epoch} ${variation_id}`, epoch]));
    const jumped = new Set(exposures.map(({ variation_id }) => variation_id)).size > 1;
    const byConfiguration = new Set(pairs.values()).size === pairs.size;
    const isLinked = of("identity").length > 0 || users.has(unit);
    const [firstExposure, lastExposure] = [exposures[0], exposures.at(-1)];
    const custom = exposures.filter(({ source }) => source === "ingest");
    count("assigned", true);
    count("exposed", firstExposure);
    count("exposed_custom", custom.length > 0);
    count("exposed_edge", custom.length < exposures.length);
    count("returning", firstExposure && lastExposure && ms(lastExposure) - ms(firstExposure) >= 3_600_000);
    count("logins", endedBy("s"));
    count("signups", endedBy("ss"));
    count("failures", endedBy("f", "fs"));
    count("passed", endedBy("p"));
    const finished = endedBy("s", "ss", "f", "fs");
    count("finished", finished);
    count("finished_unexposed", finished && !firstExposure);
    count("early", firstExposure && ms(firstExposure) < ms(assignment));
    count(
      "rehashed",
      of("assignment").some(
        (each) => each.hashed_variation_id !== undefined && each.hashed_variation_id !== each.variation_id,
      ),
    );
    count("jumped", jumped);
    count("jumped_configuration", jumped && byConfiguration);
    count("jumped_identity", jumped && !byConfiguration && isLinked);
    if (assignment.method !== "auto") continue;
    const hour = (field: string, event: VestibuleEvent | undefined) => {
      if (event === undefined) return;
      const key = `${event.at.slice(0, 13)}:00:00.000Z ${assignment.variation_id}`;
      truth.hours[key] ??= {};
      const counts = truth.hours[key];
      counts[field] = (counts[field] ?? 0) + 1;
    };
    hour("assigned", assignment);
    hour("exposed", firstExposure);
    hour("logins", endedBy("s"));
    hour("signups", endedBy("ss"));
    hour("failures", endedBy("f", "fs"));
    hour("pass_throughs", endedBy("p"));
  }
  for (const [user, identities] of users) {
    if (!isForced(user)) countLinks(truth, identities);
  }
  return truth;
}

function cellOf(truth: Truth, { epoch, variation_id, method }: VestibuleEvent): Record<string, number> {
  const key = `${epoch} ${variation_id} ${method}`;
  truth.cells[key] ??= {};
  return truth.cells[key];
}

function countLinks(truth: Truth, identities: readonly VestibuleEvent[]): void {
  const firsts = [...Map.groupBy(identities, ({ unit }) => unit).values()].map((same) =>
    same.reduce((a, b) => (linkOrder(a) <= linkOrder(b) ? a : b)),
  );
  firsts.sort((a, b) => (linkOrder(a) < linkOrder(b) ? -1 : 1));
  const within = (count: number) =>
    firsts.some(
      (from) => firsts.filter((each) => ms(each) >= ms(from) && ms(each) - ms(from) <= weekMs).length >= count,
    );
  const variation = firsts[0]?.variation_id ?? "";
  truth.links[variation] ??= [0, 0, 0];
  const of = truth.links[variation];
  [1, 2, 3].forEach((count, index) => {
    if (within(count)) of[index] = (of[index] ?? 0) + 1;
  });
}

const linkOrder = (event: VestibuleEvent) =>
  `${String(ms(event)).padStart(16, "0")} ${JSON.stringify([event.unit, event.variation_id])}`;
