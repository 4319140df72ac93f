/** Events as the gate and the fetch APIs send them. */
import type { VestibuleEvent } from "../../src/model/event.ts";
import { startMs, theExperiment } from "./stage.ts";

let made = 0;

export function event(given: Partial<VestibuleEvent> & { atMs?: number } = {}): VestibuleEvent {
  const { atMs = startMs, ...rest } = given;
  return {
    id: `e${++made}`,
    tenant: "default",
    type: "assignment",
    at: new Date(atMs).toISOString(),
    experiment_id: theExperiment,
    variation_id: "var_a",
    epoch: 1,
    unit: "u1",
    subject_kind: "device",
    method: "auto",
    source: "gate",
    attributes: { country: "CH", browser: "chrome", platform: "windows", device_type: "desktop", bot: false },
    ...rest,
  };
}

export const assigned = (unit: string, given: Parameters<typeof event>[0] = {}) => event({ unit, ...given });
export const exposed = (unit: string, given: Parameters<typeof event>[0] = {}) =>
  event({ unit, type: "exposure", ...given });
export const ended = (
  unit: string,
  outcome: VestibuleEvent["outcome"] & string,
  given: Parameters<typeof event>[0] = {},
) => event({ unit, type: "auth", outcome, ...given });
/** QA forced a variation on the unit. */
export const forced = (unit: string, given: Parameters<typeof event>[0] = {}) =>
  event({ unit, type: "forced", method: "forced", ...given });
export const identified = (unit: string, user: string, given: Parameters<typeof event>[0] = {}) =>
  event({ unit, type: "identity", linked_unit: user, ...given });
