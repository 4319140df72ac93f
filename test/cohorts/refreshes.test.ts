import { expect, it } from "vitest";
import { startMs } from "../alarms/held-object.ts";
import { answering, cohort, lines, minuteMs, range, withStage } from "./stage.ts";

const at = (ms: number) => new Date(startMs + ms).toISOString();

it("a new cohort is fetched at once, found in the index, and fetched again on schedule", () =>
  withStage(async (stage) => {
    stage.sources.set("beta", answering(["ann", "bob", "ann"]));
    stage.sync(cohort("beta"));
    await stage.pass(5_000);
    expect(stage.status("beta")).toEqual({
      state: "ok",
      size: 2,
      refreshed_at: at(0),
      last_attempt_at: at(0),
      added: 2,
      removed: 0,
      skipped: 0,
      error: null,
      failures: 0,
      next_attempt_at: at(60 * minuteMs),
    });
    expect(stage.index().ready).toEqual({ coh_beta: { id_type: "user", size: 2, refreshed_at: at(0) } });
    expect(stage.lookUp("user", "ann")).toEqual(["coh_beta"]);
    expect(stage.lookUp("device", "ann")).toEqual([]);
    expect(stage.keeper.find("coh_beta", "bob")).toBe(true);
    expect(stage.keeper.find("coh_beta", "cat")).toBe(false);
    expect(stage.keeper.find("coh_none", "cat")).toBeNull();

    stage.sources.set("beta", answering(["bob", "cat", "dan"]));
    await stage.pass(60 * minuteMs - 5_001);
    expect(stage.asked).toHaveLength(1);
    await stage.pass(5_000);
    expect(stage.asked).toHaveLength(2);
    expect(stage.status("beta")).toMatchObject({ state: "ok", size: 3, added: 2, removed: 1 });
    expect(stage.lookUp("user", "ann")).toEqual([]);
    expect(stage.lookUp("user", "dan")).toEqual(["coh_beta"]);
  }));

it("what a source said of its answer is sent back to it; unchanged members are as good as new", () =>
  withStage(async (stage) => {
    stage.sources.set("beta", (request) =>
      request.headers.get("if-none-match") === '"1"'
        ? new Response(null, { status: 304 })
        : new Response(lines(["ann"]), { headers: { etag: '"1"' } }),
    );
    stage.sync(cohort("beta"));
    await stage.pass(61 * minuteMs);
    expect(stage.status("beta")).toMatchObject({
      state: "unchanged",
      size: 1,
      added: 1,
      refreshed_at: at(60 * minuteMs),
    });
    const puts = stage.kv.puts.length;
    await stage.pass(15 * minuteMs);
    expect(stage.index().ready.coh_beta?.refreshed_at).toBe(at(60 * minuteMs));
    expect(stage.kv.puts).toHaveLength(puts);
  }));

it("a source that fails keeps the last good members, says what and where, and is tried again after 1, 2, 4 minutes", () =>
  withStage(async (stage) => {
    stage.sources.set("beta", answering(["ann"]));
    stage.sync(cohort("beta"));
    await stage.pass(59 * minuteMs);
    let asked = 0;
    stage.sources.set("beta", () => {
      asked++;
      return new Response('"bob"\n{broken\n');
    });
    await stage.pass(minuteMs + 1_000);
    expect(stage.status("beta")).toMatchObject({
      state: "failing",
      size: 1,
      refreshed_at: at(0),
      error: expect.stringMatching(/data\.example\.com\/beta.*line 2/),
      failures: 1,
      next_attempt_at: at(61 * minuteMs),
    });
    expect(stage.lookUp("user", "ann")).toEqual(["coh_beta"]);
    const counts: number[] = [];
    for (const minutes of [1, 1, 1, 3, 1]) {
      await stage.pass(minutes * minuteMs);
      counts.push(asked);
    }
    expect(counts).toEqual([2, 2, 3, 3, 4]);
    stage.sources.set("beta", answering(["bob"]));
    await stage.pass(8 * minuteMs);
    expect(stage.status("beta")).toMatchObject({ state: "ok", error: null, failures: 0, added: 1, removed: 1 });
    expect(stage.lookUp("user", "bob")).toEqual(["coh_beta"]);
  }));

it("pauses grow up to the schedule and no further, and a source may ask for longer ones up to that", () =>
  withStage(async (stage) => {
    const times: number[] = [];
    stage.sources.set("beta", () => {
      times.push(Date.now() - startMs);
      return new Response("down", { status: 503, headers: times.length === 1 ? { "retry-after": "150" } : {} });
    });
    stage.sync(cohort("beta", { refresh_minutes: 5 }));
    await stage.pass(20 * minuteMs);
    expect(times.map((time) => time / minuteMs)).toEqual([0, 2.5, 4.5, 8.5, 13.5, 18.5]);
  }));

it("a source that stalls delays only itself; no more than four are fetched at once", () =>
  withStage(async (stage) => {
    let most = 0;
    const stalling = () => {
      const underWay = Object.values(stage.keeper.status()).filter(({ state }) => state === "refreshing");
      most = Math.max(most, underWay.length);
      return new Response(
        new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array([34])), type: "bytes" }),
      );
    };
    for (const id of ["a", "b", "c"]) stage.sources.set(id, stalling);
    for (const id of ["d", "e", "f"]) stage.sources.set(id, answering([id]));
    stage.sync(...["a", "b", "c", "d", "e", "f"].map((id) => cohort(id)));
    await stage.pass(20_000);
    expect(["d", "e", "f"].map((id) => stage.status(id).state)).toEqual(["ok", "ok", "ok"]);
    expect(["a", "b", "c"].map((id) => stage.status(id).state)).toEqual(["refreshing", "refreshing", "refreshing"]);
    await stage.pass(20_000);
    expect(stage.status("a")).toMatchObject({ state: "failing", error: expect.stringContaining("no byte for 30 s") });
    expect(stage.lookUp("user", "e")).toEqual(["coh_e"]);
    expect(most).toBe(3);
    // While others are under way the index waits for them, but not for long.
    expect(Object.keys(stage.index().ready)).toEqual(["coh_d", "coh_e", "coh_f"]);

    const others = ["g", "h", "i", "j", "k", "l"];
    for (const id of others) stage.sources.set(id, stalling);
    stage.sync(...others.map((id) => cohort(id)));
    await stage.pass(2 * minuteMs);
    expect(others.map((id) => stage.status(id).failures > 0)).not.toContain(false);
    expect(most).toBe(4);
  }));

it("a refresh can be asked for, and one that is under way is joined", () =>
  withStage(async (stage) => {
    stage.sources.set("beta", answering(["ann"]));
    stage.sync(cohort("beta"));
    await stage.pass(10 * minuteMs);
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    stage.sources.set("beta", async () => {
      await released;
      return new Response(lines(["bob"]));
    });
    const first = stage.keeper.refresh("coh_beta");
    const second = stage.keeper.refresh("coh_beta");
    await stage.pass(100);
    expect(stage.status("beta").state).toBe("refreshing");
    release();
    await stage.pass(1_000);
    for (const status of [await first, await second])
      expect(status).toMatchObject({ state: "ok", added: 1, removed: 1 });
    expect(stage.asked).toHaveLength(2);
    expect(stage.status("beta").next_attempt_at).toBe(at(70 * minuteMs));
    await expect(stage.keeper.refresh("coh_none")).resolves.toBeNull();

    stage.sources.set("beta", () => new Promise<never>(() => {}));
    const slow = stage.keeper.refresh("coh_beta");
    await stage.pass(3_000);
    await expect(slow).resolves.toMatchObject({ state: "refreshing", size: 1 });
  }));

it("an unknown size is cut off at the limit of members, and the last good ones stay", () =>
  withStage(
    async (stage) => {
      stage.sources.set("beta", answering(range(0, 100)));
      stage.sync(cohort("beta"));
      await stage.pass(minuteMs);
      stage.sources.set("beta", answering(range(0, 101)));
      await stage.pass(60 * minuteMs);
      expect(stage.status("beta")).toMatchObject({
        state: "failing",
        size: 100,
        error: expect.stringMatching(/100 members/),
      });
    },
    { limits: { members: 100 } },
  ));

it("a list that breaks off leaves nothing behind", () =>
  withStage(async (stage) => {
    stage.sources.set("beta", answering(range(0, 50)));
    stage.sync(cohort("beta"));
    await stage.pass(minuteMs);
    const chunks = () => stage.storage.sql.exec("SELECT count(*) AS count FROM chunk").one().count;
    const before = chunks();
    const body = new TextEncoder().encode(lines(range(100, 50_000)));
    stage.sources.set("beta", () => {
      let sent = false;
      return new Response(
        new ReadableStream({
          type: "bytes",
          pull(controller) {
            if (sent) controller.error(new Error("cut"));
            else controller.enqueue(body.slice());
            sent = true;
          },
        }),
      );
    });
    await stage.pass(60 * minuteMs);
    expect(stage.status("beta")).toMatchObject({ state: "failing", size: 50 });
    expect(chunks()).toBe(before);
    expect(stage.keeper.find("coh_beta", "user-49")).toBe(true);
    expect(stage.keeper.find("coh_beta", "user-101")).toBe(false);
  }));
