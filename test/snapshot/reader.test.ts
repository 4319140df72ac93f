import { beforeEach, describe, expect, it, vi } from "vitest";
import { createShelf, fail, freshMs, hang, nothing, type Shelf, snapshotOf, stored, throwAtOnce } from "./stores.ts";

let shelf: Shelf;
beforeEach(() => {
  shelf = createShelf();
});
const versionRead = async () => (await shelf.read())?.version;
async function warmUp(version = 5): Promise<void> {
  shelf.kv = stored(snapshotOf(version));
  await shelf.read();
  await shelf.settle();
  Object.assign(shelf.asked, { kv: 0, match: 0, put: 0 });
}
const later = (ms: number) => {
  shelf.clock.nowMs += ms;
};

describe("memory while fresh", () => {
  it("answers at once, asks no store and sets no timer", async () => {
    await warmUp();
    const timers = vi.spyOn(globalThis, "setTimeout");
    later(freshMs - 1);
    for (let i = 0; i < 100; i++) expect(shelf.read()).toMatchObject({ version: 5 });
    expect(shelf.asked).toEqual({ kv: 0, match: 0, put: 0 });
    expect(timers).not.toHaveBeenCalled();
    timers.mockRestore();
  });

  it("remembers that nothing is published", async () => {
    expect(await shelf.read()).toBeNull();
    expect(shelf.read()).toBeNull();
    expect(shelf.asked.kv).toBe(1);
  });
});

describe("stale memory", () => {
  it("answers at once and refreshes behind, once", async () => {
    await warmUp();
    shelf.kv = stored(snapshotOf(6));
    later(freshMs);
    for (let i = 0; i < 10; i++) expect(shelf.read()).toMatchObject({ version: 5 });
    expect(shelf.asked.kv).toBe(1);
    await shelf.settle();
    expect(shelf.read()).toMatchObject({ version: 6 });
    expect(shelf.asked).toEqual({ kv: 1, match: 0, put: 1 });
  });

  it("does not read an unchanged value again", async () => {
    await warmUp();
    const before = shelf.read();
    const pull = vi.fn();
    shelf.stores.kv.getWithMetadata = (async () => ({
      value: new ReadableStream({ pull }, { highWaterMark: 0 }),
      metadata: { version: 5 },
    })) as never;
    later(freshMs);
    shelf.read();
    await shelf.settle();
    expect(shelf.read()).toBe(before);
    expect(pull).not.toHaveBeenCalled();
    expect(shelf.asked.put).toBe(0);
  });

  it.each([
    ["an older version", stored(snapshotOf(4))],
    ["an older version without metadata", stored(snapshotOf(4), null)],
    ["nothing any more", nothing],
  ])("never steps back: %s", async (_, kv) => {
    await warmUp();
    shelf.kv = kv;
    later(freshMs);
    shelf.read();
    await shelf.settle();
    expect(shelf.read()).toMatchObject({ version: 5 });
    expect(shelf.asked.put).toBe(0);
  });

  it.each([
    ["rejects", fail],
    ["throws", throwAtOnce],
    ["holds garbage", async () => ({ value: "<html>", metadata: null })],
  ])("serves on while KV %s, asking now and then", async (_, kv) => {
    await warmUp();
    shelf.kv = kv as Shelf["kv"];
    later(freshMs);
    for (let second = 0; second < 20; second++) {
      expect(shelf.read()).toMatchObject({ version: 5 });
      await shelf.settle();
      later(1_000);
    }
    expect(shelf.asked.kv).toBeLessThanOrEqual(4);
    expect(shelf.failures.length).toBeGreaterThan(0);
    shelf.kv = stored(snapshotOf(6));
    later(freshMs);
    shelf.read();
    await shelf.settle();
    expect(shelf.read()).toMatchObject({ version: 6 });
  });
});

describe("memory of an isolate that slept for hours", () => {
  it("waits for KV", async () => {
    await warmUp();
    shelf.kv = stored(snapshotOf(9));
    later(3 * 3600_000);
    expect(await versionRead()).toBe(9);
  });

  it.each([
    ["hangs", hang],
    ["rejects", fail],
  ])("is used when KV %s, and then without waiting each time", async (_, kv) => {
    await warmUp();
    shelf.kv = kv;
    later(3 * 3600_000);
    expect(await versionRead()).toBe(5);
    for (let i = 0; i < 10; i++) expect(shelf.read()).toMatchObject({ version: 5 });
    expect(shelf.asked.kv).toBe(1);
    later(5_000);
    expect(await versionRead()).toBe(5);
    expect(shelf.asked).toEqual({ kv: 2, match: 0, put: 0 });
  });
});

describe("a cold isolate", () => {
  it("reads KV and leaves a copy in the cache", async () => {
    shelf.kv = stored(snapshotOf(5));
    expect(await versionRead()).toBe(5);
    await shelf.settle();
    expect(JSON.parse(String(shelf.cache))).toEqual(snapshotOf(5));
  });

  it("does not mind that the copy cannot be left", async () => {
    shelf.kv = stored(snapshotOf(5));
    shelf.cache = fail;
    expect(await versionRead()).toBe(5);
    await shelf.settle();
    expect(shelf.read()).toMatchObject({ version: 5 });
  });

  it.each([
    ["hangs", hang],
    ["rejects", fail],
    ["throws", throwAtOnce],
    ["holds garbage", async () => ({ value: "{", metadata: null })],
    ["holds another schema", async () => ({ value: '{"schema":2}', metadata: null })],
    ["holds another tenant's", stored(snapshotOf(8, { tenant: "beta" }))],
    ["holds no UTF-8", async () => ({ value: new Uint8Array([0xff, 0xfe]), metadata: null })],
  ])("takes the cache's copy when KV %s, and asks KV again behind it", async (_, kv) => {
    shelf.kv = kv as Shelf["kv"];
    shelf.cache = JSON.stringify(snapshotOf(3));
    expect(await versionRead()).toBe(3);
    shelf.kv = stored(snapshotOf(4));
    later(freshMs);
    expect(shelf.read()).toMatchObject({ version: 3 });
    await Promise.race([shelf.settle(), new Promise((resolve) => setTimeout(resolve, 20))]);
    expect(shelf.read()).toMatchObject({ version: 4 });
  });

  it.each([
    ["nothing", null],
    ["garbage", "<html>"],
    ["another tenant's", JSON.stringify(snapshotOf(3, { tenant: "beta" }))],
    ["a failure", fail],
  ])("has nothing when KV fails and the cache holds %s", async (_, cache) => {
    shelf.kv = fail;
    shelf.cache = cache;
    await expect(shelf.read()).rejects.toThrow("down");
    shelf.kv = stored(snapshotOf(3));
    expect(await versionRead()).toBe(3);
  });

  it("fills memory from a KV that is slower than anybody waits", async () => {
    let answer = () => {};
    shelf.kv = () =>
      new Promise((resolve) => {
        answer = () => resolve({ value: JSON.stringify(snapshotOf(5)), metadata: { version: 5 } });
      });
    const asking = shelf.read();
    await Promise.race([asking, new Promise((resolve) => setTimeout(resolve, 60))]);
    answer();
    await shelf.settle();
    expect(shelf.read()).toMatchObject({ version: 5 });
  });
});

describe("a value that is no snapshot", () => {
  it("is read once in a while only, and is no failure of KV", async () => {
    shelf.kv = async () => ({ value: "<html>", metadata: null });
    for (let i = 0; i < 50; i++) await expect(Promise.resolve(shelf.read())).rejects.toThrow();
    expect(shelf.asked.kv).toBe(1);
    shelf.kv = stored(snapshotOf(2));
    later(freshMs);
    expect(await versionRead()).toBe(2);
  });

  it("of 25 MiB is not read to its end", async () => {
    let pulled = 0;
    const chunk = new Uint8Array(64 * 1024).fill(32);
    shelf.stores.kv.getWithMetadata = (async () => ({
      value: new ReadableStream({
        pull(controller) {
          pulled += chunk.byteLength;
          if (pulled > 25 * 1024 * 1024) controller.close();
          else controller.enqueue(chunk.slice());
        },
      }),
      metadata: null,
    })) as never;
    await expect(shelf.read()).rejects.toThrow("larger");
    expect(pulled).toBeLessThan(3 * 1024 * 1024);
  });
});

it("keeps tenants apart", async () => {
  shelf.kv = stored(snapshotOf(5));
  expect(await versionRead()).toBe(5);
  await expect(shelf.read("beta")).rejects.toThrow("snapshot of tenant acme under beta's key");
  expect(shelf.read()).toMatchObject({ tenant: "acme" });
});

it("stays with nothing published, once KV has said so, while KV fails", async () => {
  expect(await shelf.read()).toBeNull();
  shelf.kv = fail;
  later(freshMs);
  expect(await shelf.read()).toBeNull();
});

describe("what is held", () => {
  it("is told with its age, and that of the cohort whose members were confirmed longest ago", async () => {
    await warmUp();
    later(2_000);
    expect(shelf.reader.held()).toEqual({ acme: { version: 5, age_seconds: 2 } });
    const confirmed = (secondsAgo: number) => ({
      id_type: "user" as const,
      size: 1,
      refreshed_at: new Date(shelf.clock.nowMs - secondsAgo * 1000).toISOString(),
    });
    const ready = { coh_A: confirmed(60), coh_B: confirmed(3600), coh_C: confirmed(0) };
    shelf.kv = stored(snapshotOf(6, { cohorts: { bits: 0, generations: [1], ready } }));
    later(freshMs);
    shelf.read();
    await shelf.settle();
    const oldest_cohort = { id: "coh_B", age_seconds: 3600 + freshMs / 1000 };
    expect(shelf.reader.held()).toEqual({ acme: { version: 6, age_seconds: 0, oldest_cohort } });
  });
});
