/** Everything that the simulation can make go wrong, and what it cannot. */
import type { Fault } from "./fault.ts";
import { countingFaults } from "./faults/counting.ts";
import { setupFaults } from "./faults/setup.ts";
import { splitFaults } from "./faults/split.ts";
import { trafficFaults } from "./faults/traffic.ts";
import { unitFaults } from "./faults/units.ts";

const none: Fault = {
  name: "none",
  check: null,
  says: "a healthy experiment: nothing may fail",
  least: 200,
  async run(scene) {
    await scene.arrive("Visitors", scene.visitors);
    return undefined;
  },
};

export const faults: readonly Fault[] = [
  none,
  ...countingFaults,
  ...splitFaults,
  ...unitFaults,
  ...trafficFaults,
  ...setupFaults,
];

/** Checks that no visitor and no operator can make fail. */
export const outOfReach: readonly { check: string; why: string }[] = [
  { check: "variation_off", why: "the API refuses a variation of that name" },
  { check: "published", why: "it takes a Workers KV that cannot be written to" },
];
