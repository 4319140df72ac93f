import { describe, expect, it } from "vitest";
import { type Mode, withLives } from "./lives.ts";

const second = 1_000;
const minute = 60_000;
const hour = 60 * minute;

it("puts the snapshot of a commit at once, its version as metadata, and rests", () =>
  withLives(async ({ commit, kv, alarmAt }) => {
    await commit();
    expect(kv.held()).toMatchObject({ tenant: "acme", version: 1 });
    expect(kv.metadata).toEqual({ version: 1 });
    expect(alarmAt()).toBeNull();
  }));

it("puts once a second at most, and then the newest alone", () =>
  withLives(async ({ commit, kv, pass }) => {
    for (let number = 0; number < 20; number++) {
      await commit();
      await pass(100);
    }
    await pass(second);
    expect(kv.held()?.version).toBe(20);
    expect(kv.asked.length).toBeLessThanOrEqual(4);
    expect([...kv.asked].sort((a, b) => a - b)).toEqual(kv.asked);
    kv.askedAtMs.slice(1).forEach((at, index) => {
      expect(at - (kv.askedAtMs[index] ?? 0)).toBeGreaterThanOrEqual(second);
    });
  }));

it("says what is published and what is pending", () =>
  withLives(async ({ commit, kv, pass, run }) => {
    expect(await run("get_snapshot")).toEqual({
      version: 0,
      committed_at: null,
      published: null,
      pending: null,
      snapshot: null,
    });
    await commit();
    const published = { version: 1, at: "2030-01-01T00:00:00.000Z", bytes: kv.value?.length };
    expect(await run("get_snapshot")).toEqual({
      version: 1,
      committed_at: "2030-01-01T00:00:00.000Z",
      published,
      pending: null,
      snapshot: kv.held(),
    });
    await pass(10 * second);
    kv.mode = "fail";
    await commit();
    await pass(second / 2);
    await commit();
    const failing = await run("get_snapshot");
    expect(failing).toMatchObject({
      version: 3,
      committed_at: "2030-01-01T00:00:10.500Z",
      published,
      pending: { version: 3, since: "2030-01-01T00:00:10.000Z", last_error: "down" },
      snapshot: { version: 3 },
    });
    expect(failing.pending.attempts).toBeGreaterThan(0);
    expect(Date.parse(failing.pending.next_attempt_at)).toBeGreaterThan(Date.now());
    kv.mode = "work";
    await pass(minute);
    expect(await run("get_snapshot")).toMatchObject({ published: { version: 3 }, pending: null });
  }));

describe.each<Mode>(["fail", "throw", "hang", "vanish"])("while KV's calls %s", (mode) => {
  it("loses nothing in an hour, tries less and less often, and publishes the newest within a minute", () =>
    withLives(async ({ commit, kv, pass, run }) => {
      await commit();
      await pass(10 * second);
      kv.mode = mode;
      await commit();
      const tried = kv.asked.length;
      await pass(hour);
      expect(kv.asked.length - tried).toBeGreaterThan(50);
      expect(kv.asked.length - tried).toBeLessThan(150);
      await commit();
      expect(await run("get_snapshot")).toMatchObject({ version: 3, published: { version: 1 } });
      kv.mode = "work";
      await pass(minute + 10 * second);
      expect(kv.held()?.version).toBe(3);
      expect(await run("get_snapshot")).toMatchObject({ published: { version: 3 }, pending: null });
    }));

  it("loses nothing with a restart in between", () =>
    withLives(async ({ commit, kv, pass, restart }) => {
      kv.mode = mode;
      await commit();
      await restart();
      await pass(minute);
      await commit();
      await restart();
      kv.mode = "work";
      await pass(minute + 10 * second);
      expect(kv.held()?.version).toBe(2);
    }));

  it("answers the client all the same, and at once", () =>
    withLives(async ({ commit, kv, run }) => {
      kv.mode = mode;
      await commit();
      expect((await run("get_segments")).segments).toHaveLength(1);
    }));
});

it("makes up for a crash between commit and put", () =>
  withLives(async ({ commit, kv, pass, restart, alarmAt }) => {
    kv.mode = "hang";
    await commit();
    expect(alarmAt()).not.toBeNull();
    await restart();
    kv.mode = "work";
    await pass(2 * second);
    expect(kv.held()?.version).toBe(1);
  }));

it("makes up for an alarm that was lost", () =>
  withLives(async ({ commit, kv, pass, restart, storage }) => {
    kv.mode = "fail";
    await commit();
    await storage.deleteAlarm();
    kv.mode = "work";
    await restart();
    await pass(2 * second);
    expect(kv.held()?.version).toBe(1);
  }));

it("neither skips nor repeats a version when it stops between the put and the note of it", () =>
  withLives(async ({ commit, kv, pass, restart, run }) => {
    await commit();
    await pass(10 * second);
    kv.mode = "vanish";
    await commit();
    await restart();
    kv.mode = "work";
    await pass(5 * second);
    expect(kv.held()?.version).toBe(2);
    expect(await run("get_snapshot")).toMatchObject({ version: 2, published: { version: 2 }, pending: null });
    await commit();
    await pass(5 * second);
    expect(kv.held()?.version).toBe(3);
  }));

describe("a put that lands late, on a newer one", () => {
  it("is put right when it is heard of", () =>
    withLives(async ({ commit, kv, pass }) => {
      await commit();
      await pass(10 * second);
      kv.mode = "hang";
      await commit();
      await pass(11 * second);
      kv.mode = "work";
      await commit();
      await pass(20 * second);
      expect(kv.held()?.version).toBe(3);
      kv.land();
      expect(kv.held()?.version).toBe(2);
      await pass(2 * second);
      expect(kv.held()?.version).toBe(3);
    }));

  it("is put right though the object stopped long after giving it up", () =>
    withLives(async ({ commit, kv, pass, restart }) => {
      await commit();
      await pass(10 * second);
      kv.mode = "hang";
      await commit();
      await pass(11 * second);
      kv.mode = "work";
      await commit();
      await pass(hour);
      expect(kv.held()?.version).toBe(3);
      await restart();
      kv.land();
      expect(kv.held()?.version).toBe(2);
      await pass(2 * minute);
      expect(kv.held()?.version).toBe(3);
    }));

  it("is put right when nobody heard of it, because the object had stopped", () =>
    withLives(async ({ commit, kv, pass, restart, alarmAt }) => {
      await commit();
      await pass(10 * second);
      kv.mode = "hang";
      await commit();
      await restart();
      kv.mode = "work";
      await commit();
      await pass(10 * second);
      expect(kv.held()?.version).toBe(3);
      kv.land();
      expect(kv.held()?.version).toBe(2);
      await restart();
      await pass(2 * minute);
      expect(kv.held()?.version).toBe(3);
      expect(alarmAt()).toBeNull();
    }));
});

describe("a KV that is ahead", () => {
  const stored = (version: number) =>
    JSON.stringify({ schema: 1, tenant: "acme", version, flags: [], experiments: [] });

  it.each([
    ["by its metadata", stored(41), { version: 41 }],
    ["by its value alone", stored(41), null],
    ["by its value more than its metadata", stored(41), { version: 7 }],
    ["though its value is garbage", "<html>", { version: 41 }],
    ["with the very version of the next commit", stored(1), { version: 1 }],
  ])("%s is overtaken: readers never step back", (_, value, metadata) =>
    withLives(async ({ commit, kv, pass, run }) => {
      Object.assign(kv, { value, metadata });
      await commit();
      const ahead = Math.max(metadata?.version ?? 0, value === "<html>" ? 0 : JSON.parse(value).version);
      expect(kv.held()?.version).toBe(ahead + 1);
      expect(kv.metadata).toEqual({ version: ahead + 1 });
      expect(await run("get_snapshot")).toMatchObject({ version: ahead + 1, pending: null });
      await pass(second);
      await commit();
      expect(kv.held()?.version).toBe(ahead + 2);
    }),
  );

  it.each([
    ["garbage", "<html>", "garbage"],
    ["a version that is none", "{}", { version: "41" }],
    ["a version beyond counting", stored(Number.MAX_SAFE_INTEGER), { version: 1e300 }],
  ])("with %s is written over", (_, value, metadata) =>
    withLives(async ({ commit, kv }) => {
      Object.assign(kv, { value, metadata });
      await commit();
      expect(kv.held()?.version).toBe(1);
      expect(kv.metadata).toEqual({ version: 1 });
    }),
  );

  it("is looked at before anything is put: not being able to is a failed attempt", () =>
    withLives(async ({ commit, kv, pass, run }) => {
      Object.assign(kv, { value: stored(41), metadata: { version: 41 }, mode: "fail" });
      await commit();
      expect(kv.asked).toEqual([]);
      expect(await run("get_snapshot")).toMatchObject({ version: 1, pending: { attempts: 1, last_error: "down" } });
      kv.mode = "work";
      await pass(minute);
      expect(kv.asked).toEqual([42]);
    }));

  it("because the object was restored to an earlier point, is overtaken", () =>
    withLives(async ({ commit, kv, pass, restart, storage }) => {
      await commit();
      const early = [...storage.sql.exec("SELECT name, value FROM fact")];
      for (let number = 0; number < 5; number++) {
        await pass(second);
        await commit();
      }
      await pass(second);
      expect(kv.held()?.version).toBe(6);
      for (const { name, value } of early) storage.sql.exec("UPDATE fact SET value = ? WHERE name = ?", value, name);
      await restart();
      await commit();
      await pass(2 * second);
      expect(kv.held()?.version).toBe(7);
    }));
});
