import type { Check } from "../check.ts";
import type { Scene } from "../scene.ts";
import { circuitClosed, deploymentEnabled, segmentMatching, supportedEvents } from "./arrival.ts";
import {
  anotherActive,
  entitled,
  experimentActive,
  experimentValid,
  flagActive,
  flowHasPages,
  levelOpen,
  published,
  usersVerifiable,
} from "./configuration.ts";

/** In the order in which the guide asks, what it does not ask where it belongs. */
export const trafficChecks: readonly Check<Scene>[] = [
  entitled,
  experimentActive,
  experimentValid,
  anotherActive,
  flagActive,
  usersVerifiable,
  flowHasPages,
  levelOpen,
  published,
  segmentMatching,
  circuitClosed,
  deploymentEnabled,
  supportedEvents,
];
