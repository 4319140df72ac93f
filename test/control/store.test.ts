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

describe("flags of before they could be enabled at the gate", () => {
  /** Storage as the release before left it. */
  function makeOld(storage: DurableObjectStorage, deploymentsOf: Record<string, readonly string[]>): void {
    for (const [id, deployments] of Object.entries(deploymentsOf)) {
      storage.sql.exec(
        "UPDATE resource SET body = json_set(body, '$.deployments', json(?)) WHERE id = ?",
        JSON.stringify(deployments),
        id,
      );
    }
    storage.sql.exec("UPDATE fact SET value = '1' WHERE name = 'schema'");
  }

  it("are enabled there with an experiment, or where they were enabled nowhere", () =>
    withLives(async ({ run, restart, storage }) => {
      const make = async (name: string): Promise<string> => (await run("create_feature_flag", { body: { name } })).id;
      const [nowhere, apps, tested] = [await make("Nowhere"), await make("Apps"), await make("Tested")];
      storage.sql.exec(
        "INSERT INTO resource (kind, id, position, body) VALUES ('experiment', 'exp_Old', 99, ?)",
        JSON.stringify({ id: "exp_Old", status: "archived", feature_flag_id: tested }),
      );
      makeOld(storage, { [nowhere]: [], [apps]: ["dep_App"], [tested]: ["dep_App"] });
      await restart();
      const { feature_flags } = await run("get_feature_flags");
      expect(
        feature_flags.map(({ name, deployments }: { name: string; deployments: string[] }) => [name, deployments]),
      ).toEqual([
        ["Nowhere", ["gate"]],
        ["Apps", ["dep_App"]],
        ["Tested", ["dep_App", "gate"]],
      ]);
    }));

  it("lose the targets whose empty conditions matched nobody", () =>
    withLives(async ({ run, restart, storage }) => {
      const { id } = await run("create_feature_flag", { body: { name: "Targeted" } });
      const { id: without } = await run("create_feature_flag", { body: { name: "Without" } });
      const french = [[{ selector: ["context", "user", "country"], op: "is", values: ["FR"] }]];
      const target = { percentage: 100, weights: {} };
      const targeting = [
        { name: "Nobody", conditions: [], ...target },
        { name: "French", conditions: french, ...target },
        { name: "Everybody", ...target },
      ];
      storage.sql.exec(
        "UPDATE resource SET body = json_set(body, '$.rollout', json(?)) WHERE id = ?",
        JSON.stringify({ sticky_bucketing: true, targeting }),
        id,
      );
      makeOld(storage, { [id]: ["gate"] });
      await restart();
      const { rollout } = await run("get_feature_flag", { params: { id } });
      expect(rollout).toEqual({ sticky_bucketing: true, targeting: targeting.slice(1) });
      expect((await run("get_feature_flag", { params: { id: without } })).rollout).toBeUndefined();
    }));

  it.each(["feature_flag", "experiment"])(
    "are migrated beside a %s that cannot be read, which stays as it is",
    (kind) =>
      withLives(async ({ run, restart, storage }) => {
        const { id } = await run("create_feature_flag", { body: { name: "Nowhere" } });
        const { id: apps } = await run("create_feature_flag", { body: { name: "Apps" } });
        makeOld(storage, { [id]: [], [apps]: ["dep_App"] });
        storage.sql.exec("INSERT INTO resource (kind, id, position, body) VALUES (?, 'broken', 99, '{')", kind);
        await restart();
        expect(await run("get_feature_flag", { params: { id } })).toMatchObject({ deployments: ["gate"] });
        expect(storage.sql.exec("SELECT body FROM resource WHERE id = 'broken'").one()).toEqual({ body: "{" });
      }),
  );
});
