/**
 * When units of a cell were assigned and exposed first and last. Unlike counts, an extreme cannot be taken away from: where
 * the unit it came from has moved, the cell's are unknown until they are looked up among the units.
 */
import { cellKey, mainPart } from "./contribution.ts";
import type { Tallies, Tally } from "./tallies.ts";
import { keyOf } from "./tallies.ts";
import type { UnitState } from "./unit-state.ts";
import type { CellTimes } from "./unit-store.ts";

const earliest = ["fa", "fx"] as const;
const latest = ["la", "lx"] as const;

interface Times {
  key: string;
  fa: number;
  la: number;
  /** 0: never exposed. */
  fx: number;
  lx: number;
}

function timesOf({ forced, assigned, exposed }: UnitState): Times | null {
  if (forced || assigned === undefined) return null;
  const [at] = assigned.at;
  return { key: cellKey(assigned.first), fa: at, la: at, fx: exposed?.at[0] ?? 0, lx: exposed?.at[1] ?? 0 };
}

/** What the change of a unit's state does to them; called when the counts have been changed. */
export function moveTimes(tallies: Tallies, before: UnitState | null, after: UnitState | null): void {
  const old = before && timesOf(before);
  const now = after && timesOf(after);
  const main = tallies.part(mainPart);
  if (old !== null) {
    const tally = main.get(old.key);
    const stays = now !== null && now.key === old.key ? now : null;
    if (tally !== undefined && isLoose(tally, old, stays)) tally.dirty = 1;
    if (tally?.assigned === 0) main.delete(old.key);
  }
  const tally = now && main.get(now.key);
  if (now !== null && tally) widen(tally, now);
}

/** Whether an extreme came from what it was, and is not held by what it is. */
function isLoose(tally: Tally, old: Times, now: Times | null): boolean {
  return (
    earliest.some((name) => old[name] !== 0 && tally[name] === old[name] && !(now && now[name] <= old[name])) ||
    latest.some((name) => old[name] !== 0 && tally[name] === old[name] && !(now && now[name] >= old[name]))
  );
}

export function widen(tally: Tally, times: Pick<Times, "fa" | "la" | "fx" | "lx">): void {
  for (const name of earliest) if (times[name] !== 0) tally[name] = Math.min(tally[name] || times[name], times[name]);
  for (const name of latest) if (times[name] !== 0) tally[name] = Math.max(tally[name] || 0, times[name]);
}

export function hasUnknownTimes(tallies: Tallies): boolean {
  return [...tallies.part(mainPart).values()].some(({ dirty }) => dirty === 1);
}

/** Of units that have been dropped for their age: a part of the tallies that counts nothing. */
const sealedPart = "sealed";

/** Makes them known again, by what there is of units now. */
export function settleTimes(tallies: Tallies, found: readonly CellTimes[]): void {
  for (const [key, tally] of tallies.part(mainPart)) {
    if (!key.startsWith("cell\t")) continue;
    for (const name of [...earliest, ...latest, "dirty"]) delete tally[name];
    const { fa = 0, la = 0, fx = 0, lx = 0 } = tallies.part(sealedPart).get(key) ?? {};
    widen(tally, { fa, la, fx, lx });
    for (const times of found) {
      if (keyOf("cell", times.epoch, times.variation, times.method) === key) widen(tally, times);
    }
  }
  tallies.changed.add(mainPart);
}

/** Keeps them as they stand: the units they came from are about to go. */
export function sealTimes(tallies: Tallies): void {
  const sealed = tallies.part(sealedPart);
  for (const [key, { fa = 0, la = 0, fx = 0, lx = 0 }] of tallies.part(mainPart)) {
    if (key.startsWith("cell\t")) sealed.set(key, { fa, la, fx, lx });
  }
  tallies.changed.add(sealedPart);
}
