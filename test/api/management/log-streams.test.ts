import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { logbookOf } from "../../../src/logs/record.ts";
import { type Client, createClient } from "../client.ts";

const secrets = {
  http_authorization: "Splunk 5ecret-a",
  http_custom_headers: [{ header: "DD-API-KEY", value: "5ecret-b" }],
};
const body = {
  name: "Datadog",
  type: "http",
  sink: { http_endpoint: "https://logs.example.com/intake?tag=login", ...secrets },
};
const shownSink = {
  http_endpoint: body.sink.http_endpoint,
  http_content_type: "application/x-ndjson",
  http_content_format: "JSONLINES",
  has_authorization: true,
  http_custom_headers: [{ header: "DD-API-KEY" }],
};

let client: Client;

beforeEach(() => {
  client = createClient({ vars: { LOG_STREAM_HOSTS: "logs.example.com, *.example.org" } });
});

describe("a log stream", () => {
  it("is made, shown, changed and deleted", async () => {
    const made = await client.post("/log-streams", { ...body, status: "paused" });
    expect(made).toEqual({
      id: expect.stringMatching(/^lst_/),
      name: "Datadog",
      type: "http",
      status: "paused",
      filters: [],
      sink: shownSink,
      activated_at: expect.any(String),
      created_at: expect.any(String),
      updated_at: expect.any(String),
      delivery: expect.objectContaining({ state: "paused", delivered: 0, pending: 0, lost: 0, error: null }),
    });
    const path = `/log-streams/${made.id}`;
    expect(await client.get(path)).toEqual(made);
    expect(await client.get("/log-streams")).toEqual({ log_streams: [made] });
    const changed = await client.patch(path, {
      name: "Splunk",
      filters: [{ type: "category", name: "auth.login.fail" }],
      sink: { http_content_format: "JSONARRAY" },
    });
    expect(changed).toMatchObject({
      name: "Splunk",
      status: "paused",
      filters: [{ type: "category", name: "auth.login.fail" }],
      sink: { ...shownSink, http_content_format: "JSONARRAY" },
    });
    const bare = await client.patch(path, { sink: { http_authorization: null, http_custom_headers: [] } });
    expect(bare.sink).toMatchObject({ has_authorization: false, http_custom_headers: [] });
    await client.delete(path);
    await client.delete(path);
    expect(await client.get("/log-streams")).toEqual({ log_streams: [] });
    expect(await logbookOf(client.env, client.tenant).deliveries()).toEqual({});
  });

  it("publishes nothing: the edge reads none of it", async () => {
    const { id } = await client.post("/log-streams", body);
    await client.patch(`/log-streams/${id}`, { status: "paused" });
    expect((await client.get("/snapshot")).version).toBe(0);
  });

  it("keeps what its receiver is told out of every answer, the change log and the console", async () => {
    const said = [vi.spyOn(console, "warn"), vi.spyOn(console, "error"), vi.spyOn(console, "log")];
    const answers = [await client.send("POST", "/log-streams", body)];
    const path = `/log-streams/${answers[0]?.body.id}`;
    answers.push(await client.send("PATCH", path, { sink: { http_authorization: "Splunk 5ecret-c" } }));
    answers.push(await client.send("PATCH", path, { sink: { http_authorization: "no\nheader 5ecret-d" } }));
    for (const under of [path, "/log-streams", "/changes", "/export"]) answers.push(await client.send("GET", under));
    await runInDurableObject(client.control(), async (_, { storage }) => {
      const changes = [...storage.sql.exec("SELECT * FROM change")];
      expect(changes).toHaveLength(2);
      expect(JSON.stringify(changes)).not.toContain("5ecret");
    });
    for (const { text } of answers) expect(text).not.toContain("5ecret");
    expect(JSON.stringify(said.flatMap(({ mock }) => mock.calls))).not.toContain("5ecret");
    vi.restoreAllMocks();
  });

  it("takes its secrets nowhere else", async () => {
    const path = `/log-streams/${(await client.post("/log-streams", body)).id}`;
    const elsewhere = { http_endpoint: "https://evil.example.org/" };
    const refused = await client.send("PATCH", path, { sink: elsewhere });
    expect([refused.status, refused.body.message]).toEqual([
      400,
      "Invalid request body. sink.http_authorization, sink.http_custom_headers: must be sent again, or null or an empty list, when http_endpoint leads to another origin.",
    ]);
    const one = await client.send("PATCH", path, { sink: { ...elsewhere, http_authorization: "Bearer mine" } });
    expect(one.body.message).toContain("sink.http_custom_headers: must be sent again");
    await client.patch(path, { sink: { ...elsewhere, http_authorization: null, http_custom_headers: [] } });
    expect((await client.get(path)).sink).toMatchObject({ ...elsewhere, has_authorization: false });
  });

  it.each([
    [{ http_endpoint: "http://logs.example.com/" }, /sink.http_endpoint: must begin with https:, not http:/],
    [{ http_endpoint: "https://10.0.0.1/" }, /must name a host; 10.0.0.1 is an IP address/],
    [{ http_endpoint: "https://elsewhere.example/" }, /the host elsewhere.example is not in LOG_STREAM_HOSTS/],
    [{ http_endpoint: "nowhere" }, /must be an address/],
    [{ http_endpoint: "https://user:5ecret@logs.example.com/" }, /must not hold a user name or password/],
    [{ http_content_format: "CSV" }, /sink.http_content_format: must be one of JSONLINES, JSONARRAY, JSONOBJECT/],
    [{ http_content_type: "json" }, /sink.http_content_type: must be a media type/],
    [{ http_authorization: "a\r\nX-Evil: 1" }, /sink.http_authorization: must be visible ASCII/],
    [{ http_custom_headers: [{ header: "Host", value: "x" }] }, /http_custom_headers\[0\].header: is set otherwise/],
    [{ http_custom_headers: [{ header: "content-LENGTH", value: "1" }] }, /is set otherwise/],
    [{ http_custom_headers: [{ header: "a b", value: "x" }] }, /must be a header's name/],
    [
      {
        http_custom_headers: [
          { header: "x-a", value: "1" },
          { header: "X-A", value: "2" },
        ],
      },
      /must not name a header twice/,
    ],
  ])("is not made with %o", async (sink, message) => {
    const answer = await client.send("POST", "/log-streams", { ...body, sink: { ...body.sink, ...sink } });
    expect([answer.status, answer.body.errorCode]).toEqual([400, "invalid_body"]);
    expect(answer.body.message).toMatch(message);
    expect(answer.text).not.toContain("5ecret");
  });

  it.each([
    [{ status: "suspended" }, /status: must be active or paused; suspended is what becomes/],
    [{ type: "http" }, /type: cannot be changed/],
    [
      { filters: [{ type: "category", name: "auth.logout.success" }] },
      /filters\[0\].name: must be one of auth.login.success/,
    ],
    [{}, /must hold at least one of/],
  ])("is not changed by %o", async (change, message) => {
    const { id } = await client.post("/log-streams", body);
    expect((await client.send("PATCH", `/log-streams/${id}`, change)).body.message).toMatch(message);
  });

  it("is shown suspended, and goes on when it is told that it is active", async () => {
    const { id } = await client.post("/log-streams", body);
    const logbook = client.env.LOGBOOK.get(
      client.env.LOGBOOK.idFromName(client.tenant),
    ) as unknown as DurableObjectStub;
    await runInDurableObject(logbook, (_, { storage }) => {
      const [row] = storage.sql.exec<{ progress: string }>("SELECT progress FROM stream");
      const suspended = { isSuspended: true, failures: 9, error: "HTTP 500", failingSince: 0 };
      const progress = JSON.stringify({ ...JSON.parse(row?.progress ?? "{}"), ...suspended });
      storage.sql.exec("UPDATE stream SET progress = ?", progress);
    });
    await evictDurableObject(logbook);
    const delivery = { state: "suspended", failures: 9, error: "HTTP 500", failing_since: "1970-01-01T00:00:00.000Z" };
    expect(await client.get(`/log-streams/${id}`)).toMatchObject({ status: "suspended", delivery });
    expect(await client.patch(`/log-streams/${id}`, { name: "Mended" })).toMatchObject({ status: "suspended" });
    const resumed = await client.patch(`/log-streams/${id}`, { status: "active" });
    expect(resumed).toMatchObject({ status: "active", delivery: { state: "idle", failures: 0, error: null } });
  });

  it("is shown without its delivery while the logbook is away", async () => {
    const { id } = await client.post("/log-streams", body);
    const gone = () => Promise.reject(new Error("gone"));
    Object.assign(client.env, { LOGBOOK: { idFromName: () => "", get: () => ({ deliveries: gone }) } });
    expect(await client.get(`/log-streams/${id}`)).toMatchObject({ id, status: "active", delivery: null });
  });
});
