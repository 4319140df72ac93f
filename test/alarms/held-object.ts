/** An object whose clock, alarm and power are in a test's hands: support for tests in workerd. */
import { runInDurableObject } from "cloudflare:test";
import { vi } from "vitest";

export const startMs = Date.parse("2030-01-01T00:00:00Z");

export interface HeldObject {
  storage: DurableObjectStorage;
  /** Warnings and errors on the console. */
  warned: string[];
  /** Counts up with each time that the power went. */
  life(): number;
  alarmAt(): number | null;
  /** Lets what can go on do so, without time going by. */
  settle(): Promise<void>;
  /** Lets time go by; alarms ring. */
  pass(ms: number): Promise<void>;
  /** Whatever is under way is never heard of again, if it minds `life`; `begin` starts the next. */
  cutPower(begin: () => void): Promise<void>;
}

let count = 0;

/**
 * Runs a test inside an object of its own.
 * @param ring what an alarm calls
 */
export async function withHeldObject(
  namespace: DurableObjectNamespace,
  ring: () => Promise<void>,
  test: (object: HeldObject) => Promise<void>,
): Promise<void> {
  const stub = namespace.get(namespace.idFromName(`held-${++count}`));
  await runInDurableObject(stub, async (_, { storage }) => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "Date"], now: startMs });
    try {
      await test(hold(storage, ring));
    } finally {
      vi.useRealTimers();
      vi.restoreAllMocks();
      await storage.deleteAlarm();
    }
  });
}

function hold(storage: DurableObjectStorage, ring: () => Promise<void>): HeldObject {
  const warned: string[] = [];
  vi.spyOn(console, "warn").mockImplementation((line) => void warned.push(line));
  vi.spyOn(console, "error").mockImplementation((line) => void warned.push(line));
  let alarm: number | null = null;
  let ringing: Promise<void> | undefined;
  let life = 0;
  const methods = Object.getPrototypeOf(storage) as DurableObjectStorage;
  vi.spyOn(methods, "setAlarm").mockImplementation(async (at) => {
    alarm = Number(at);
  });
  vi.spyOn(methods, "deleteAlarm").mockImplementation(async () => {
    alarm = null;
  });
  vi.spyOn(methods, "getAlarm").mockImplementation(async () => alarm);
  // Whoever waits for the disk goes on by himself, whatever the life he is of.
  vi.spyOn(methods, "sync").mockImplementation(async () => {});

  const settle = async () => void (await vi.advanceTimersByTimeAsync(0));

  function ringIfDue(): void {
    if (alarm === null || alarm > Date.now() || ringing !== undefined) return;
    alarm = null;
    const ofLife = life;
    ringing = ring().finally(() => {
      if (ofLife === life) ringing = undefined;
    });
  }

  return {
    storage,
    warned,
    life: () => life,
    alarmAt: () => alarm,
    settle,
    async pass(ms) {
      const until = Date.now() + ms;
      let step = 20;
      for (;;) {
        ringIfDue();
        await settle();
        const now = Date.now();
        if (now >= until) return;
        // While something is under way, in short steps: what follows from it may set the alarm.
        step = vi.getTimerCount() > 0 || ringing !== undefined ? Math.min(step * 2, 1_000) : Number.POSITIVE_INFINITY;
        const next = alarm === null ? until : Math.max(alarm, now + 1);
        if (alarm !== null && alarm <= now + 20) step = 20;
        await vi.advanceTimersByTimeAsync(Math.min(next, until, now + step) - now);
        if (!Number.isFinite(step)) step = 20;
      }
    },
    async cutPower(begin) {
      const now = Date.now();
      vi.clearAllTimers();
      vi.setSystemTime(now);
      ringing = undefined;
      life++;
      begin();
      await settle();
    },
  };
}
