import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { breakQueue, expectFailedOpen, hang } from "./faults.ts";
import { clearStores, createStage, navigation, publish, realStores, type Stage } from "./stage.ts";

let stage: Stage;
let kvCalls: number;
/** What KV does, instead of answering. */
let kvFault: (() => Promise<never>) | null;

beforeEach(async () => {
  await clearStores();
  await publish();
  stage = createStage();
  kvCalls = 0;
  kvFault = null;
  const getWithMetadata = (...args: Parameters<KVNamespace["getWithMetadata"]>) => {
    kvCalls++;
    return kvFault ? kvFault() : realStores.kv.getWithMetadata(...args);
  };
  stage.stores.kv = { getWithMetadata } as unknown as KVNamespace;
});
afterEach(() => {
  vi.unstubAllGlobals();
});

const fail = () => Promise.reject(new Error("down"));
const newcomer = () => stage.send(navigation());
const openings = () => stage.logged.filter((line) => line.includes("experiment_circuit_open"));

async function openCircuit(): Promise<void> {
  kvFault = fail;
  for (let i = 0; i < 20; i++) expectFailedOpen(await newcomer());
  expect(stage.sources.health().circuits.kv).toBe("open");
}

it("opens while KV fails, spares it, probes, and closes when it is back", async () => {
  await openCircuit();
  expect(kvCalls).toBe(20);

  for (let i = 0; i < 30; i++) {
    const visit = await newcomer();
    expect(visit.stamp("failed-open")).toBe("circuit_open");
    expect(visit.elapsedMs).toBeLessThan(stage.budgetMs / 2);
  }
  expect(kvCalls).toBe(20);

  // The pauses of failed probes: 1 s is over, 2 s and 4 s follow.
  for (const pauseMs of [1_000, 2_000]) {
    stage.clock.nowMs += pauseMs - 1;
    expectFailedOpen(await newcomer());
    const before = kvCalls;
    stage.clock.nowMs += 1;
    for (let i = 0; i < 5; i++) expectFailedOpen(await newcomer());
    expect(kvCalls).toBe(before + 1);
  }

  kvFault = null;
  stage.clock.nowMs += 3_999;
  expect((await newcomer()).stamp("failed-open")).toBe("circuit_open");
  stage.clock.nowMs += 1;
  const probe = await newcomer();
  expect(probe.stamp("method")).toBe("auto");
  expect(stage.sources.health().circuits.kv).toBe("closed");
  for (let i = 0; i < 5; i++) expect((await newcomer()).stamp("method")).toBe("auto");
  expect(kvCalls).toBe(23);
});

it("is told of once an opening", async () => {
  await openCircuit();
  for (let i = 0; i < 10; i++) await newcomer();
  stage.clock.nowMs += 1_000;
  for (let i = 0; i < 10; i++) await newcomer();
  expect(openings()).toHaveLength(1);
  expect(openings()[0]).toContain("kv");
});

it("lets one of many at a time probe, and none of them waits for it", async () => {
  stage.restart(200);
  await openCircuit();
  stage.clock.nowMs += 1_000;
  kvFault = hang;
  const probing = stage.send(navigation(), false);
  const others = await Promise.all(Array.from({ length: 10 }, () => stage.send(navigation(), false)));
  for (const visit of others) expect(visit.stamp("failed-open")).toBe("circuit_open");
  expect(kvCalls).toBe(21);
  expectFailedOpen(await probing);
});

it("opens on a KV that hangs", async () => {
  stage.restart(100);
  kvFault = hang;
  await Promise.all(Array.from({ length: 20 }, () => stage.send(navigation(), false)));
  expect(stage.sources.health().circuits.kv).toBe("open");
  const visit = await stage.send(navigation(), false);
  expect(visit.stamp("failed-open")).toBe("circuit_open");
});

it("is never opened by the origin", async () => {
  stage.origin.answer = () => new Response("down", { status: 503 });
  for (let i = 0; i < 30; i++) expect((await newcomer()).response.status).toBe(503);
  stage.origin.answer = () => {
    throw new Error("connection refused");
  };
  for (let i = 0; i < 30; i++) expect((await newcomer()).response.status).toBe(502);
  expect(new Set(Object.values(stage.sources.health().circuits))).toEqual(new Set(["closed"]));
});

it("of the queue leaves the others alone", async () => {
  breakQueue(stage, "error");
  for (let i = 0; i < 25; i++) expect((await newcomer()).stamp("method")).toBe("auto");
  expect(stage.sources.health().circuits).toEqual({
    kv: "closed",
    cache: "closed",
    queue: "open",
    crypto: "closed",
    jwks: "closed",
  });
});

it("is not opened by one tenant's broken snapshot, which others would pay for", async () => {
  await realStores.kv.put("snapshot:acme", "<html>");
  for (let i = 0; i < 40; i++) expectFailedOpen(await newcomer());
  expect(stage.sources.health().circuits.kv).toBe("closed");
  expect(kvCalls).toBe(1);
});
