import { describe, expect, it } from "vitest";
import type { CohortIndex } from "../../src/model/snapshot.ts";
import { type Lives, type Mode, withLives } from "./lives.ts";

const minute = 60_000;
const source = { type: "url", url: "https://data.example.com/a.csv", format: "csv" };
const credentials = { type: "bearer", token: "secret" };

const create = (lives: Lives, fields: object = {}) =>
  lives.run("create_cohort", { body: { name: "Buyers", id_type: "user", source, refresh_minutes: 60, ...fields } });

const told = ({ cohorts }: Lives) => cohorts.heard?.cohorts.map(({ name }) => name);

it("tells the cohort object of every change, credentials and all, before it answers", () =>
  withLives(async (lives) => {
    await lives.commit();
    expect(lives.cohorts.asked).toEqual([]);
    const { id } = await create(lives, { credentials });
    expect(lives.cohorts.heard).toEqual({
      tenant: "acme",
      revision: 1,
      cohorts: [expect.objectContaining({ id, name: "Buyers", source, credentials })],
    });
    expect(lives.cohorts.heard?.cohorts[0]).not.toHaveProperty("has_credentials");
    await lives.run("update_cohort", { params: { id }, body: { credentials: null } });
    expect(lives.cohorts.heard?.cohorts[0]).not.toHaveProperty("credentials");
    await lives.commit();
    await lives.run("delete_cohort", { params: { id } });
    expect(lives.cohorts.asked.map(({ revision }) => revision)).toEqual([1, 2, 3]);
    expect(lives.cohorts.heard?.cohorts).toEqual([]);
    await lives.pass(minute);
    expect(lives.cohorts.asked).toHaveLength(3);
    expect(lives.alarmAt()).toBeNull();
  }));

it("keeps credentials out of the change log, though not the change", () =>
  withLives(async (lives) => {
    const { id } = await create(lives);
    await lives.run("update_cohort", { params: { id }, body: { credentials } });
    const rows = [...lives.storage.sql.exec("SELECT kind, operation, after FROM change ORDER BY seq")];
    expect(rows.map(({ kind, operation }) => [kind, operation])).toEqual([
      ["cohort", "create_cohort"],
      ["cohort", "update_cohort"],
    ]);
    expect(JSON.stringify(rows)).not.toContain(credentials.token);
    await lives.run("delete_cohort", { params: { id } });
    expect([...lives.storage.sql.exec("SELECT * FROM resource WHERE kind = 'secret'")]).toEqual([]);
  }));

describe.each<Mode>(["fail", "throw", "hang", "vanish"])("while the cohort object's calls %s", (mode) => {
  it("answers all the same, publishes, and tells it once it is back", () =>
    withLives(async (lives) => {
      const { cohorts, kv, pass, restart } = lives;
      cohorts.mode = mode;
      const answer = create(lives);
      await pass(1_000);
      expect(await answer).toMatchObject({ name: "Buyers" });
      expect(kv.held()?.version).toBe(1);
      await pass(10 * minute);
      const asked = cohorts.asked.length;
      expect(asked).toBeGreaterThan(3);
      await pass(10 * minute);
      // Not more often than about once a minute.
      expect(cohorts.asked.length - asked).toBeLessThan(25);
      await restart();
      cohorts.mode = "work";
      await pass(2 * minute);
      expect(told(lives)).toEqual(["Buyers"]);
      expect(lives.alarmAt()).toBeNull();
    }));
});

it("tells what the power cut short", () =>
  withLives(async (lives) => {
    lives.cohorts.mode = "hang";
    const answer = create(lives);
    await lives.pass(0);
    await lives.restart();
    void answer;
    lives.cohorts.mode = "work";
    await lives.pass(minute);
    expect(told(lives)).toEqual(["Buyers"]);
  }));

it("is believed although an object restored from an earlier point counts less than was heard", () =>
  withLives(async (lives) => {
    lives.cohorts.heard = { tenant: "acme", revision: 7, cohorts: [] };
    await create(lives);
    expect(lives.cohorts.heard).toMatchObject({ revision: 8, cohorts: [{ name: "Buyers" }] });
  }));

describe("where members are found", () => {
  const index = (generation: number): CohortIndex => ({
    bits: 1,
    generations: [1, generation],
    ready: { coh_A: { id_type: "user", size: generation, refreshed_at: "2030-01-01T00:00:00.000Z" } },
  });

  it("is published as a version of its own, once, and by the commits that follow", () =>
    withLives(async (lives) => {
      const { control, kv, run, commit, pass } = lives;
      await create(lives);
      await pass(minute);
      expect(kv.held()).toMatchObject({ version: 1 });
      expect(kv.held()).not.toHaveProperty("cohorts");
      expect(await control.setCohortIndex(1, index(1))).toBe(1);
      expect(await control.setCohortIndex(1, index(1))).toBe(1);
      expect(await control.setCohortIndex(2, index(1))).toBe(2);
      await pass(minute);
      expect(kv.held()).toMatchObject({ version: 2, cohorts: index(1) });
      await commit();
      await pass(minute);
      expect(kv.held()).toMatchObject({ version: 3, cohorts: index(1) });
      await lives.restart();
      expect(await run("get_snapshot")).toMatchObject({ version: 3, snapshot: { cohorts: index(1) } });
      const operations = [...lives.storage.sql.exec("SELECT operation FROM change ORDER BY seq")];
      expect(operations.map(({ operation }) => operation)).toEqual(["create_cohort", "create_segment"]);
    }));

  it("never goes back to an earlier announcement", () =>
    withLives(async (lives) => {
      await create(lives);
      await lives.control.setCohortIndex(5, index(2));
      expect(await lives.control.setCohortIndex(4, index(1))).toBe(5);
      await lives.pass(minute);
      expect(lives.kv.held()).toMatchObject({ version: 2, cohorts: index(2) });
    }));

  it("is published by the next life when the power is cut right after it was taken", () =>
    withLives(async (lives) => {
      await create(lives);
      await lives.pass(minute);
      lives.kv.mode = "hang";
      await lives.control.setCohortIndex(1, index(1));
      await lives.restart();
      lives.kv.mode = "work";
      await lives.pass(minute);
      expect(lives.kv.held()).toMatchObject({ version: 2, cohorts: index(1) });
    }));

  it("counts to what a snapshot may hold", () =>
    withLives(async (lives) => {
      await create(lives);
      const large = { bits: 16, generations: Array.from({ length: 2 ** 16 }, () => 10 ** 15), ready: {} };
      await lives.control.setCohortIndex(1, large);
      const ids = Array.from({ length: 40_000 }, (_, at) => `coh_${at}`);
      const ready = Object.fromEntries(ids.map((id) => [id, index(1).ready.coh_A as CohortIndex["ready"][string]]));
      await expect(lives.control.setCohortIndex(2, { ...large, ready })).rejects.toThrow("would exceed");
      await lives.pass(minute);
      expect(lives.kv.held()).toMatchObject({ version: 2, cohorts: { ready: {} } });
    }));
});
