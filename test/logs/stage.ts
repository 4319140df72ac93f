/** A tenant's log on the SQLite of an object of its own, its clock, its alarm and its power cuts in the test's hands. */
import { runInDurableObject } from "cloudflare:test";
import { env as bindings } from "cloudflare:workers";
import { vi } from "vitest";
import { createKeeper, type Keeper } from "../../src/logs/keeper.ts";
import type { LogLimits } from "../../src/logs/limits.ts";

export const minuteMs = 60_000;
export const dayMs = 24 * 60 * minuteMs;
export const startMs = Date.parse("2030-01-01T00:00:00Z");

export interface LogStage {
  keeper: Keeper;
  storage: DurableObjectStorage;
  /** Warnings and errors on the console. */
  warned: string[];
  /** `log_id` of all entries, in the order in which they came. */
  held(): string[];
  /** Lets time go by; alarms ring. */
  pass(ms: number): Promise<void>;
  alarmAt(): number | null;
  /** The power goes, and comes back. Whatever was under way is never heard of again. */
  restart(): Promise<void>;
}

// A test passes days, and its object may share a processor with many.
vi.setConfig({ testTimeout: 60_000 });

let count = 0;

export async function withStage(
  test: (stage: LogStage) => Promise<void>,
  options: { limits?: Partial<LogLimits> } = {},
): Promise<void> {
  const namespace = (bindings as unknown as { LOGBOOK: DurableObjectNamespace }).LOGBOOK;
  const stub = namespace.get(namespace.idFromName(`stage-${++count}`));
  await runInDurableObject(stub, async (_, state) => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "Date"], now: startMs });
    const warned: string[] = [];
    vi.spyOn(console, "warn").mockImplementation((line) => void warned.push(line));
    vi.spyOn(console, "error").mockImplementation((line) => void warned.push(line));
    try {
      await test(await raise(state, warned, { retentionMs: 30 * dayMs, bytes: 1024 ** 3, ...options.limits }));
    } finally {
      vi.useRealTimers();
      vi.restoreAllMocks();
      await state.storage.deleteAlarm();
    }
  });
}

async function raise(state: DurableObjectState, warned: string[], limits: LogLimits): Promise<LogStage> {
  let alarm: number | null = null;
  let ringing: Promise<void> | undefined;
  let life = 0;
  const methods = Object.getPrototypeOf(state.storage) as DurableObjectStorage;
  vi.spyOn(methods, "setAlarm").mockImplementation(async (at) => {
    alarm = Number(at);
  });
  vi.spyOn(methods, "deleteAlarm").mockImplementation(async () => {
    alarm = null;
  });
  vi.spyOn(methods, "getAlarm").mockImplementation(async () => alarm);

  function begin(): Keeper {
    life++;
    return createKeeper({ storage: state.storage, limits, rest: async () => {}, now: Date.now });
  }

  const settle = () => vi.advanceTimersByTimeAsync(0);

  function ring(): void {
    if (alarm === null || alarm > Date.now() || ringing !== undefined) return;
    alarm = null;
    const ofLife = life;
    ringing = stage.keeper.ring().finally(() => {
      if (ofLife === life) ringing = undefined;
    });
  }

  const stage: LogStage = {
    keeper: undefined as unknown as Keeper,
    storage: state.storage,
    warned,
    held: () =>
      [...state.storage.sql.exec<{ log_id: string }>("SELECT log_id FROM entry ORDER BY seq")].map(
        ({ log_id }) => log_id,
      ),
    async pass(ms) {
      const until = Date.now() + ms;
      for (;;) {
        ring();
        await settle();
        const now = Date.now();
        if (now >= until) return;
        // While something is under way, in short steps: what follows from it may set the alarm.
        const step = vi.getTimerCount() > 0 || ringing !== undefined ? 100 : Number.POSITIVE_INFINITY;
        const next = alarm === null ? until : Math.max(alarm, now + 1);
        await vi.advanceTimersByTimeAsync(Math.min(next, until, now + step) - now);
      }
    },
    alarmAt: () => alarm,
    async restart() {
      const now = Date.now();
      vi.clearAllTimers();
      vi.setSystemTime(now);
      ringing = undefined;
      stage.keeper = begin();
      await settle();
    },
  };
  stage.keeper = begin();
  await settle();
  return stage;
}
