import { expect, it, vi } from "vitest";
import { isInSlice } from "../../src/ledger/unit-hash.ts";
import { assigned, ended, exposed, identified } from "./events.ts";
import { dayMs, hourMs, startMs, withShard } from "./stage.ts";

const manyUnits = (count: number) =>
  Array.from({ length: count }, (_, n) => `unit-${n}`).flatMap((unit, n) => [
    assigned(unit, { variation_id: n % 2 ? "var_a" : "var_b", atMs: startMs + n }),
    exposed(unit, { variation_id: n % 2 ? "var_a" : "var_b", atMs: startMs + n }),
  ]);

it("what storage refuses is not counted, in memory neither, and can be said again", async () => {
  await withShard(async ({ record, counts, compare, storage }) => {
    record([assigned("u1"), exposed("u1")]);
    const before = await counts();
    const more = [assigned("u2"), exposed("u2"), assigned("u3"), identified("u3", "p1")];
    const sql = Object.getPrototypeOf(storage.sql) as SqlStorage;
    const real = sql.exec;
    for (let failing = 0; ; failing++) {
      let statement = 0;
      const spy = vi.spyOn(sql, "exec").mockImplementation(function (this: SqlStorage, ...given) {
        if (statement++ === failing) throw new Error("disk I/O error");
        return real.apply(this, given as Parameters<SqlStorage["exec"]>) as never;
      });
      const attempt = () => record(more);
      const isThrough = (() => {
        try {
          attempt();
          return true;
        } catch {
          return false;
        }
      })();
      spy.mockRestore();
      if (isThrough) break;
      expect(await counts()).toEqual(before);
      expect(failing).toBeLessThan(50);
    }
    expect((await counts()).cells[0]).toMatchObject({ assigned: 3, exposed: 2 });
    const { running, anew } = compare();
    expect(running).toEqual(anew);
  });
});

it("an event that cannot be counted is refused by itself", async () => {
  await withShard(async ({ record, counts, told }) => {
    const broken = { ...assigned("u2"), id: "broken", at: "2030-02-30T99:00:00.000Z" };
    expect(record([assigned("u1"), broken, assigned("u3")])).toEqual(["broken"]);
    expect((await counts()).cells[0]).toMatchObject({ assigned: 2 });
    expect(told).toHaveLength(1);
  });
});

it("the power may go at any moment: what was recorded is there, and is not counted twice", async () => {
  await withShard(async ({ record, counts, restart }) => {
    const events = [...manyUnits(5), ended("unit-1", "s")];
    for (const event of events) {
      record([event]);
      restart();
      record([event]);
    }
    const { cells } = await counts();
    expect(cells.map(({ assigned: n, exposed: x, logins }) => [n, x, logins])).toEqual([
      [2, 2, 1],
      [3, 3, 0],
    ]);
  });
});

it("over its budget a shard goes on with half of the units, chosen by hash, and again; what it keeps it counts exactly", async () => {
  await withShard(
    async ({ record, counts, compare, units, ring, restart, alarmAt }) => {
      const events = manyUnits(500);
      for (let from = 0; from < events.length; from += 50) {
        record(events.slice(from, from + 50));
        await ring();
      }
      while (alarmAt() !== null && (alarmAt() ?? 0) <= startMs) await ring();
      const kept = units();
      const { share, cells, forced } = await counts();
      const all = Array.from({ length: 500 }, (_, n) => `unit-${n}`);
      expect(kept.length).toBeLessThanOrEqual(100);
      // The largest slice that fits.
      expect(all.filter((unit) => isInSlice(unit, -Math.log2(share) - 1)).length).toBeGreaterThan(100);
      expect(kept.toSorted()).toEqual(all.filter((unit) => isInSlice(unit, -Math.log2(share))).toSorted());
      expect(cells.reduce((sum, cell) => sum + cell.assigned, 0)).toBe(kept.length);
      expect(forced).toBe(0);
      expect(compare().running).toEqual(compare().anew);
      // Those outside stay out, whenever they come again.
      restart();
      record(events);
      expect(units()).toEqual(kept);
    },
    { units: 100 },
  );
});

it("a shard's budget is of all experiments: the largest gives way", async () => {
  await withShard(
    async ({ record, counts, ring }) => {
      record(manyUnits(90));
      record(manyUnits(20).map((event) => ({ ...event, experiment_id: "exp_small" })));
      await ring();
      expect((await counts()).share).toBe(0.5);
      expect((await counts("exp_small")).share).toBe(1);
    },
    { units: 100 },
  );
});

it("units are dropped when their experiment has been silent for long; the counts stay, and go on", async () => {
  await withShard(
    async ({ record, counts, units, pass, ring, alarmAt, storage }) => {
      record([assigned("u1"), exposed("u1"), ended("u1", "s", { atMs: startMs + hourMs })]);
      record([{ ...assigned("u1"), experiment_id: "exp_other", at: new Date(startMs + 5 * dayMs).toISOString() }]);
      const before = await counts();
      expect(alarmAt()).toBe(startMs + hourMs + 10 * dayMs);
      pass(10 * dayMs);
      await ring();
      expect(units()).toEqual(["u1"]);
      pass(hourMs);
      await ring();
      expect(units()).toEqual([]);
      expect(units("exp_other")).toEqual(["u1"]);
      expect(await counts()).toMatchObject({
        ...before,
        cells: before.cells.map((cell) => ({ ...cell, settled: 1, settled_exposed: 1 })),
      });
      expect([...storage.sql.exec("SELECT unit FROM unit")]).toHaveLength(1);
      expect([...storage.sql.exec("SELECT * FROM dropped")]).toEqual([]);
      record([assigned("u2", { atMs: startMs + 11 * dayMs }), exposed("u2", { atMs: startMs + 11 * dayMs })]);
      expect((await counts()).cells[0]).toMatchObject({
        assigned: 2,
        exposed: 2,
        first_assigned_at: "2030-01-01T00:00:00.000Z",
        last_assigned_at: "2030-01-12T00:00:00.000Z",
      });
      expect(alarmAt()).toBe(startMs + 15 * dayMs);
      // The one that came last turns out to be another variation's: what is left is what was before.
      record([assigned("u2", { variation_id: "var_b", atMs: startMs + 10 * dayMs })]);
      expect((await counts()).cells[0]).toMatchObject({
        assigned: 1,
        first_assigned_at: "2030-01-01T00:00:00.000Z",
        last_assigned_at: "2030-01-01T00:00:00.000Z",
      });
    },
    { retentionMs: 10 * dayMs },
  );
});

it("a unit is forgotten with all that others' rows say of it, once for all", async () => {
  await withShard(async ({ record, counts, compare, keeper, storage }) => {
    const others = [...manyUnits(4), assigned("d2"), identified("d2", "p1", { atMs: startMs + 1 }), assigned("p2")];
    record(others);
    const without = await counts();
    record([assigned("d1"), exposed("d1"), ended("d1", "s"), identified("d1", "p1"), identified("d1", "p9")]);
    record([{ ...assigned("d1"), experiment_id: "exp_other" }]);
    expect((await counts()).links[0]).toMatchObject({ users: 2, with_two: 1 });
    expect(await keeper.forget(["d1", "nobody"])).toEqual({ units: 2, links: 2 });
    expect(await counts()).toEqual({ ...without, kinds: expect.anything() });
    expect((await counts()).kinds).toEqual(without.kinds);
    expect(compare().running).toEqual(compare().anew);
    expect([...storage.sql.exec("SELECT * FROM unit WHERE instr(body, 'd1') OR unit = 'd1'")]).toEqual([]);
    expect(await keeper.forget(["d1"])).toEqual({ units: 0, links: 0 });
  });
});

it("the highest that the sequential test came to is kept, with what was said last", async () => {
  await withShard(async ({ keeper, restart }) => {
    const look = (logBayesFactor: number, verdict: string, day: number) =>
      keeper.keepVerdict("exp_1", { logBayesFactor, verdict, at: new Date(startMs + day * dayMs).toISOString() });
    expect(look(3.5, "pass", 0)).toEqual({ highest: 3.5 });
    expect(look(-1, "warn", 2)).toEqual({ highest: 3.5 });
    expect(look(2, "late", 1)).toEqual({ highest: 3.5 });
    expect(() => look(Number.POSITIVE_INFINITY, "fail", 3)).toThrow("finite");
    restart();
    keeper.keepVerdict("exp_0", { logBayesFactor: 1, verdict: "pass", at: "2030-01-09T00:00:00.000Z" });
    expect(keeper.verdicts()).toEqual([
      { experiment_id: "exp_1", highest: 3.5, verdict: "warn", at: "2030-01-03T00:00:00.000Z" },
      { experiment_id: "exp_0", highest: 1, verdict: "pass", at: "2030-01-09T00:00:00.000Z" },
    ]);
  });
});
