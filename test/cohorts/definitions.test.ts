import { expect, it } from "vitest";
import { startMs } from "../alarms/held-object.ts";
import { answering, cohort, lines, minuteMs, pushed, range, streamOf, tenant, withStage } from "./stage.ts";

const at = (ms: number) => new Date(startMs + ms).toISOString();

it("hearing the same again changes nothing", () =>
  withStage(async (stage) => {
    stage.sources.set("beta", answering(["ann"]));
    stage.sync(cohort("beta"));
    await stage.pass(minuteMs);
    const before = stage.status("beta");
    stage.sync(cohort("beta"));
    await stage.pass(minuteMs);
    expect(stage.status("beta")).toEqual(before);
    expect(stage.asked).toHaveLength(1);
    expect(stage.control.heard).toHaveLength(1);
  }));

it("what is heard late and is out of date is not believed", () =>
  withStage(async (stage) => {
    expect(stage.keeper.sync({ tenant, revision: 7, cohorts: [pushed("beta")] })).toBe(7);
    expect(stage.keeper.sync({ tenant, revision: 6, cohorts: [] })).toBe(7);
    expect(Object.keys(stage.keeper.status())).toEqual(["coh_beta"]);
    await stage.restart();
    expect(stage.keeper.sync({ tenant, revision: 6, cohorts: [] })).toBe(7);
    expect(stage.keeper.sync({ tenant, revision: 8, cohorts: [] })).toBe(8);
    expect(stage.keeper.status()).toEqual({});
  }));

it("a cohort that is removed loses its members, also while they are fetched", () =>
  withStage(async (stage) => {
    stage.sources.set("beta", answering(["ann"]));
    stage.sources.set("gamma", answering(["ann"]));
    stage.sync(cohort("beta"), cohort("gamma"));
    await stage.pass(10_000);
    expect(stage.lookUp("user", "ann")).toEqual(["coh_beta", "coh_gamma"]);
    stage.sources.set("gamma", answering(range(0, 60_000)));
    void stage.keeper.refresh("coh_gamma");
    await stage.pass(2);
    expect(stage.status("gamma").state).toBe("refreshing");
    stage.sync(cohort("beta"));
    await stage.pass(20_000);
    expect(Object.keys(stage.keeper.status())).toEqual(["coh_beta"]);
    expect(stage.lookUp("user", "ann")).toEqual(["coh_beta"]);
    expect(Object.keys(stage.index().ready)).toEqual(["coh_beta"]);
    expect(stage.keeper.list("coh_gamma")).toBeNull();
    expect(stage.storage.sql.exec("SELECT DISTINCT cohort FROM chunk").toArray()).toEqual([{ cohort: "coh_beta" }]);
    // Made anew under its old id, it begins with nobody.
    stage.sync(cohort("beta"), pushed("gamma"));
    await stage.pass(20_000);
    expect(stage.status("gamma")).toMatchObject({ state: "never", size: 0 });
    expect(stage.lookUp("user", "ann")).toEqual(["coh_beta"]);
  }));

it("a new source is asked at once, for all it has; the members stay until it has answered", () =>
  withStage(async (stage) => {
    stage.sources.set("beta", () => new Response(lines(["ann"]), { headers: { etag: '"1"' } }));
    stage.sources.set("new", () => new Response("down", { status: 500 }));
    stage.sync(cohort("beta"));
    await stage.pass(10_000);
    const source = { type: "url", url: "https://data.example.com/new", format: "ndjson" } as const;
    stage.sync(cohort("beta", { source }));
    await stage.pass(20_000);
    expect(stage.asked.at(-1)?.headers.get("if-none-match")).toBeNull();
    expect(stage.status("beta")).toMatchObject({ state: "failing", size: 1, refreshed_at: at(0), failures: 1 });
    expect(stage.lookUp("user", "ann")).toEqual(["coh_beta"]);
    stage.sources.set("new", answering(["bob"]));
    await stage.pass(5 * minuteMs);
    expect(stage.status("beta")).toMatchObject({ state: "ok", size: 1, added: 1, removed: 1 });
    expect(stage.lookUp("user", "bob")).toEqual(["coh_beta"]);
  }));

it("an answer of the old source that comes after the new one was named is not used", () =>
  withStage(async (stage) => {
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    stage.sources.set("beta", async () => {
      await released;
      return new Response(lines(["old"]));
    });
    stage.sources.set("new", answering(["new"]));
    stage.sync(cohort("beta"));
    await stage.pass(1_000);
    stage.sync(cohort("beta", { source: { type: "url", url: "https://data.example.com/new", format: "ndjson" } }));
    await stage.pass(1_000);
    release();
    await stage.pass(10_000);
    expect(stage.status("beta")).toMatchObject({ state: "ok", size: 1, failures: 0 });
    expect(stage.keeper.find("coh_beta", "new")).toBe(true);
    expect(stage.keeper.find("coh_beta", "old")).toBe(false);
  }));

it("credentials are sent, and new ones ask again", () =>
  withStage(async (stage) => {
    stage.sources.set("beta", (request) =>
      request.headers.get("authorization") === "Bearer right"
        ? new Response(lines(["ann"]))
        : new Response("", { status: 401 }),
    );
    stage.sync(cohort("beta", { credentials: { type: "bearer", token: "wrong" } }));
    await stage.pass(1_000);
    expect(stage.status("beta")).toMatchObject({ state: "failing", error: expect.stringContaining("401") });
    stage.sync(cohort("beta", { credentials: { type: "bearer", token: "right" } }));
    await stage.pass(10_000);
    expect(stage.status("beta")).toMatchObject({ state: "ok", size: 1 });
    expect(JSON.stringify(stage.keeper.status())).not.toContain("right");
  }));

it("a host that COHORT_HOSTS does not list is not asked", () =>
  withStage(async (stage) => {
    stage.sync(cohort("beta", { source: { type: "url", url: "https://evil.example.com/beta", format: "csv" } }));
    await stage.pass(1_000);
    expect(stage.asked).toEqual([]);
    expect(stage.status("beta")).toMatchObject({ state: "failing", error: expect.stringContaining("COHORT_HOSTS") });
  }));

it("a new schedule counts from the last fetch", () =>
  withStage(async (stage) => {
    stage.sources.set("beta", answering(["ann"]));
    stage.sync(cohort("beta"));
    await stage.pass(10 * minuteMs);
    stage.sync(cohort("beta", { refresh_minutes: 30 }));
    expect(stage.status("beta").next_attempt_at).toBe(at(30 * minuteMs));
    await stage.pass(21 * minuteMs);
    expect(stage.asked).toHaveLength(2);
    stage.sync(cohort("beta", { refresh_minutes: 120 }));
    expect(stage.status("beta").next_attempt_at).toBe(at(150 * minuteMs));
  }));

it("a cohort may turn from fetched to pushed and back, and keeps its members", () =>
  withStage(async (stage) => {
    stage.sources.set("beta", answering(["ann"]));
    stage.sync(cohort("beta"));
    await stage.pass(10_000);
    stage.sync(pushed("beta"));
    await stage.pass(3 * 60 * minuteMs);
    expect(stage.asked).toHaveLength(1);
    expect(stage.status("beta")).toMatchObject({ state: "ok", size: 1, next_attempt_at: null });
    const answer = stage.keeper.push({ cohort: "coh_beta", mode: "add", format: "ndjson", body: streamOf('"bob"\n') });
    await stage.pass(10_000);
    expect(await answer).toMatchObject({ ok: true, status: { size: 2 } });
    stage.sources.set("beta", answering(["cat"]));
    stage.sync(cohort("beta"));
    await stage.pass(10_000);
    expect(stage.status("beta")).toMatchObject({ state: "ok", size: 1, added: 1, removed: 2 });
  }));

it("another kind of id makes it another cohort", () =>
  withStage(async (stage) => {
    stage.sources.set("beta", answering(["ann"]));
    stage.sync(cohort("beta"));
    await stage.pass(10_000);
    stage.sources.set("beta", () => new Response("down", { status: 500 }));
    stage.sync(cohort("beta", { id_type: "device" }));
    await stage.pass(20_000);
    expect(stage.status("beta")).toMatchObject({ size: 0, refreshed_at: null });
    expect(stage.index().ready).toEqual({});
  }));
