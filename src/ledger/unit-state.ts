/**
 * What is known of one unit in one experiment: a fold of the set of its events. Each part is a smallest, a largest, a
 * union or an "ever", so that neither the order in which events come nor how often they do changes it.
 */
import type { OutcomeType, VestibuleEvent } from "../model/event.ts";
import type { FirstMethod } from "../model/ledger-counts.ts";

/** When something happened first and last, in ms since the epoch. */
export type Span = readonly [first: number, last: number];

/** Attributes that units are counted by, in the order in which they are stored: new ones go to the end. */
export const countedAttributes = [
  "country",
  "region",
  "colo",
  "browser",
  "platform",
  "device_type",
  "bot",
  "sdk",
  "app_version",
] as const;
export type CountedAttribute = (typeof countedAttributes)[number];

/** The assignment that a unit is counted under. */
export interface FirstAssignment {
  variation: string;
  epoch: number;
  method: FirstMethod;
  segment: string | null;
  source: VestibuleEvent["source"];
  deployment: string | null;
  missing: readonly string[];
  /** As `countedAttributes` has them; null where the event had none. */
  attributes: readonly (string | null)[];
}

export interface UnitState {
  /** A forced variation was among its events: it is in no statistics. */
  forced?: true;
  assigned?: { at: Span; first: FirstAssignment; rehashed?: true };
  exposed?: {
    at: Span;
    /** Of the first exposure. */
    variation: string;
    source: VestibuleEvent["source"];
    /** By anything but `ingest`, and when `ingest` first said so. */
    edge?: true;
    customAt?: number;
    /** Epochs and variations it was exposed to, in order; the first of them, where there are too many. */
    seen: readonly (readonly [epoch: number, variation: string])[];
  };
  /** Logins, sign-ups, failures of either, pass-throughs. */
  outcomes?: { s?: Span; ss?: Span; f?: Span; p?: Span };
  /** What kinds of subject its events called it: bits of `kindBits`. */
  kinds?: number;
  /** An identity says that it and another are one person's. */
  linked?: true;
  /** Of a user: devices, by when they were first known as theirs; the first of them, where there are too many. */
  devices?: readonly (readonly [at: number, device: string, variation: string])[];
}

export const kindBits = {
  assignment: { device: 1, user: 2 },
  exposure: { device: 4, user: 8 },
} as const;

/** Whose part in an event it is: an identity tells something of the device (`subject`) and of its user. */
export type Role = "subject" | "user";

const mostSeen = 32;
const mostDevices = 32;
const longestText = 64;

/** An event of a forced visit: it says of a unit that it is in no statistics, and counts nothing. */
export function isForcedEvent({ type, method }: VestibuleEvent): boolean {
  return type === "forced" || method === "forced";
}

/** `state` and one event more. */
export function foldEvent(state: UnitState, event: VestibuleEvent, role: Role): UnitState {
  const at = Date.parse(event.at);
  if (!Number.isFinite(at)) throw new RangeError(`no time: ${event.at}`);
  const known: UnitState = isForcedEvent(event) ? { ...state, forced: true } : state;
  if (event.type === "forced") return known;
  if (event.type === "identity") return withIdentity(known, event, at, role);
  if (event.type === "assignment") return withKind(withAssignment(known, event, at), event.type, event.subject_kind);
  if (event.type === "exposure") return withKind(withExposure(known, event, at), event.type, event.subject_kind);
  return event.outcome === undefined ? known : withOutcome(known, event.outcome, at);
}

function withAssignment(state: UnitState, event: VestibuleEvent, at: number): UnitState {
  const { assigned } = state;
  const first = firstAssignmentOf(event);
  const isEarlier = assigned === undefined || isBefore([at, first], [assigned.at[0], assigned.first]);
  const isRehashed = event.hashed_variation_id !== undefined && event.hashed_variation_id !== event.variation_id;
  return {
    ...state,
    assigned: {
      at: widened(assigned?.at, at),
      first: isEarlier ? first : assigned.first,
      ...(assigned?.rehashed || isRehashed ? { rehashed: true } : {}),
    },
  };
}

function firstAssignmentOf(event: VestibuleEvent): FirstAssignment {
  const { method, attributes } = event;
  return {
    variation: event.variation_id ?? "",
    epoch: event.epoch ?? 0,
    method: method === "sticky" || method === "inclusion" ? method : "auto",
    segment: event.segment_id ?? null,
    source: event.source,
    deployment: event.deployment ?? null,
    missing: [...new Set(event.missing?.map(shortened))].sort(),
    attributes: countedAttributes.map((name) => {
      const value = attributes[name];
      return value === undefined ? null : shortened(String(value));
    }),
  };
}

function withExposure(state: UnitState, event: VestibuleEvent, at: number): UnitState {
  const { exposed } = state;
  const { source, variation_id: variation = "", epoch = 0 } = event;
  const isEarlier =
    exposed === undefined || isBefore([at, variation, source], [exposed.at[0], exposed.variation, exposed.source]);
  const isCustom = source === "ingest";
  const customAt = isCustom ? Math.min(at, exposed?.customAt ?? at) : exposed?.customAt;
  return {
    ...state,
    exposed: {
      at: widened(exposed?.at, at),
      variation: isEarlier ? variation : exposed.variation,
      source: isEarlier ? source : exposed.source,
      ...(exposed?.edge || !isCustom ? { edge: true } : {}),
      ...(customAt === undefined ? {} : { customAt }),
      seen: united(exposed?.seen ?? [], [epoch, variation], mostSeen),
    },
  };
}

const outcomeKeys = { s: "s", ss: "ss", f: "f", fs: "f", p: "p" } as const;

function withOutcome(state: UnitState, outcome: OutcomeType, at: number): UnitState {
  const key = outcomeKeys[outcome];
  const all: NonNullable<UnitState["outcomes"]> = { ...state.outcomes };
  all[key] = widened(all[key], at);
  const { s, ss, f, p } = all;
  return {
    ...state,
    outcomes: { ...(s ? { s } : {}), ...(ss ? { ss } : {}), ...(f ? { f } : {}), ...(p ? { p } : {}) },
  };
}

function withIdentity(state: UnitState, event: VestibuleEvent, at: number, role: Role): UnitState {
  if (role === "subject") return { ...state, linked: true };
  const known = state.devices ?? [];
  const link = [at, event.unit, event.variation_id ?? ""] as const;
  const same = known.find(([, device]) => device === event.unit);
  if (same !== undefined && !isBefore(link, same)) return state;
  const devices = united(
    known.filter((each) => each !== same),
    link,
    mostDevices,
  );
  return { ...state, linked: true, devices };
}

function withKind(state: UnitState, type: keyof typeof kindBits, kind: VestibuleEvent["subject_kind"]): UnitState {
  return { ...state, kinds: (state.kinds ?? 0) | kindBits[type][kind] };
}

/** Without what it knows of another unit; the same object where it knows nothing. */
export function withoutDevice(state: UnitState, device: string): UnitState {
  const { devices = [], ...rest } = state;
  const left = devices.filter(([, each]) => each !== device);
  if (left.length === devices.length) return state;
  return left.length === 0 ? rest : { ...rest, devices: left };
}

/** Parts in one order, whichever came first: equal states are equal texts. */
export function writeState({ forced, assigned, exposed, outcomes, kinds, linked, devices }: UnitState): string {
  return JSON.stringify({ forced, assigned, exposed, outcomes, kinds, linked, devices });
}

export function readState(body: string): UnitState {
  return JSON.parse(body) as UnitState;
}

function widened(span: Span | undefined, at: number): Span {
  return span === undefined ? [at, at] : [Math.min(span[0], at), Math.max(span[1], at)];
}

/** By time; of the same moment by what they say, which is the same whoever compares them, and in whatever order. */
function isBefore(a: readonly [number, ...unknown[]], b: readonly [number, ...unknown[]]): boolean {
  return a[0] < b[0] || (a[0] === b[0] && JSON.stringify(a) < JSON.stringify(b));
}

type Entry = readonly [number, ...string[]];

/** The first `most` of a list in order, with one more. */
function united<T extends Entry>(list: readonly T[], entry: T, most: number): readonly T[] {
  const text = JSON.stringify(entry);
  if (list.some((each) => JSON.stringify(each) === text)) return list;
  return [...list, entry].sort((a, b) => (isBefore(a, b) ? -1 : 1)).slice(0, most);
}

/** Values become part of keys that are parted by tabs. */
function shortened(text: string): string {
  return text.slice(0, longestText).replaceAll("\t", " ");
}
