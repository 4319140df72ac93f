import type { Check } from "../check.ts";
import type { Scene } from "../scene.ts";
import { deviceCookieKept, distinctEvents, idsAligned, serverSideAssignment, silentUnits } from "./identity.ts";
import { attributesPresent, cohortAge, variationOff } from "./rules.ts";

/** In the order of Amplitude's troubleshooting checklist, and then of its other discrepancies. */
export const setupChecks: readonly Check<Scene>[] = [
  idsAligned,
  variationOff,
  distinctEvents,
  attributesPresent,
  cohortAge,
  serverSideAssignment,
  silentUnits,
  deviceCookieKept,
];
