/**
 * A control plane whose lives a test begins and ends, its clock and alarm in the test's hands, before stores that fail
 * as the test wants: support for tests in workerd.
 */
import { runInDurableObject } from "cloudflare:test";
import { env as bindings } from "cloudflare:workers";
import { vi } from "vitest";
import type { CohortDefinitions } from "../../src/control/cohort-definitions.ts";
import { Control, type ControlAnswer, type ControlRequest } from "../../src/control/control.ts";
import type { LogStreamDefinitions } from "../../src/control/log-stream-definitions.ts";
import type { QueueMessage } from "../../src/model/log-entry.ts";
import { type Snapshot, snapshotKey } from "../../src/model/snapshot.ts";
import { scopes } from "../../src/model/token.ts";

/** How a store answers: `hang` never does of itself, `vanish` does what is asked without saying so. */
export const modes = ["work", "fail", "throw", "hang", "vanish"] as const;
export type Mode = (typeof modes)[number];

export const tenant = "acme";

export interface Lives {
  control: Control;
  storage: DurableObjectStorage;
  kv: {
    mode: Mode;
    /** What is there, as text. */
    value: string | null;
    metadata: unknown;
    /** Versions, in the order in which the puts were asked for. */
    asked: number[];
    askedAtMs: number[];
    /** Lets puts that hang land, the oldest first; those of a life that ended a minute ago and more never do. */
    land(): void;
    held(): Snapshot | null;
  };
  queue: { mode: Mode; sent: QueueMessage[] };
  /** The tenant's cohort object. */
  cohorts: {
    mode: Mode;
    /** In the order in which they were asked for, heard or not. */
    asked: CohortDefinitions[];
    heard: CohortDefinitions | null;
  };
  /** The tenant's logbook. */
  logbook: {
    mode: Mode;
    asked: LogStreamDefinitions[];
    heard: LogStreamDefinitions | null;
  };
  /** Warnings and errors on the console. */
  warned: string[];
  /** Runs a command; its body. Throws what was refused. */
  // biome-ignore lint/suspicious/noExplicitAny: answers are read field by field.
  run(command: ControlRequest["command"], input?: Partial<ControlRequest["input"]>, limit?: number): Promise<any>;
  /** Commits something new. */
  commit(): Promise<void>;
  /** Lets time go by; alarms ring. */
  pass(ms: number): Promise<void>;
  alarmAt(): number | null;
  /** The power goes, and comes back. Whatever was under way is never heard of again; puts that hang may still land. */
  restart(): Promise<void>;
}

let count = 0;

/** Runs a test inside an object of its own. */
export async function withLives(test: (lives: Lives) => Promise<void>): Promise<void> {
  const namespace = (bindings as unknown as { CONTROL: DurableObjectNamespace<Control> }).CONTROL;
  const stub = namespace.get(namespace.idFromName(`lives-${++count}`));
  await runInDurableObject(stub, async (_, state) => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"], now: Date.parse("2030-01-01T00:00:00Z") });
    const warned: string[] = [];
    vi.spyOn(console, "warn").mockImplementation((line) => void warned.push(line));
    vi.spyOn(console, "error").mockImplementation((line) => void warned.push(line));
    try {
      await test(await live(state, warned));
    } finally {
      vi.useRealTimers();
      vi.restoreAllMocks();
      await state.storage.deleteAlarm();
    }
  });
}

async function live(state: DurableObjectState, warned: string[]): Promise<Lives> {
  let alarm: number | null = null;
  let ringing: Promise<void> | undefined;
  const methods = Object.getPrototypeOf(state.storage) as DurableObjectStorage;
  vi.spyOn(methods, "setAlarm").mockImplementation(async (at) => {
    alarm = Number(at);
  });
  vi.spyOn(methods, "deleteAlarm").mockImplementation(async () => {
    alarm = null;
  });
  vi.spyOn(methods, "getAlarm").mockImplementation(async () => alarm);

  const hung: { ofLife: number; land: () => void }[] = [];
  let life = 0;
  const endedAt = new Map<number, number>();

  /** Does `effect` as the store's mode says. Of a life that is over, no answer arrives. */
  function answer<T>(mode: Mode, ofLife: number, effect: () => T): Promise<T> {
    if (mode === "throw") throw new Error("broken");
    return new Promise((resolve, reject) => {
      const heard = (act: () => void) => {
        if (ofLife === life) act();
      };
      const work = () => {
        const value = effect();
        heard(() => resolve(value));
      };
      if (mode === "hang") hung.push({ ofLife, land: work });
      else if (mode === "vanish") effect();
      else if (mode === "fail") heard(() => reject(new Error("down")));
      else work();
    });
  }

  function begin(): Control {
    const own = ++life;
    const SNAPSHOTS = {
      getWithMetadata: (key: string) =>
        answer(lives.kv.mode, own, () => ({
          value: key === snapshotKey(tenant) ? lives.kv.value : null,
          metadata: lives.kv.metadata,
        })),
      put(key: string, value: string, { metadata }: { metadata: { version: number } }) {
        if (key !== snapshotKey(tenant)) throw new Error(`another tenant's key: ${key}`);
        lives.kv.asked.push(metadata.version);
        lives.kv.askedAtMs.push(Date.now());
        return answer(lives.kv.mode, own, () => void Object.assign(lives.kv, { value, metadata }));
      },
    } as unknown as KVNamespace;
    const EVENTS = {
      sendBatch: (batch: { body: QueueMessage }[]) =>
        answer(lives.queue.mode, own, () => void lives.queue.sent.push(...batch.map(({ body }) => body))),
    } as unknown as Queue;
    const cohorts = {
      sync(told: CohortDefinitions) {
        lives.cohorts.asked.push(told);
        return answer(lives.cohorts.mode, own, () => {
          if (told.revision >= (lives.cohorts.heard?.revision ?? 0)) lives.cohorts.heard = told;
          return lives.cohorts.heard?.revision;
        });
      },
    };
    const COHORTS = { idFromName: (name: string) => name, get: () => cohorts } as unknown as DurableObjectNamespace;
    const logbook = {
      sync(told: LogStreamDefinitions) {
        lives.logbook.asked.push(told);
        return answer(lives.logbook.mode, own, () => {
          if (told.revision >= (lives.logbook.heard?.revision ?? 0)) lives.logbook.heard = told;
          return lives.logbook.heard?.revision;
        });
      },
    };
    const LOGBOOK = { idFromName: (name: string) => name, get: () => logbook } as unknown as DurableObjectNamespace;
    return new Control(state, { SNAPSHOTS, EVENTS, COHORTS, LOGBOOK });
  }

  /** Lets what can go on do so, without time going by. */
  const settle = () => vi.advanceTimersByTimeAsync(0);

  function ring(): void {
    if (alarm === null || alarm > Date.now() || ringing !== undefined) return;
    alarm = null;
    const own = life;
    ringing = lives.control.alarm().finally(() => {
      if (own === life) ringing = undefined;
    });
  }

  const lives: Lives = {
    control: undefined as unknown as Control,
    storage: state.storage,
    kv: {
      mode: "work",
      value: null,
      metadata: null,
      asked: [],
      askedAtMs: [],
      land() {
        for (const { ofLife, land } of hung.splice(0)) {
          if (Date.now() - (endedAt.get(ofLife) ?? Date.now()) < 60_000) land();
        }
      },
      held: () => (lives.kv.value === null ? null : JSON.parse(lives.kv.value)),
    },
    queue: { mode: "work", sent: [] },
    cohorts: { mode: "work", asked: [], heard: null },
    logbook: { mode: "work", asked: [], heard: null },
    warned,
    async run(command, input, activeLimit = 1) {
      const result: ControlAnswer = await lives.control.execute({
        tenant: { id: tenant, activeLimit, entitled: true, verifiesUsers: true, gateFlows: ["authentication"] },
        credential: { actor: { name: "root", scopes } },
        scope: "read:experimentation",
        command,
        input: { params: {}, query: {}, body: undefined, ...input },
        correlationId: "c",
        hostname: "admin.example.com",
      });
      if (!result.ok) throw new Error(`${result.code}: ${result.message}`);
      await settle();
      return result.json === null ? undefined : JSON.parse(result.json);
    },
    async commit() {
      const name = `Number ${crypto.randomUUID()}`;
      await lives.run("create_segment", { body: { name, rules: [{ match: { country: ["CH"] } }] } });
    },
    async pass(ms) {
      const until = Date.now() + ms;
      for (;;) {
        ring();
        await settle();
        const now = Date.now();
        if (now >= until) return;
        // An alarm that is overdue waits for the one before it to end.
        const next = alarm === null ? until : alarm > now ? Math.min(alarm, until) : Math.min(now + 100, until);
        await vi.advanceTimersByTimeAsync(next - now);
      }
    },
    alarmAt: () => alarm,
    async restart() {
      const now = Date.now();
      vi.clearAllTimers();
      vi.setSystemTime(now);
      ringing = undefined;
      endedAt.set(life, now);
      lives.control = begin();
      await settle();
    },
  };
  lives.control = begin();
  await settle();
  return lives;
}
