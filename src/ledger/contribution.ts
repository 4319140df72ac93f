/** What one unit adds to the counts of its experiment: nothing else ever does. */

import { add, keyOf, type Tallies } from "./tallies.ts";
import { placeboOf } from "./unit-hash.ts";
import { countedAttributes, type FirstAssignment, kindBits, type UnitState } from "./unit-state.ts";
import { isInSpan, type Window } from "./window.ts";

export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;
export const dayMs = 24 * hourMs;
const week = 7 * dayMs;
/** A client's own exposure so soon after its assignment was not brought about by anything that was seen. */
const atOnceMs = 1_000;

/** Parts of the tallies; days are counted since the epoch. */
export const mainPart = "main";
export const attributePart = (epoch: number): string => `attributes:${epoch}`;
export const isAttributePart = (part: string): boolean => part.startsWith("attributes:");
export const hourPart = (day: number): string => `hours:${day}`;
export const isHourPart = (part: string): boolean => part.startsWith("hours:");

export const cellKey = ({ epoch, variation, method }: FirstAssignment): string =>
  keyOf("cell", epoch, variation, method);
export const freshPrefix = "fresh\t";

export interface Scope {
  /** Units first assigned in this minute (since the epoch) or later are told apart by minute, as long as they are young. */
  freshFrom: number;
  /** Counts what happened in it alone. */
  window?: Window;
}

/** Adds a unit's part to all counts; with `count` −1 takes it away. */
export function contribute(unit: string, state: UnitState, scope: Scope, tallies: Tallies, count: 1 | -1): void {
  const { window } = scope;
  if (state.forced) {
    if (isSeen(state, window)) tallies.add(mainPart, "forced", "units", count);
    return;
  }
  contributeLinks(state, tallies, count, window);
  if (!isSeen(state, window)) return;
  contributeKinds(state, tallies, count);
  if (state.assigned !== undefined) {
    contributeAssigned(unit, { ...state, assigned: state.assigned }, scope, tallies, count);
  } else if (state.exposed !== undefined) {
    const { variation, source } = state.exposed;
    tallies.add(mainPart, keyOf("unassigned", variation, source), "units", count);
  }
}

/** Whether it was assigned or exposed, in the window if there is one. */
export function isSeen({ assigned, exposed }: UnitState, window: Window | undefined): boolean {
  return isInSpan(assigned?.at, window) || isInSpan(exposed?.at, window);
}

type AssignedState = UnitState & { assigned: NonNullable<UnitState["assigned"]> };

function contributeAssigned(unit: string, state: AssignedState, scope: Scope, tallies: Tallies, count: 1 | -1): void {
  const { assigned, exposed } = state;
  const { freshFrom, window } = scope;
  const { first } = assigned;
  const isExposed = exposed !== undefined && isInSpan(exposed.at, window);
  const outcomes = {
    logins: isInSpan(state.outcomes?.s, window),
    signups: isInSpan(state.outcomes?.ss, window),
    failures: isInSpan(state.outcomes?.f, window),
    passed: isInSpan(state.outcomes?.p, window),
  };
  // A pass-through shows no page: it is no end of a login that an exposure could be missing from.
  const isFinished = outcomes.logins || outcomes.signups || outcomes.failures;
  const [assignedAt] = assigned.at;
  const cell = tallies.at(mainPart, cellKey(first));
  const plus = (field: string) => add(cell, field, count);

  plus("assigned");
  if (window?.from !== undefined && assignedAt < window.from) plus("before");
  if (isExposed) {
    plus("exposed");
    if (exposed.edge) plus("exposed_edge");
    if (exposed.customAt !== undefined) plus("exposed_custom");
    if (exposed.at[1] - exposed.at[0] >= hourMs) plus("returning");
    if (exposed.at[0] < assignedAt) plus("early");
    const afterMs = (exposed.customAt ?? Number.NaN) - assignedAt;
    if (afterMs >= 0 && afterMs <= atOnceMs) plus("at_once");
    contributeJumps(state, exposed.seen, plus);
  }
  for (const [field, happened] of Object.entries(outcomes)) if (happened) plus(field);
  if (isFinished) plus("finished");
  if (isFinished && !isExposed) plus("finished_unexposed");
  const isSilent = !isExposed && !isFinished && !outcomes.passed;
  if (isSilent) plus("silent");
  if (assigned.rehashed) plus("rehashed");

  const minute = Math.floor(assignedAt / minuteMs);
  if (minute >= freshFrom) {
    const fresh = tallies.at(mainPart, keyOf("fresh", minute, first.epoch, first.variation, first.method));
    add(fresh, "assigned", count);
    if (isExposed) add(fresh, "exposed", count);
    if (isSilent) add(fresh, "silent", count);
  }
  const platform = first.attributes[countedAttributes.indexOf("platform")] ?? noValue;
  for (const property of first.missing) tallies.add(mainPart, keyOf("missing", property, platform), "units", count);
  if (first.method === "auto") contributeBase(unit, state, isExposed, scope, tallies, count);
}

function contributeJumps(
  { linked }: UnitState,
  seen: readonly (readonly [number, string])[],
  plus: (field: string) => void,
): void {
  if (seen.length < 2) return;
  const variations = new Set(seen.map(([, variation]) => variation));
  if (variations.size < 2) return;
  plus("jumped");
  // One variation an epoch: they changed with the configuration.
  const isConfiguration = new Set(seen.map(([epoch]) => epoch)).size === seen.length;
  if (isConfiguration) plus("jumped_configuration");
  else if (linked) plus("jumped_identity");
}

export const noValue = "(none)";

/** Of units that the hash alone has assigned. */
function contributeBase(
  unit: string,
  { assigned, exposed, outcomes }: AssignedState,
  isExposed: boolean,
  { window }: Scope,
  tallies: Tallies,
  count: 1 | -1,
): void {
  const { first, at } = assigned;
  const [assignedAt] = at;
  const part = attributePart(first.epoch);
  const rest = keyOf(first.epoch, first.variation);
  const addValue = (name: string, value: string | null) => {
    const tally = tallies.atValue(part, name, value ?? noValue, rest);
    add(tally, "assigned", count);
    if (isExposed) add(tally, "exposed", count);
  };
  countedAttributes.forEach((name, index) => {
    addValue(name, first.attributes[index] ?? null);
  });
  addValue("source", first.source);
  addValue("deployment", first.deployment);
  addValue("segment", first.segment);
  addValue("hour", String(Math.floor(assignedAt / hourMs) % 24));

  placeboOf(unit).forEach((value, bit) => {
    const tally = tallies.at(mainPart, keyOf("placebo", bit, value));
    add(tally, "assigned", count);
    if (isExposed) add(tally, "exposed", count);
  });

  const addHour = (field: string, ms: number | undefined) => {
    if (ms === undefined || !isInSpan([ms, ms], window)) return;
    tallies.add(hourPart(Math.floor(ms / dayMs)), keyOf(Math.floor(ms / hourMs), first.variation), field, count);
  };
  addHour("assigned", assignedAt);
  addHour("exposed", exposed?.at[0]);
  addHour("logins", outcomes?.s?.[0]);
  addHour("signups", outcomes?.ss?.[0]);
  addHour("failures", outcomes?.f?.[0]);
  addHour("pass_throughs", outcomes?.p?.[0]);
}

function contributeKinds({ kinds = 0 }: UnitState, tallies: Tallies, count: 1 | -1): void {
  for (const [type, bits] of Object.entries(kindBits)) {
    for (const [kind, bit] of Object.entries(bits)) {
      if (kinds & bit) tallies.add(mainPart, keyOf("kind", type, kind), "units", count);
    }
  }
}

/** Of users: how many devices were first known as theirs within seven days. */
function contributeLinks(
  { devices = [] }: UnitState,
  tallies: Tallies,
  count: 1 | -1,
  window: Window | undefined,
): void {
  const within = devices.filter(([at]) => isInSpan([at, at], window));
  const [first] = within;
  if (first === undefined) return;
  const tally = tallies.at(mainPart, keyOf("link", first[2]));
  const holds = (devicesInAWeek: number) =>
    within.some(([at], index) => {
      const last = within[index + devicesInAWeek - 1];
      return last !== undefined && last[0] - at <= week;
    });
  add(tally, "users", count);
  if (holds(2)) add(tally, "with_two", count);
  if (holds(3)) add(tally, "with_three", count);
}
