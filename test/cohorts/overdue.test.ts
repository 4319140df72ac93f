import * as v from "valibot";
import { expect, it } from "vitest";
import { queueMessage } from "../../src/model/log-entry.ts";
import { answering, cohort, minuteMs, withStage } from "./stage.ts";

const down = () => new Response("down", { status: 503 });

it("members older than two schedules are warned of once, on the queue and on the console, until they are fetched", () =>
  withStage(async (stage) => {
    stage.sources.set("beta", answering(["ann"]));
    stage.sync(cohort("beta"));
    await stage.pass(minuteMs);
    stage.sources.set("beta", down);
    await stage.pass(118 * minuteMs);
    expect(stage.queue.sent).toEqual([]);
    await stage.pass(2 * minuteMs);
    const entry = {
      log_id: expect.any(String),
      date: "2030-01-01T02:00:00.000Z",
      type: "w",
      description: expect.stringMatching(
        /^Cohort "beta" \(coh_beta\) has the members of 2030-01-01T00:00:00\.000Z, 120 minutes ago; .* 60 minutes\. The last error: .*HTTP 503/,
      ),
      tenant_name: "acme",
      hostname: "data.example.com",
      details: { code: "cohort_stale" },
    };
    expect(stage.queue.sent).toEqual([{ kind: "log", entry }]);
    for (const message of stage.queue.sent) expect(v.is(queueMessage, message)).toBe(true);
    const told = () => stage.warned.filter((line) => line.includes("cohort_stale")).map((line) => JSON.parse(line));
    expect(told()).toEqual([entry]);
    await stage.restart();
    await stage.pass(10 * 60 * minuteMs);
    expect(stage.queue.sent).toHaveLength(1);
    stage.sources.set("beta", answering(["ann"]));
    await stage.pass(60 * minuteMs);
    expect(stage.status("beta").state).toBe("ok");
    stage.sources.set("beta", down);
    await stage.pass(3 * 60 * minuteMs);
    expect(stage.queue.sent).toHaveLength(2);
    expect(told()).toHaveLength(2);
  }));

it("a cohort that was never fetched is overdue too, and a queue that is down hears of it in the end", () =>
  withStage(async (stage) => {
    stage.sources.set("beta", down);
    stage.queue.mode = "fail";
    stage.sync(cohort("beta", { refresh_minutes: 5 }));
    await stage.pass(12 * minuteMs);
    expect(stage.warned.filter((line) => line.includes("never been fetched"))).toHaveLength(1);
    await stage.restart();
    stage.queue.mode = "work";
    await stage.pass(2 * minuteMs);
    expect(stage.queue.sent).toHaveLength(1);
    expect(stage.warned.filter((line) => line.includes("never been fetched"))).toHaveLength(1);
  }));

it("one whose refresh is only slow is not overdue before its time", () =>
  withStage(async (stage) => {
    stage.sources.set("beta", answering(["ann"]));
    stage.sync(cohort("beta", { refresh_minutes: 10_080 }));
    await stage.pass(7 * 24 * 60 * minuteMs - minuteMs);
    expect(stage.queue.sent).toEqual([]);
  }));
