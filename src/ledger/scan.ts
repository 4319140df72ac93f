/** Counts made of the units themselves: of a stretch of time, which running counts cannot tell. */

import { moveTimes } from "./cell-times.ts";
import { contribute, isSeen, type Scope } from "./contribution.ts";
import type { Experiment } from "./experiment-store.ts";
import { Tallies } from "./tallies.ts";
import type { UnitStore } from "./unit-store.ts";

const atOnce = 5_000;

/** Others have their turn in between: what comes in the meantime may be in it or not. */
export async function scanUnits(
  units: UnitStore,
  { rows }: Experiment,
  scope: Scope,
  rest: () => Promise<void>,
): Promise<Tallies> {
  const { window } = scope;
  const tallies = new Tallies();
  for (let last = ""; ; ) {
    const found = window ? units.within(rows, last, window, atOnce) : units.after(rows, last, atOnce);
    for (const { unit, state } of found) {
      contribute(unit, state, scope, tallies, 1);
      if (isSeen(state, window)) moveTimes(tallies, null, state);
    }
    if (found.length < atOnce) return tallies;
    last = found.at(-1)?.unit ?? last;
    await rest();
  }
}
