import { createExecutionContext, createMessageBatch, getQueueResult, runInDurableObject } from "cloudflare:test";
import { env as bindings } from "cloudflare:workers";
import { beforeEach, expect, it, vi } from "vitest";
import { createDelivery } from "../../src/ledger/delivery.ts";
import { countsOf, forgetUnits, keepVerdict, verdictsOf } from "../../src/ledger/reader.ts";
import type { LedgerBindings } from "../../src/ledger/shards.ts";
import type { VestibuleEvent } from "../../src/model/event.ts";
import { noCounts } from "../../src/model/ledger-counts.ts";
import { consume, type Sinks } from "../../src/queue/consume.ts";
import { assigned, ended, event, exposed, forced, identified } from "./events.ts";
import { truthOf } from "./oracle.ts";
import { startMs } from "./stage.ts";

const real = (bindings as unknown as { LEDGER: DurableObjectNamespace }).LEDGER;
const ledgerOf = (LEDGER_SHARDS = "3", LEDGER = real): LedgerBindings => ({ LEDGER, LEDGER_SHARDS });

let tenants = 0;
let tenant = "";
beforeEach(() => {
  tenant = `tenant-${++tenants}`;
  vi.spyOn(console, "log").mockImplementation(() => {});
  vi.spyOn(console, "error").mockImplementation(() => {});
});

/** The same numbers at each run. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

function visitsOf(units: number): VestibuleEvent[] {
  const random = randomOf(7);
  return Array.from({ length: units }, (_, n) => `unit-${n}`).flatMap((unit, n) => {
    const given = { tenant, variation_id: random() < 0.5 ? "var_a" : "var_b", atMs: startMs + n * 1_000 };
    const later = { ...given, atMs: given.atMs + 60_000 };
    return [
      assigned(unit, given),
      ...(random() < 0.9 ? [exposed(unit, given)] : []),
      ...(random() < 0.6 ? [ended(unit, random() < 0.8 ? "s" : "f", later)] : []),
      ...(random() < 0.2 ? [ended(unit, "p", later)] : []),
      ...(random() < 0.1 ? [forced(unit, later), forced(`only-${unit}`, later)] : []),
      ...(random() < 0.3 ? [identified(unit, `person-${n % 20}`, later)] : []),
    ];
  });
}

/** A queue that delivers each message until it is taken off, several times over, in any order, in batches of any size. */
async function deliverAll(events: readonly VestibuleEvent[], deliver: Sinks["deliver"], seed: number): Promise<number> {
  const random = randomOf(seed);
  let waiting = events.flatMap((each) => Array.from({ length: 1 + Math.floor(random() * 5) }, () => each));
  let batches = 0;
  while (waiting.length > 0) {
    expect(++batches).toBeLessThan(2_000);
    waiting = waiting
      .map((each) => ({ each, by: random() }))
      .sort((a, b) => a.by - b.by)
      .map(({ each }) => each);
    const bodies = waiting.splice(0, 1 + Math.floor(random() * 100));
    const messages = bodies.map((each, n) => ({
      id: String(n),
      timestamp: new Date(0),
      attempts: 1,
      body: { kind: "event", event: each },
    }));
    const batch = createMessageBatch("vestibule-events", messages);
    await consume(batch, { deliver, record: async () => {} }).catch(() => {});
    const { explicitAcks } = await getQueueResult(batch, createExecutionContext());
    const acked = new Set(explicitAcks);
    waiting.push(...bodies.filter((_, n) => !acked.has(String(n))));
  }
  return batches;
}

async function expectTruth(events: readonly VestibuleEvent[], ledger = ledgerOf()): Promise<void> {
  const truth = truthOf(events);
  const { counts, shards, answered } = await countsOf(ledger, tenant, "exp_1");
  expect(answered).toBe(shards);
  for (const cell of counts.cells) {
    const own = truth.cells[`1 ${cell.variation_id} auto`] ?? {};
    const { assigned: n, exposed: x = 0, logins = 0, failures = 0, passed = 0 } = own;
    expect(cell).toMatchObject({ assigned: n, exposed: x, logins, failures, passed });
  }
  expect(counts.forced).toBe(truth.forced);
  expect(counts.cells).toHaveLength(Object.keys(truth.cells).length);
  const links = counts.links.map(({ variation_id, users, with_two, with_three }) => [
    variation_id,
    [users, with_two, with_three],
  ]);
  expect(Object.fromEntries(links)).toEqual(truth.links);
}

it("through the queue, the consumer crashing midway and a shard down at times, counts are the truth", async () => {
  const events = visitsOf(150);
  const random = randomOf(3);
  /** Of the calls to shards, one in ten never arrives, and one in ten is done without anybody hearing of it. */
  const shaky = {
    idFromName: (name: string) => name,
    get: (name: string) => {
      const stub = real.get(real.idFromName(name)) as unknown as {
        record(deliveries: unknown): Promise<string[]>;
        fixLayout: unknown;
      };
      return {
        fixLayout: (...given: unknown[]) =>
          random() < 0.2
            ? Promise.reject(new Error("down"))
            : (stub.fixLayout as (...of: unknown[]) => unknown)(...given),
        async record(deliveries: unknown) {
          const fate = random();
          if (fate < 0.1) throw new Error("down");
          const refused = await stub.record(deliveries);
          if (fate < 0.2) throw new Error("the answer is lost");
          return refused;
        },
      };
    },
  } as unknown as DurableObjectNamespace;
  let deliver = createDelivery(ledgerOf("3", shaky));
  const crashing: Sinks["deliver"] = async (...given) => {
    const counted = await deliver(...given);
    if (random() < 0.2) {
      // Another isolate takes over, with nothing in its memory.
      deliver = createDelivery(ledgerOf("3", shaky));
      throw new Error("the isolate is gone");
    }
    return counted;
  };
  await deliverAll(events, crashing, 11);
  await expectTruth(events);
});

it("a shard that is down keeps back its own events, and no others", async () => {
  const calls: string[] = [];
  const down = {
    idFromName: (name: string) => name,
    get: (name: string) => {
      const stub = real.get(real.idFromName(name)) as unknown as Record<string, (...of: unknown[]) => Promise<unknown>>;
      return {
        fixLayout: (...given: unknown[]) => stub.fixLayout?.(...given),
        record: (given: unknown) => {
          calls.push(name);
          return name.endsWith("/1") ? Promise.reject(new Error("down")) : stub.record?.(given);
        },
      };
    },
  } as unknown as DurableObjectNamespace;
  const events = Array.from({ length: 60 }, (_, n) => assigned(`unit-${n}`, { tenant }));
  const counted = await createDelivery(ledgerOf("3", down))(tenant, events);
  expect(calls.toSorted()).toEqual([`${tenant}/0`, `${tenant}/1`, `${tenant}/2`]);
  const { counts } = await countsOf(ledgerOf(), tenant, "exp_1");
  const taken = counted.filter(Boolean).length;
  expect(taken).toBeGreaterThan(20);
  expect(taken).toBeLessThan(60);
  expect(counts.cells[0]?.assigned).toBe(taken);
  expect(await createDelivery(ledgerOf())(tenant, events)).toEqual(events.map(() => true));
  expect((await countsOf(ledgerOf(), tenant, "exp_1")).counts.cells[0]?.assigned).toBe(60);
});

it("a shard that never answers is given up after ten seconds, and keeps back its own events alone", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  try {
    const hanging = {
      idFromName: (name: string) => name,
      get: (name: string) => ({
        fixLayout: async (ids: string[], shards: number) => Object.fromEntries(ids.map((id) => [id, shards])),
        record: () => (name.endsWith("/2") ? new Promise(() => {}) : Promise.resolve([])),
      }),
    } as unknown as DurableObjectNamespace;
    const events = Array.from({ length: 60 }, (_, n) => assigned(`unit-${n}`, { tenant }));
    const delivery = createDelivery(ledgerOf("3", hanging))(tenant, events);
    await vi.advanceTimersByTimeAsync(10_001);
    const taken = (await delivery).filter(Boolean).length;
    expect(taken).toBeGreaterThan(20);
    expect(taken).toBeLessThan(60);
  } finally {
    vi.useRealTimers();
  }
});

it("the number of shards may be set anew: an experiment keeps the one it began with", async () => {
  const events = visitsOf(60);
  await createDelivery(ledgerOf("2"))(tenant, events.slice(0, 80));
  await createDelivery(ledgerOf("5"))(tenant, events.slice(50));
  for (const setting of ["1", "2", "5"]) await expectTruth(events, ledgerOf(setting));
  expect((await countsOf(ledgerOf("5"), tenant, "exp_1")).shards).toBe(2);
  await createDelivery(ledgerOf("5"))(tenant, [event({ tenant, experiment_id: "exp_2" })]);
  expect(await countsOf(ledgerOf("2"), tenant, "exp_2")).toMatchObject({
    shards: 5,
    answered: 5,
    counts: { cells: [{ assigned: 1 }] },
  });
});

it("events that are no experiment's are none of the ledger's", async () => {
  const { experiment_id: _, ...none } = event({ tenant });
  expect(await createDelivery(ledgerOf())(tenant, [none])).toEqual([true]);
});

it("an event that a shard cannot count is kept back by itself", async () => {
  const broken = { ...event({ tenant, unit: "u2" }), at: "2030-02-30T99:00:00.000Z" };
  expect(await createDelivery(ledgerOf("1"))(tenant, [event({ tenant }), broken])).toEqual([true, false]);
});

it("of an experiment without events the ledger answers with nothing; of shards out of reach it says how many", async () => {
  expect(await countsOf(ledgerOf(), tenant, "exp_1")).toEqual({ counts: noCounts, shards: 3, answered: 3 });
  await createDelivery(ledgerOf())(tenant, visitsOf(30));
  const partly = (isDown: (name: string) => boolean) =>
    ledgerOf("3", {
      idFromName: (name: string) => name,
      get: (name: string) =>
        isDown(name) ? { readCounts: () => Promise.reject(new Error("down")) } : real.get(real.idFromName(name)),
    } as unknown as DurableObjectNamespace);
  const { shards, answered, counts } = await countsOf(
    partly((name) => name.endsWith("/0")),
    tenant,
    "exp_1",
  );
  expect([shards, answered]).toEqual([3, 2]);
  expect(counts.cells.length).toBeGreaterThan(0);
  await expect(
    countsOf(
      partly(() => true),
      tenant,
      "exp_1",
    ),
  ).rejects.toThrow("down");
});

it("windows are asked of all shards, and frequent values of attributes stand by themselves", async () => {
  const versions = Array.from({ length: 80 }, (_, n) =>
    Array.from({ length: n < 10 ? 2 : 1 }, (__, again) =>
      assigned(`unit-${n}-${again}`, { tenant, atMs: startMs + n * 1_000, attributes: { app_version: `1.${n}` } }),
    ),
  ).flat();
  await createDelivery(ledgerOf())(tenant, versions);
  const { counts } = await countsOf(ledgerOf(), tenant, "exp_1");
  const of = counts.attributes.filter(({ name }) => name === "app_version");
  expect(of).toHaveLength(51);
  expect(of.filter(({ assigned: n }) => n === 2)).toHaveLength(10);
  expect(of.find(({ value }) => value === "(other)")?.assigned).toBe(30);
  const window = { from: new Date(startMs + 10_000).toISOString(), to: new Date(startMs + 20_000).toISOString() };
  expect((await countsOf(ledgerOf(), tenant, "exp_1", window)).counts.cells[0]?.assigned).toBe(10);
});

it("a subject is forgotten in all shards, whatever they were set to when it was counted", async () => {
  const events = [assigned("d1", { tenant }), identified("d1", "p1", { tenant }), assigned("d2", { tenant })];
  await createDelivery(ledgerOf("4"))(tenant, events);
  await createDelivery(ledgerOf("2"))(tenant, [event({ tenant, unit: "d1", experiment_id: "exp_2" })]);
  expect(await forgetUnits(ledgerOf("1"), tenant, ["d1"])).toEqual({ units: 2, links: 1 });
  expect(await forgetUnits(ledgerOf("1"), tenant, ["d1"])).toEqual({ units: 0, links: 0 });
  const { counts } = await countsOf(ledgerOf(), tenant, "exp_1");
  expect(counts).toMatchObject({ cells: [{ assigned: 1 }], links: [] });
});

it("the root keeps what the sequential test came to", async () => {
  const look = { logBayesFactor: 2, verdict: "pass", at: "2030-01-01T00:00:00.000Z" };
  expect(await keepVerdict(ledgerOf(), tenant, "exp_1", look)).toEqual({ highest: 2 });
  expect(await verdictsOf(ledgerOf(), tenant)).toEqual([
    { experiment_id: "exp_1", highest: 2, verdict: "pass", at: "2030-01-01T00:00:00.000Z" },
  ]);
  const root = real.get(real.idFromName(`${tenant}/0`));
  await runInDurableObject(root, async (_, { storage }) => {
    expect(storage.sql.exec<{ highest: number }>("SELECT highest FROM verdict").one()).toEqual({ highest: 2 });
  });
});
