/** Events of visitors who are assigned, see the page, and mostly log in: as the gate tells them, and at random. */
import type { VestibuleEvent } from "../../../src/model/event.ts";

const countries = ["CH", "DE", "FR", "US", "GB", "IN", "BR", "JP"];
const browsers = ["chrome", "safari", "firefox", "edge"];
const platforms = ["windows", "macos", "ios", "android", "linux"];
const colos = ["ZRH", "FRA", "CDG", "LHR", "IAD", "GRU", "NRT"];
const dayMs = 24 * 3_600_000;

const pick = <T>(list: readonly T[]): T => list[Math.floor(Math.random() * list.length)] as T;

/** Two events a visitor, and a third from most of them. */
export function visitOf(experiment: string, number: number, nowMs: number): VestibuleEvent[] {
  const unit = btoa(`${Math.random()}${number}`.slice(2, 18)).slice(0, 22);
  const at = new Date(nowMs - Math.floor(Math.random() * 14 * dayMs)).toISOString();
  const shared = {
    tenant: "bench",
    at,
    experiment_id: experiment,
    flag_key: "login_page",
    variation_id: pick(["var_Control000", "var_Treatment0"]),
    epoch: 1,
    unit,
    subject_kind: "device",
    method: "auto",
    source: "gate",
    attributes: {
      country: pick(countries),
      browser: pick(browsers),
      platform: pick(platforms),
      colo: pick(colos),
      device_type: pick(["desktop", "mobile", "tablet"]),
      bot: false,
    },
  } as const;
  const event = (type: VestibuleEvent["type"], more: object = {}): VestibuleEvent => ({
    id: crypto.randomUUID(),
    type,
    ...shared,
    ...more,
  });
  return [
    event("assignment"),
    event("exposure"),
    ...(Math.random() < 0.7 ? [event("auth", { outcome: Math.random() < 0.9 ? "s" : "f" })] : []),
  ];
}
