import { describe, expect, it } from "vitest";
import type { ContentFormat } from "../../../src/model/log-stream.ts";
import { startMs } from "../../alarms/held-object.ts";
import { entry, numbered, numbers, warning } from "../entry.ts";
import { dayMs, failing, hanging, type LogStage, minuteMs, stream, taking, withStage } from "../stage.ts";

const hourMs = 60 * minuteMs;
const sink = (format: ContentFormat) => ({ sink: { ...stream("x").sink, http_content_format: format } });

/** Entries come every minute, ten of them. */
async function come({ keeper, pass }: LogStage, from: number, to: number): Promise<void> {
  for (let at = from; at < to; at += 10) {
    keeper.record(numbered(at, Math.min(to, at + 10)));
    await pass(minuteMs);
  }
}

describe("a stream", () => {
  it("is sent what comes since it was made, in its order, with what its receiver is told", () =>
    withStage(async ({ keeper, receivers, sent, sync, delivery, pass }) => {
      receivers.set("a", taking);
      keeper.record([entry({ log_id: "old", date: new Date(startMs - 1).toISOString() })]);
      const secrets = {
        http_authorization: "Splunk 0123",
        http_custom_headers: [{ header: "DD-API-KEY", value: "k" }],
      };
      sync(stream("a", { secrets }));
      expect(delivery("a")).toMatchObject({ state: "idle", delivered: 0, pending: 0 });
      const one = entry({ log_id: "n0", ip: "203.0.113.7" });
      keeper.record([one, entry({ log_id: "n1" })]);
      await pass(0);
      expect(sent.map(({ ids }) => ids)).toEqual([["n0", "n1"]]);
      const [{ request, body } = { request: new Request("https://none"), body: "" }] = sent;
      expect(request.method).toBe("POST");
      expect(Object.fromEntries(request.headers)).toEqual({
        authorization: "Splunk 0123",
        "dd-api-key": "k",
        "content-type": "application/x-ndjson",
        "user-agent": "Vestibule",
      });
      expect(body.endsWith("\n")).toBe(true);
      expect(JSON.parse(body.split("\n")[0] as string)).toEqual({ _id: "n0", ...one });
      expect(delivery("a")).toEqual({
        state: "idle",
        delivered: 2,
        last_delivered_at: "2030-01-01T00:00:00.000Z",
        pending: 0,
        pending_since: null,
        lost: 0,
        failures: 0,
        failing_since: null,
        error: null,
        next_attempt_at: null,
      });
    }));

  it.each<[ContentFormat, number, (body: string) => unknown[]]>([
    [
      "JSONLINES",
      3,
      (body) =>
        body
          .trimEnd()
          .split("\n")
          .map((line) => JSON.parse(line)),
    ],
    ["JSONARRAY", 3, (body) => JSON.parse(body)],
    ["JSONOBJECT", 250, (body) => [JSON.parse(body)]],
  ])("is written as %s, so many at once", (format, requests, read) =>
    withStage(async ({ keeper, receivers, sent, sync, pass, taken }) => {
      receivers.set("x", taking);
      sync(stream("x", sink(format)));
      keeper.record(numbered(0, 250));
      await pass(1_000);
      expect(sent).toHaveLength(requests);
      expect(sent.flatMap(({ body }) => read(body)).map((one) => (one as { log_id: string }).log_id)).toEqual(
        numbers(0, 250),
      );
      expect(taken("x")).toEqual(numbers(0, 250));
    }),
  );

  it("is sent no more at once than a receiver takes, but one at least", () =>
    withStage(async ({ keeper, receivers, sent, sync, pass }) => {
      receivers.set("a", taking);
      sync(stream("a"));
      keeper.record([
        ...numbered(0, 3, { description: "x".repeat(100_000) }),
        ...numbered(3, 4, { description: "x".repeat(300_000) }),
        ...numbered(4, 5),
      ]);
      await pass(1_000);
      expect(sent.map((one) => one.ids)).toEqual([["n0", "n1"], ["n2"], ["n3"], ["n4"]]);
    }));

  it("is sent only what its filters let through, and may begin in the past", () =>
    withStage(async ({ keeper, receivers, sync, pass, taken, delivery }) => {
      for (const path of ["a", "b"]) receivers.set(path, taking);
      const ago = (minutes: number) => new Date(startMs - minutes * minuteMs).toISOString();
      keeper.record([
        entry({ log_id: "1", date: ago(9) }),
        entry({ log_id: "2", date: ago(5) }),
        entry({ log_id: "3", date: ago(7) }),
        warning("cohort_stale", { log_id: "4", date: ago(4) }),
      ]);
      sync(
        stream("a", { start_from: ago(5) }),
        stream("b", { start_from: ago(60), filters: [{ type: "category", name: "auth.login.notification" }] }),
      );
      expect([delivery("a").pending, delivery("b").pending]).toEqual([3, 1]);
      keeper.record([entry({ log_id: "5", type: "fs" }), warning("cohort_stale", { log_id: "6" })]);
      await pass(1_000);
      expect(taken("a")).toEqual(["2", "3", "4", "5", "6"]);
      expect(taken("b")).toEqual(["4", "6"]);
      expect([delivery("a").pending, delivery("b").pending]).toEqual([0, 0]);
    }));

  it("waits while it is paused, and goes on where it was", () =>
    withStage(async (stage) => {
      const { receivers, sync, pass, taken, delivery } = stage;
      receivers.set("a", taking);
      sync(stream("a"));
      await come(stage, 0, 20);
      sync(stream("a", { status: "paused" }));
      await come(stage, 20, 40);
      expect(delivery("a")).toMatchObject({ state: "paused", pending: 20, pending_since: "2030-01-01T00:02:00.000Z" });
      sync(stream("a", { status: "paused", filters: [{ type: "category", name: "auth.login.fail" }] }));
      expect(delivery("a")).toMatchObject({ pending: 0, pending_since: null });
      sync(stream("a"));
      await pass(0);
      expect(taken("a")).toEqual(numbers(0, 40));
    }));

  it("is sent nothing once it is deleted, and another of the same address begins anew", () =>
    withStage(async (stage) => {
      const { receivers, sync, keeper, taken, sent } = stage;
      receivers.set("a", failing);
      sync(stream("a"));
      await come(stage, 0, 10);
      receivers.set("a", taking);
      sync();
      await come(stage, 10, 20);
      expect(keeper.deliveries()).toEqual({});
      const before = sent.length;
      sync(stream("b", { created_at: new Date().toISOString(), sink: stream("a").sink }));
      await come(stage, 20, 30);
      expect(sent.length).toBe(before + 1);
      expect(taken("a")).toEqual(numbers(20, 30));
    }));
});

it("says how many entries retention has taken from a stream that was away for long", () =>
  withStage(
    async (stage) => {
      const { receivers, sync, pass, taken, keeper, delivery } = stage;
      receivers.set("a", failing);
      sync(stream("a"), stream("b", { status: "paused", filters: [{ type: "category", name: "auth.login.fail" }] }));
      keeper.record([...numbered(0, 7), ...numbered(7, 10, { type: "f" })]);
      await pass(1.5 * dayMs);
      keeper.record(numbered(10, 14));
      await pass(dayMs);
      expect(delivery("a")).toMatchObject({ pending: 4, lost: 10 });
      expect(delivery("b")).toMatchObject({ pending: 0, lost: 3 });
      receivers.set("a", taking);
      await pass(hourMs);
      expect(taken("a")).toEqual(numbers(10, 14));
      expect(delivery("a")).toMatchObject({ state: "idle", pending: 0, lost: 10, delivered: 4 });
    },
    { limits: { retentionMs: 2 * dayMs } },
  ));

it("counts what is deleted while it is on its way as lost only when it does not arrive", () =>
  withStage(async ({ keeper, receivers, sync, pass, delivery, taken }) => {
    const own = { user_id: "auth0|anna" };
    let answer = (_: Response) => {};
    receivers.set(
      "a",
      () =>
        new Promise((resolve) => {
          answer = resolve;
        }),
    );
    sync(stream("a"));
    keeper.record([...numbered(0, 2), ...numbered(2, 4, own)]);
    await pass(0);
    keeper.record(numbered(4, 6, own));
    expect(keeper.forget(own.user_id)).toBe(4);
    expect(delivery("a").pending).toBe(4);
    answer(new Response());
    await pass(0);
    expect(taken("a")).toEqual(numbers(0, 4));
    expect(delivery("a")).toMatchObject({ pending: 0, delivered: 4, lost: 0 });
    keeper.record([...numbered(6, 7), ...numbered(7, 9, own)]);
    await pass(0);
    keeper.forget(own.user_id);
    answer(new Response(null, { status: 500 }));
    await pass(0);
    expect(delivery("a")).toMatchObject({ pending: 1, delivered: 4, lost: 2 });
  }));

it.each([0, 1, 5, 12, 400, 1_100, 4_500, 10_500])("loses nothing when the power goes after %i ms", (cutAt) =>
  withStage(async (stage) => {
    const { receivers, sync, pass, taken, restart, delivery } = stage;
    let calls = 0;
    receivers.set("a", async (request) => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      return ++calls % 3 === 1 ? failing(request) : taking(request);
    });
    receivers.set("b", hanging);
    sync(stream("a"), stream("b"));
    stage.keeper.record(numbered(0, 150));
    await pass(cutAt);
    await restart();
    stage.keeper.record(numbered(150, 300));
    receivers.set("b", taking);
    await pass(5 * minuteMs);
    for (const path of ["a", "b"]) {
      expect([...new Set(taken(path))]).toEqual(numbers(0, 300));
      expect(delivery(path)).toMatchObject({ state: "idle", pending: 0, lost: 0 });
    }
    // What had been taken when the power went comes once more, and no other.
    expect(taken("b")).toEqual(numbers(0, 300));
    expect(taken("a").length).toBeLessThanOrEqual(400);
  }),
);

it("is sent nothing at an address that the deployment does not allow any more", () =>
  withStage(async ({ keeper, sync, sent, pass, delivery }) => {
    const elsewhere = { sink: { ...stream("a").sink, http_endpoint: "https://user.example.org/?key=secret" } };
    sync(stream("a", { ...elsewhere, secrets: { http_authorization: "secret" } }));
    keeper.record(numbered(0, 1));
    await pass(minuteMs);
    expect(sent).toEqual([]);
    expect(delivery("a").error).toBe("https://user.example.org/: the host user.example.org is not in LOG_STREAM_HOSTS");
  }));

it("believes the latest that it was told, whatever comes late", () =>
  withStage(async ({ keeper, sync }) => {
    sync(stream("a"));
    sync(stream("b"));
    expect(keeper.sync({ tenant: "acme", revision: 1, streams: [stream("a")] })).toBe(2);
    expect(Object.keys(keeper.deliveries())).toEqual(["lst_b"]);
    expect(keeper.sync({ tenant: "acme", revision: 2, streams: [stream("b")] })).toBe(2);
  }));
