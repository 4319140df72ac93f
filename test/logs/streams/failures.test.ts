import { describe, expect, it } from "vitest";
import type { LogStreamDefinition } from "../../../src/model/log-stream.ts";
import { numbered, numbers } from "../entry.ts";
import { dayMs, failing, hanging, minuteMs, stream, taking, withStage } from "../stage.ts";

const hourMs = 60 * minuteMs;

describe("a receiver that fails", () => {
  it.each([
    ["answers 500", failing],
    ["answers 400", () => new Response("no", { status: 400 })],
    ["cannot be reached", () => Promise.reject(new Error("connection refused"))],
    ["never answers", hanging],
    ["redirects", () => new Response(null, { status: 302, headers: { location: "https://evil.example/" } })],
  ])("and %s is asked three times, then less and less often, and loses nothing", (_, receiver) =>
    withStage(async (stage) => {
      const { receivers, sent, sync, pass, taken, delivery, keeper } = stage;
      receivers.set("a", receiver);
      sync(stream("a"));
      keeper.record(numbered(0, 5));
      await pass(hourMs);
      const gaps = sent.map(({ at }, i) => at - (sent[i - 1]?.at ?? 0)).slice(1);
      const answerMs = receiver === hanging ? 10_000 : 0;
      for (const [i, pauseMs] of [1_000, 3_000, 30_000, 60_000, 120_000, 240_000, 480_000, 900_000].entries()) {
        expect(gaps[i]).toBeGreaterThanOrEqual(pauseMs + answerMs);
        expect(gaps[i]).toBeLessThan(pauseMs + answerMs + 1_000);
      }
      expect(delivery("a")).toMatchObject({ state: "failing", pending: 5, failing_since: expect.any(String) });
      expect(delivery("a").error).toMatch(/^https:\/\/logs\.example\.com\/a: /);
      keeper.record(numbered(5, 8));
      receivers.set("a", taking);
      await pass(20 * minuteMs);
      expect(taken("a")).toEqual(numbers(0, 8));
      expect(delivery("a")).toMatchObject({
        state: "idle",
        failures: 0,
        error: null,
        lost: 0,
        pending: 0,
        delivered: 8,
      });
    }),
  );

  it("says when it is to be asked again, and is heard up to an hour", () =>
    withStage(async ({ receivers, sent, sync, pass, keeper }) => {
      let after = "120";
      receivers.set("a", () => new Response(null, { status: 503, headers: { "retry-after": after } }));
      sync(stream("a"));
      keeper.record(numbered(0, 1));
      await pass(minuteMs);
      after = "999999";
      await pass(3 * hourMs);
      const [first, second, third, fourth] = sent.map(({ at }) => at);
      expect([first, second]).toEqual([0, 120_000]);
      expect(third).toBe(120_000 + hourMs);
      expect(fourth).toBe(120_000 + 2 * hourMs);
    }));

  it("delays no other stream, however many hang", () =>
    withStage(async (stage) => {
      const { receivers, sync, pass, taken, keeper, sent } = stage;
      const slow = ["s1", "s2", "s3"];
      for (const path of slow) receivers.set(path, hanging);
      let refusals = 2;
      receivers.set("flaky", (request) => (refusals-- > 0 ? failing(request) : taking(request)) as Response);
      receivers.set("good", taking);
      sync(...[...slow, "flaky", "good"].map((id) => stream(id)));
      keeper.record(numbered(0, 1));
      await pass(9_000);
      expect([taken("good"), taken("flaky")]).toEqual([numbers(0, 1), numbers(0, 1)]);
      for (let i = 1; i < 20; i++) {
        keeper.record(numbered(i, i + 1));
        await pass(0);
        expect(taken("good")).toEqual(numbers(0, i + 1));
        await pass(1_000);
      }
      // One of its own tries after a second, the next after three, though others hang for ten.
      expect(
        sent
          .filter(({ path }) => path === "flaky")
          .slice(0, 3)
          .map(({ at }) => at),
      ).toEqual([0, 1_000, 4_000]);
      expect(taken("flaky")).toEqual(numbers(0, 20));
      expect(slow.flatMap(taken)).toEqual([]);
    }));

  it("is suspended after three days, which is in the log, and goes on when it is told to", () =>
    withStage(async (stage) => {
      const { receivers, sync, pass, taken, keeper, delivery, warned, sent } = stage;
      receivers.set("a", failing);
      receivers.set("b", taking);
      const both = (fields: Partial<LogStreamDefinition> = {}) => [
        stream("a", { name: "Datadog", ...fields }),
        stream("b"),
      ];
      sync(...both());
      keeper.record(numbered(0, 5));
      await pass(3 * dayMs - hourMs);
      expect(delivery("a").state).toBe("failing");
      await pass(2 * hourMs);
      expect(delivery("a")).toMatchObject({ state: "suspended", pending: 6, next_attempt_at: null });
      const said = warned.map((line) => JSON.parse(line)).filter(({ type }) => type === "w");
      expect(said).toMatchObject([
        {
          description:
            'Log stream "Datadog" (lst_a) has failed since 2030-01-01T00:00:00.000Z and is suspended. The last error: https://logs.example.com/a: HTTP 500',
          tenant_name: "acme",
          hostname: "logs.example.com",
          details: { code: "log_stream_suspended" },
        },
      ]);
      expect(taken("b")).toEqual([...numbers(0, 5), said[0].log_id]);
      const tries = sent.filter(({ path }) => path === "a").length;
      await pass(7 * dayMs);
      keeper.record(numbered(5, 6));
      sync(...both({ name: "Datadog EU" }));
      await pass(minuteMs);
      expect(sent.filter(({ path }) => path === "a")).toHaveLength(tries);
      receivers.set("a", taking);
      sync(...both({ activated_at: new Date().toISOString() }));
      await pass(minuteMs);
      expect(taken("a")).toEqual([...numbers(0, 5), said[0].log_id, "n5"]);
      expect(delivery("a")).toMatchObject({ state: "idle", lost: 0, delivered: 7 });
    }));
});
