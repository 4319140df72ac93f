/** Events of one visitor from the first page to the log-in, as the gate sends them. */
import type { VestibuleEvent } from "../../src/model/event.ts";

type Of = Pick<VestibuleEvent, "tenant"> & { experiment_id: string; variation_id: string } & Partial<VestibuleEvent>;

let made = 0;

/** An assignment, an exposure and a log-in, in this order; the last is left out where `outcome` is null. */
export function visit(
  unit: string,
  { outcome = "s", ...of }: Omit<Of, "outcome"> & { outcome?: "s" | "f" | null },
): VestibuleEvent[] {
  const event = (type: VestibuleEvent["type"], seconds: number): VestibuleEvent => ({
    id: `visit-${++made}`,
    type,
    at: new Date(Date.parse(of.at ?? "2030-01-01T00:00:00.000Z") + seconds * 1000).toISOString(),
    epoch: 1,
    subject_kind: "device",
    method: "auto",
    source: "gate",
    attributes: { country: "CH", browser: "firefox", platform: "linux", device_type: "desktop", bot: false },
    ...without(of),
    unit,
  });
  return [
    event("assignment", 0),
    event("exposure", 1),
    ...(outcome === null ? [] : [{ ...event("auth", 20), outcome }]),
  ];
}

function without({ at: _, ...rest }: Partial<VestibuleEvent>): Partial<VestibuleEvent> & { tenant: string } {
  return rest as Partial<VestibuleEvent> & { tenant: string };
}
