import { describe, expect, it } from "vitest";
import { type Lives, type Mode, withLives } from "./lives.ts";

const minute = 60_000;
const sink = {
  http_endpoint: "https://logs.example.com/",
  http_content_format: "JSONLINES",
  http_authorization: "secret",
};

const create = (lives: Lives, name = "Datadog") =>
  lives.run("create_log_stream", { body: { name, type: "http", status: "active", filters: [], sink } });

it("tells the logbook of every change, secrets and all, before it answers", () =>
  withLives(async (lives) => {
    const { logbook, run } = lives;
    const { id } = await create(lives);
    expect(logbook.heard).toMatchObject({ tenant: "acme", revision: 1 });
    expect(logbook.heard?.streams).toEqual([
      expect.objectContaining({
        id,
        sink: {
          http_endpoint: sink.http_endpoint,
          http_content_type: "application/x-ndjson",
          http_content_format: "JSONLINES",
        },
        secrets: { http_authorization: "secret" },
        activated_at: "2030-01-01T00:00:00.000Z",
      }),
    ]);
    await lives.pass(minute);
    await run("update_log_stream", { params: { id }, body: { status: "paused" } });
    expect(logbook.heard?.streams).toMatchObject([{ status: "paused", activated_at: "2030-01-01T00:00:00.000Z" }]);
    await run("update_log_stream", { params: { id }, body: { status: "active" } });
    expect(logbook.heard?.streams).toMatchObject([{ status: "active", activated_at: "2030-01-01T00:01:00.000Z" }]);
    await run("delete_log_stream", { params: { id } });
    expect(logbook.heard?.streams).toEqual([]);
    expect([...lives.storage.sql.exec("SELECT * FROM resource WHERE kind = 'stream_secret'")]).toEqual([]);
    expect(logbook.asked.map(({ revision }) => revision)).toEqual([1, 2, 3, 4]);
    expect(lives.cohorts.asked).toEqual([]);
    expect(lives.kv.asked).toEqual([]);
  }));

describe.each<Mode>(["fail", "throw", "hang", "vanish"])("while the logbook's calls %s", (mode) => {
  it("answers all the same, and tells it once it is back, across a restart", () =>
    withLives(async (lives) => {
      const { logbook, pass, restart } = lives;
      logbook.mode = mode;
      const answer = create(lives);
      await pass(1_000);
      expect(await answer).toMatchObject({ name: "Datadog" });
      await pass(minute);
      await restart();
      logbook.mode = "work";
      await pass(2 * minute);
      expect(logbook.heard?.streams.map(({ name }) => name)).toEqual(["Datadog"]);
      const asked = logbook.asked.length;
      await pass(10 * minute);
      expect(logbook.asked).toHaveLength(asked);
    }));
});
