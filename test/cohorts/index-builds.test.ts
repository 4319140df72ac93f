import { expect, it } from "vitest";
import { snapshotKey } from "../../src/model/snapshot.ts";
import { answering, cohort, lines, minuteMs, pushed, range, streamOf, tenant, withStage } from "./stage.ts";

it("shards that have not changed keep their keys, and are not put again", () =>
  withStage(async (stage) => {
    stage.sync(pushed("beta"));
    const push = async (mode: "add" | "remove", ids: string[]) => {
      const done = stage.keeper.push({
        cohort: "coh_beta",
        mode,
        format: "ndjson",
        body: streamOf(lines(ids)),
      });
      await stage.pass(20_000);
      return done;
    };
    await push("add", range(0, 50_000));
    const { bits, generations } = stage.index();
    expect(bits).toBe(3);
    expect(stage.kv.puts).toHaveLength(8);
    await push("add", ["somebody"]);
    expect(stage.kv.puts).toHaveLength(9);
    expect(stage.index().generations.filter((generation, shard) => generation !== generations[shard])).toHaveLength(1);
    expect(stage.lookUp("user", "somebody")).toEqual(["coh_beta"]);
    // Back as it was: no put is saved by that, since keys are never used again.
    await push("remove", ["somebody"]);
    expect(stage.kv.puts).toHaveLength(10);
    expect(stage.lookUp("user", "somebody")).toEqual([]);
    await push("add", ["user-1"]);
    expect(stage.kv.puts).toHaveLength(10);
  }));

it("a subject is found in all of its cohorts, of either kind of id", () =>
  withStage(async (stage) => {
    stage.sources.set("a", answering(["x", "y"]));
    stage.sources.set("b", answering(["y", "z"]));
    stage.sources.set("c", answering(["y"]));
    stage.sync(cohort("a"), cohort("b"), cohort("c", { id_type: "device" }));
    await stage.pass(10_000);
    expect(stage.lookUp("user", "y")).toEqual(["coh_a", "coh_b"]);
    expect(stage.lookUp("user", "z")).toEqual(["coh_b"]);
    expect(stage.lookUp("device", "y")).toEqual(["coh_c"]);
    expect(stage.lookUp("device", "x")).toEqual([]);
  }));

it("shards are split and joined as members come and go", () =>
  withStage(async (stage) => {
    stage.sync(pushed("beta"));
    const bits: number[] = [];
    for (const size of [100, 8_192, 10_000, 12_000, 9_000, 5_000, 0]) {
      const ids = range(0, size);
      const done = stage.keeper.push({
        cohort: "coh_beta",
        mode: "replace",
        format: "json",
        body: streamOf(JSON.stringify(ids)),
      });
      await stage.pass(20_000);
      await done;
      bits.push(stage.index().bits);
      for (const id of ids) expect(stage.lookUp("user", id)).toEqual(["coh_beta"]);
      for (const id of range(size, size + 500)) expect(stage.lookUp("user", id)).toEqual([]);
    }
    expect(bits).toEqual([0, 0, 0, 1, 1, 0, 0]);
  }));

it("KV failing or hanging for an hour delays the index, and the one before it stays", () =>
  withStage(async (stage) => {
    stage.sources.set("beta", answering(range(0, 20_000)));
    stage.sync(cohort("beta"));
    await stage.pass(59 * minuteMs);
    const first = stage.index();
    stage.sources.set("beta", answering(range(0, 20_001)));
    for (const mode of ["fail", "hang", "vanish"] as const) {
      stage.kv.mode = mode;
      await stage.pass(20 * minuteMs);
      expect(stage.index()).toBe(first);
    }
    expect(stage.keeper.find("coh_beta", "user-20000")).toBe(true);
    expect(stage.lookUp("user", "user-20000")).toEqual([]);
    stage.kv.mode = "work";
    await stage.pass(2 * minuteMs);
    expect(stage.index().ready.coh_beta?.size).toBe(20_001);
    expect(stage.lookUp("user", "user-20000")).toEqual(["coh_beta"]);
    // What was put without a word is deleted too.
    await stage.pass(3 * 60 * minuteMs);
    expect(stage.shardKeys()).toHaveLength(2 ** stage.index().bits);
  }));

it("the control plane failing or hanging delays it too; it is told until it has heard", () =>
  withStage(async (stage) => {
    stage.sources.set("beta", answering(["ann"]));
    for (const mode of ["fail", "hang", "vanish"] as const) {
      stage.control.mode = mode;
      stage.sync(cohort("beta"), cohort(mode, { source: { type: "push" } }));
      await stage.pass(5 * minuteMs);
    }
    stage.control.mode = "work";
    await stage.pass(2 * minuteMs);
    expect(stage.index().ready.coh_beta?.size).toBe(1);
    expect(stage.kv.puts).toHaveLength(1);
  }));

it("where the control plane has heard of later announcements, as of an object that was lost, ours count on from them", () =>
  withStage(async (stage) => {
    stage.control.heard.push({ number: 41, index: { bits: 0, generations: [0], ready: {} } });
    stage.sources.set("beta", answering(["ann"]));
    stage.sync(cohort("beta"));
    await stage.pass(10_000);
    expect(stage.control.heard.at(-1)).toMatchObject({ number: 42, index: { ready: { coh_beta: { size: 1 } } } });
  }));

it("keys are never used again, not even by an object whose storage was lost or put back", () =>
  withStage(async (stage) => {
    const build = async (...ids: string[]) => {
      stage.sync(pushed("beta"));
      const body = streamOf(lines(ids));
      const done = stage.keeper.push({ cohort: "coh_beta", mode: "replace", format: "ndjson", body });
      await stage.pass(20_000);
      await done;
    };
    await build("ann");
    await build("ann", "bob");
    const counter = "SELECT value FROM fact WHERE name = 'nextKeyGeneration'";
    const { value } = stage.storage.sql.exec<{ value: string }>(counter).one();
    await build("bob");
    stage.storage.sql.exec("UPDATE fact SET value = ? WHERE name = 'nextKeyGeneration'", value);
    await stage.restart();
    await build("carl");
    await stage.storage.deleteAll();
    await stage.restart();
    await build("dora");
    expect(stage.lookUp("user", "dora")).toEqual(["coh_beta"]);
    expect(stage.kv.puts).toHaveLength(5);
    expect(new Set(stage.kv.puts).size).toBe(5);
  }));

it("members that change while the index is built are in the next one, which follows at once", () =>
  withStage(async (stage) => {
    stage.sync(pushed("beta"), pushed("gamma"));
    const push = (id: string, ids: string[]) =>
      stage.keeper.push({
        cohort: `coh_${id}`,
        mode: "replace",
        format: "ndjson",
        body: streamOf(lines(ids)),
      });
    const first = push("beta", range(0, 100_000));
    stage.kv.mostPuts = 3;
    await stage.pass(3_000);
    await first;
    expect(stage.control.heard).toEqual([]);
    stage.kv.mostPuts = Number.POSITIVE_INFINITY;
    const second = push("gamma", range(0, 100_000));
    await stage.pass(minuteMs);
    await second;
    // The first index was told of, and did not promise the cohort that only its later shards may have had.
    expect(stage.control.heard.map(({ index }) => Object.keys(index.ready))).toEqual([
      ["coh_beta"],
      ["coh_beta", "coh_gamma"],
    ]);
    for (const id of range(0, 100_000)) expect(stage.lookUp("user", id)).toEqual(["coh_beta", "coh_gamma"]);
  }));

it("a tenant that has no cohorts left has an index that answers for none", () =>
  withStage(async (stage) => {
    stage.sync();
    await stage.pass(minuteMs);
    expect(stage.control.heard).toEqual([]);
    stage.sources.set("beta", answering(["ann"]));
    stage.sync(cohort("beta"));
    await stage.pass(minuteMs);
    stage.sync();
    await stage.pass(minuteMs);
    expect(stage.index()).toEqual({ bits: 0, generations: [0], ready: {} });
    await stage.pass(61 * minuteMs);
    expect(stage.shardKeys()).toEqual([]);
    expect(stage.storage.sql.exec("SELECT count(*) AS count FROM chunk").one()).toEqual({ count: 0 });
  }));

it("replaced shards are deleted an hour after the control plane has heard, but none that a snapshot still names", () =>
  withStage(async (stage) => {
    stage.sources.set("beta", answering(["ann"]));
    stage.sync(cohort("beta"));
    await stage.pass(minuteMs);
    const [first = ""] = stage.shardKeys();
    const publish = () => {
      const snapshot = JSON.stringify({ cohorts: stage.index() });
      stage.kv.held.set(snapshotKey(tenant), new Uint8Array(new TextEncoder().encode(snapshot)));
    };
    publish();
    stage.sources.set("beta", answering(["bob"]));
    void stage.keeper.refresh("coh_beta");
    await stage.pass(10_000);
    expect(stage.shardKeys()).toHaveLength(2);
    stage.sources.set("beta", () => new Response(null, { status: 500 }));
    await stage.pass(58 * minuteMs);
    expect(stage.shardKeys()).toContain(first);
    // Overdue by now, but the snapshot in KV is the old one yet.
    await stage.pass(10 * minuteMs);
    expect(stage.shardKeys()).toContain(first);
    publish();
    await stage.pass(40 * minuteMs);
    expect(stage.shardKeys()).toContain(first);
    await stage.pass(20 * minuteMs);
    expect(stage.shardKeys()).toHaveLength(1);
    expect(stage.lookUp("user", "bob")).toEqual(["coh_beta"]);
  }));
