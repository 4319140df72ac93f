import { describe, expect, it } from "vitest";
import { withLives } from "./lives.ts";

describe("what cannot be read", () => {
  it.each(["{", "null", '"text"'])("is left out, told and kept, and the rest lives on: a resource of %s", (body) =>
    withLives(async ({ commit, run, restart, storage, warned, kv, pass }) => {
      await commit();
      await commit();
      const [{ id }] = [...storage.sql.exec("SELECT id FROM resource ORDER BY position LIMIT 1")] as [{ id: string }];
      storage.sql.exec("UPDATE resource SET body = ? WHERE id = ?", body, id);
      await restart();
      expect((await run("get_segments")).segments).toHaveLength(1);
      await pass(1_000);
      await commit();
      await pass(1_000);
      expect((await run("get_segments")).segments).toHaveLength(2);
      expect(kv.held()?.version).toBe(3);
      expect(storage.sql.exec("SELECT body FROM resource WHERE id = ?", id).one()).toEqual({ body });
      expect(warned.join("\\n")).toContain(id);
    }),
  );

  it("is as if it had never been: a fact", () =>
    withLives(async ({ commit, run, restart, storage, kv, pass }) => {
      for (let number = 0; number < 3; number++) await commit();
      await pass(2_000);
      storage.sql.exec("UPDATE fact SET value = '{' WHERE name IN ('version', 'nextPosition', 'published')");
      await restart();
      await commit();
      await pass(2_000);
      expect(kv.held()?.version).toBe(4);
      expect((await run("get_segments")).segments).toHaveLength(4);
      const positions = [...storage.sql.exec("SELECT position FROM resource")].map(({ position }) => position);
      expect(new Set(positions).size).toBe(4);
    }));
});

it("neither reads nor writes a layout that is newer than the release", () =>
  withLives(async ({ commit, storage, restart }) => {
    await commit();
    storage.sql.exec("UPDATE fact SET value = '99' WHERE name = 'schema'");
    await expect(restart()).rejects.toThrow("schema version 99");
    expect(storage.sql.exec("SELECT count(*) AS rows FROM resource").one()).toEqual({ rows: 1 });
  }));

it("commits whole or not at all", () =>
  withLives(async ({ commit, storage, run, kv, alarmAt }) => {
    storage.sql.exec("CREATE TRIGGER full BEFORE INSERT ON change BEGIN SELECT RAISE(ABORT, 'disk full'); END");
    await expect(commit()).rejects.toThrow("internal_error");
    expect((await run("get_segments")).segments).toEqual([]);
    expect(await run("get_snapshot")).toMatchObject({ version: 0, pending: null });
    expect([...storage.sql.exec("SELECT * FROM resource")]).toEqual([]);
    expect([kv.asked, alarmAt()]).toEqual([[], null]);
    storage.sql.exec("DROP TRIGGER full");
    await commit();
    expect(await run("get_snapshot")).toMatchObject({ version: 1, published: { version: 1 } });
  }));
