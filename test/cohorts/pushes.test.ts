import { expect, it } from "vitest";
import type { Push, PushAnswer } from "../../src/cohorts/pusher.ts";
import { startMs } from "../alarms/held-object.ts";
import { answering, type CohortStage, cohort, lines, minuteMs, pushed, range, streamOf, withStage } from "./stage.ts";

async function push(
  stage: CohortStage,
  mode: Push["mode"],
  body: string | ReadableStream<Uint8Array>,
  fields: Partial<Push> = {},
): Promise<PushAnswer> {
  const stream = typeof body === "string" ? streamOf(body) : body;
  const answer = stage.keeper.push({ cohort: "coh_beta", mode, format: "ndjson", body: stream, ...fields });
  await stage.pass(20_000);
  return answer;
}

it("members are added, removed and replaced, and each push says what came of it", () =>
  withStage(async (stage) => {
    stage.sync(pushed("beta"));
    expect(stage.status("beta")).toMatchObject({ state: "never", size: 0, refreshed_at: null, next_attempt_at: null });
    const first = await push(stage, "add", lines(["ann", "bob", "bob", "ann"]));
    expect(first).toMatchObject({ ok: true, added: 2, removed: 0, status: { state: "ok", size: 2 } });
    expect(await push(stage, "add", lines(["bob", "cat"]))).toMatchObject({
      added: 1,
      removed: 0,
      status: { size: 3 },
    });
    expect(await push(stage, "remove", lines(["bob", "zoe"]))).toMatchObject({
      added: 0,
      removed: 1,
      status: { size: 2 },
    });
    expect(["ann", "bob", "cat"].map((id) => stage.keeper.find("coh_beta", id))).toEqual([true, false, true]);
    expect(stage.lookUp("user", "cat")).toEqual(["coh_beta"]);
    expect(await push(stage, "replace", "id,name\ncat,Cat\ndan,Dan\n", { format: "csv" })).toMatchObject({
      added: 1,
      removed: 1,
      status: { size: 2 },
    });
    expect(stage.lookUp("user", "ann")).toEqual([]);
    expect(stage.lookUp("user", "dan")).toEqual(["coh_beta"]);
    // An empty list is one.
    expect(await push(stage, "replace", "[]", { format: "json" })).toMatchObject({ removed: 2, status: { size: 0 } });
    expect(stage.index().ready).toMatchObject({ coh_beta: { size: 0 } });
    expect(stage.lookUp("user", "dan")).toEqual([]);
    await stage.pass(24 * 60 * minuteMs);
    // Nobody knows when more should come: it is never overdue.
    expect(stage.queue.sent).toEqual([]);
  }));

it("a push that is refused or breaks off changes nothing, and says what and where", () =>
  withStage(
    async (stage) => {
      stage.sources.set("gamma", answering(["ann"]));
      stage.sync(pushed("beta"), cohort("gamma"));
      await push(stage, "replace", lines(range(0, 100)));
      const before = stage.status("beta");
      const cut = () =>
        new ReadableStream({
          type: "bytes",
          start: (controller) => controller.enqueue(new TextEncoder().encode('"somebody"\n')),
          pull: (controller) => controller.error(new Error("gone")),
        });
      const stalled = () =>
        new ReadableStream({
          type: "bytes",
          start: (controller) => controller.enqueue(new TextEncoder().encode('"somebody"\n')),
        });
      const late = stage.keeper.push({ cohort: "coh_beta", mode: "add", format: "ndjson", body: stalled() });
      await stage.pass(40_000);
      expect(await late).toMatchObject({
        ok: false,
        code: "stalled",
        message: expect.stringContaining("no byte for 30 s"),
      });
      expect(await push(stage, "add", cut())).toMatchObject({ ok: false, code: "interrupted" });
      expect(await push(stage, "add", '"somebody"\n{')).toMatchObject({
        ok: false,
        code: "syntax",
        message: expect.stringContaining("line 2"),
      });
      expect(await push(stage, "add", "")).toMatchObject({ ok: false, code: "empty" });
      expect(await push(stage, "add", lines(range(100, 201)))).toMatchObject({ ok: false, code: "too_many_members" });
      expect(await push(stage, "replace", lines(range(0, 201)))).toMatchObject({ ok: false, code: "too_many_members" });
      expect(await push(stage, "add", lines(["x"]), { cohort: "coh_none" })).toMatchObject({
        code: "cohort_not_found",
      });
      expect(await push(stage, "add", lines(["x"]), { cohort: "coh_gamma" })).toMatchObject({
        code: "cohort_not_pushed",
      });
      expect(stage.status("beta")).toEqual(before);
      expect(stage.keeper.find("coh_beta", "somebody")).toBe(false);
      expect(await push(stage, "add", lines(range(100, 200)))).toMatchObject({ ok: true, status: { size: 200 } });
    },
    { limits: { members: 200 } },
  ));

it("pushes to one cohort are done in their order, and a slow one holds up no other cohort's", () =>
  withStage(async (stage) => {
    stage.sync(pushed("beta"), pushed("gamma"));
    let send = (_: string) => {};
    let end = () => {};
    const slow = new ReadableStream({
      type: "bytes",
      start(controller) {
        send = (text) => controller.enqueue(new TextEncoder().encode(text));
        end = () => controller.close();
      },
    });
    const first = stage.keeper.push({ cohort: "coh_beta", mode: "replace", format: "ndjson", body: slow });
    send('"ann"\n');
    const second = stage.keeper.push({ cohort: "coh_beta", mode: "add", format: "ndjson", body: streamOf('"bob"\n') });
    const other = stage.keeper.push({ cohort: "coh_gamma", mode: "add", format: "ndjson", body: streamOf('"bob"\n') });
    await stage.pass(5_000);
    expect(await other).toMatchObject({ ok: true });
    expect(stage.status("beta").size).toBe(0);
    end();
    await stage.pass(5_000);
    expect(await first).toMatchObject({ status: { size: 1 } });
    expect(await second).toMatchObject({
      added: 1,
      status: { size: 2, refreshed_at: expect.stringContaining("2030") },
    });
    expect(Date.parse(stage.status("beta").refreshed_at ?? "")).toBeGreaterThanOrEqual(startMs + 5_000);
  }));

it("a cohort that is removed while members are pushed to it has none afterwards", () =>
  withStage(async (stage) => {
    stage.sync(pushed("beta"));
    const answer = stage.keeper.push({
      cohort: "coh_beta",
      mode: "add",
      format: "ndjson",
      body: streamOf(lines(range(0, 50_000))),
    });
    await stage.pass(2);
    stage.sync();
    await stage.pass(10_000);
    expect(await answer).toMatchObject({ ok: false, code: "cohort_not_found" });
    expect(stage.storage.sql.exec("SELECT count(*) AS count FROM chunk").one()).toEqual({ count: 0 });
    expect(stage.keeper.status()).toEqual({});
  }));
