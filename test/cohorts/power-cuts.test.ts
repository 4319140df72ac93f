import { expect, it } from "vitest";
import { answering, type CohortStage, cohort, lines, minuteMs, pushed, range, streamOf, withStage } from "./stage.ts";

const count = ({ storage }: CohortStage, table: string) =>
  storage.sql.exec<{ count: number }>(`SELECT count(*) AS count FROM ${table}`).one().count;

/** Everything in order: the index knows every member and nobody else, and nothing is left over. */
async function expectSound(stage: CohortStage, from: number, to: number): Promise<void> {
  expect(stage.status("beta")).toMatchObject({ state: "ok", size: to - from, error: null });
  for (const id of range(from, to)) expect(stage.lookUp("user", id)).toEqual(["coh_beta"]);
  for (const id of range(to, to + 1_000)) expect(stage.lookUp("user", id)).toEqual([]);
  expect(stage.index().ready.coh_beta?.size).toBe(to - from);
  const chunks = count(stage, "chunk");
  const shards = count(stage, "shard");
  await stage.restart();
  expect(count(stage, "chunk")).toBe(chunks);
  await stage.pass(3 * 60 * minuteMs);
  expect(count(stage, "shard")).toBe(shards);
  expect(count(stage, "retired")).toBe(0);
  expect(stage.shardKeys()).toHaveLength(2 ** stage.index().bits);
}

it("a power cut at any moment of a refresh leaves the last good members, and the next refresh makes up for it", () =>
  withStage(async (stage) => {
    stage.sources.set("beta", answering(range(0, 1_000)));
    stage.sync(cohort("beta"));
    await stage.pass(minuteMs);
    const chunks = count(stage, "chunk");
    for (const [round, cutAfterMs] of [1, 2, 3, 5].entries()) {
      // Each is larger than what is held in memory, so that some of it is on disk when the power goes.
      stage.sources.set("beta", answering(range(round + 1, 60_000 + round)));
      void stage.keeper.refresh("coh_beta");
      await stage.pass(cutAfterMs);
      expect(stage.status("beta").state).toBe("refreshing");
      expect(count(stage, "chunk")).toBeGreaterThan(chunks);
      await stage.restart();
      expect(count(stage, "chunk")).toBe(chunks);
      expect(stage.status("beta")).toMatchObject({ state: "failing", size: 1_000, error: "interrupted by a restart" });
      expect(stage.keeper.find("coh_beta", "user-0")).toBe(true);
      expect(stage.keeper.find("coh_beta", "user-1500")).toBe(false);
      expect(stage.lookUp("user", "user-999")).toEqual(["coh_beta"]);
    }
    stage.sources.set("beta", answering(range(5, 5_000)));
    await stage.pass(30 * minuteMs);
    await expectSound(stage, 5, 5_000);
  }));

it("an object that dies of a refresh does not try at once again and again", () =>
  withStage(async (stage) => {
    stage.sources.set("beta", answering(range(0, 2_000)));
    stage.sync(cohort("beta"));
    let cuts = 0;
    for (let minutes = 0; minutes < 15; minutes++) {
      await stage.pass(minuteMs - 50);
      if (stage.status("beta").state === "refreshing") throw new Error("a refresh hangs");
      if (stage.asked.length > cuts) cuts = stage.asked.length;
      stage.sources.set("beta", () => {
        queueMicrotask(() => void stage.restart());
        return new Promise<never>(() => {});
      });
      await stage.pass(50);
    }
    expect(stage.asked.length).toBeLessThan(6);
  }));

it(
  "a build goes on where a power cut ended it; what may be half put is put under another key",
  () =>
    withStage(async (stage) => {
      stage.sources.set("beta", answering(range(0, 150_000)));
      stage.sync(cohort("beta"));
      stage.kv.mostPuts = 18;
      await stage.pass(5_000);
      expect(stage.kv.puts).toHaveLength(18);
      expect(stage.control.heard).toEqual([]);
      await stage.restart();
      stage.kv.mostPuts = Number.POSITIVE_INFINITY;
      await stage.pass(15_000);
      // Sixteen are put between two notes of how far it has come; two were not noted.
      expect(stage.kv.puts).toHaveLength(32 + 2);
      expect(new Set(stage.kv.puts).size).toBe(32 + 2);
      await expectSound(stage, 0, 150_000);
    }),
  60_000,
);

it("a restart between the last put and the announcement, or between that and the note of it, announces again", () =>
  withStage(async (stage) => {
    stage.sources.set("beta", answering(range(0, 300)));
    for (const mode of ["hang", "vanish"] as const) {
      stage.control.mode = mode;
      stage.sync(cohort("beta"));
      await stage.pass(2_000);
      const puts = stage.kv.puts.length;
      await stage.restart();
      stage.control.mode = "work";
      await stage.pass(15_000);
      expect(stage.kv.puts).toHaveLength(puts);
      expect(stage.index().ready.coh_beta?.size).toBe(300);
      stage.sources.set("beta", answering(range(0, 300).reverse()));
    }
    await expectSound(stage, 0, 300);
  }));

it("a power cut amid a push leaves the members as they were", () =>
  withStage(async (stage) => {
    stage.sync(pushed("beta"));
    const push = (text: string) =>
      stage.keeper.push({
        cohort: "coh_beta",
        mode: "replace",
        format: "ndjson",
        body: streamOf(text),
      });
    const done = push(lines(range(0, 100)));
    await stage.pass(2_000);
    await done;
    const chunks = count(stage, "chunk");
    void push(lines(range(0, 60_000)));
    await stage.pass(2);
    await stage.restart();
    expect(count(stage, "chunk")).toBe(chunks);
    await stage.pass(minuteMs);
    await expectSound(stage, 0, 100);
  }));
