/** Two units that went the same way, of which one was exposed and one was not: where to begin to look. */
import type { LedgerCounts } from "../model/ledger-counts.ts";
import type { UnitState } from "./unit-state.ts";
import type { UnitStore } from "./unit-store.ts";

const mostLost = 20;
const mostOthers = 1_000;

export function findExamples(units: UnitStore, rows: number): LedgerCounts["examples"] {
  const lost = units.lost(rows, mostLost);
  if (lost.length === 0) return null;
  const exposed = new Map<string, string>();
  for (const { unit, state } of units.after(rows, "", mostOthers)) {
    const isOne = !state.forced && state.exposed !== undefined && state.assigned?.first.method === "auto";
    if (isOne && !exposed.has(eventsOf(state))) exposed.set(eventsOf(state), unit);
  }
  for (const { unit, state } of lost) {
    const events = eventsOf(state);
    const other = exposed.get(events);
    if (other !== undefined) return { exposed: other, unexposed: unit, events };
  }
  return null;
}

/** Under the variation that both had. */
function eventsOf({ assigned, outcomes = {} }: UnitState): string {
  return [assigned?.first.variation, ...Object.keys(outcomes)].join(" ");
}
