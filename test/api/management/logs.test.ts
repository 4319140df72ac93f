import { beforeEach, describe, expect, it } from "vitest";
import { logbookOf } from "../../../src/logs/record.ts";
import type { LogEntry } from "../../../src/model/log-entry.ts";
import { entry, experiment, warning } from "../../logs/entry.ts";
import { type Client, createClient, rootToken } from "../client.ts";

let client: Client;
let entries: LogEntry[];

beforeEach(async () => {
  client = createClient();
  const at = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();
  entries = [
    entry({ log_id: "1", date: at(30), client_id: "shop", details: { experiment: experiment("exp_a") } }),
    warning("experiment_not_found", { log_id: "2", date: at(20) }),
    entry({ log_id: "3", date: at(10), type: "f", description: "Failed Login" }),
  ].map((one) => ({ ...one, tenant_name: client.tenant }));
  await logbookOf(client.env, client.tenant).record(entries);
});

const ids = (body: { log_id: string }[]) => body.map(({ log_id }) => log_id);
const find = async (search: string) => ids(await client.get(`/logs${search}`));

describe("GET /logs", () => {
  it("answers the newest first, or the oldest", async () => {
    expect(await client.get("/logs?sort=date:1")).toEqual(entries.map((one) => ({ _id: one.log_id, ...one })));
    expect(await find("")).toEqual(["3", "2", "1"]);
    expect(await find("?page=1&per_page=2")).toEqual(["1"]);
    expect(await client.get("/logs?page=1&per_page=2&include_totals=true&fields=type,log_id")).toEqual({
      start: 2,
      limit: 2,
      length: 1,
      total: 3,
      logs: [{ log_id: "1", type: "s" }],
    });
    const [first] = await client.get("/logs?per_page=1&fields=details,hostname&include_fields=false");
    expect(Object.keys(first)).toEqual(["_id", "log_id", "date", "type", "description", "tenant_name"]);
  });

  it("answers what q asks for, encoded or with plus signs", async () => {
    expect(await find('?q=details.experiment.id:"exp_a"')).toEqual(["1"]);
    expect(await find(`?q=${encodeURIComponent("type:(w OR f)")}`)).toEqual(["3", "2"]);
    expect(await find("?q=type:w+AND+details.code:experiment_not_found")).toEqual(["2"]);
    expect(await find("?q=")).toEqual(["3", "2", "1"]);
  });

  it("reads on from an entry, with a link to what comes next", async () => {
    const first = await client.send("GET", "/logs?take=2");
    expect(ids(first.body)).toEqual(["1", "2"]);
    const [, next = ""] = /^<(.*)>; rel="next"$/.exec(first.headers.get("link") ?? "") ?? [];
    expect(next).toMatch(/^https:\/\/admin\.example\.com\/api\/v2\/experimentation\/logs\?take=2&from=2$/);
    const { pathname, search } = new URL(next);
    const second = await client.send("GET", pathname.slice("/api/v2/experimentation".length) + search);
    expect(ids(second.body)).toEqual(["3"]);
    expect(await find("?from=3")).toEqual([]);
    const filtered = await client.send("GET", "/logs?take=5&q=type:w");
    expect(ids(filtered.body)).toEqual(["2"]);
    expect(filtered.headers.get("link")).toContain("&from=3>");
  });

  it.each([
    ["q=type", /q: at character 1: "type": a field and its value must come here, such as type:s/],
    ["q=type:(s", /q: at character 6: the bracket that begins here has no end/],
    ["from=9", /from: no entry has this log_id any more; begin anew with take alone/],
    ["take=101", /take: must be at most 100/],
    ["take=0", /take: must be at least 1/],
    ["per_page=101", /per_page: must be at most 100/],
    ["page=20", /must not go beyond 1000 entries by page/],
    ["sort=type:1", /sort: must be date:1 or date:-1/],
    ["from=1&page=1", /must hold from and take, or page, per_page, sort and include_totals, not some of both/],
    ["fields=type,", /fields: must be names of fields, parted by commas/],
    ["limit=1", /limit: is not known here, only q, from, take/],
  ])("refuses %s", async (search, message) => {
    const { status, body } = await client.send("GET", `/logs?${search}`);
    expect([status, body.errorCode]).toEqual([400, "invalid_query_string"]);
    expect(body.message).toMatch(message);
  });

  it("shows a tenant its own log, and only to those who may read", async () => {
    const other = createClient();
    expect(await other.get("/logs")).toEqual([]);
    const { token } = await client.post("/tokens", { name: "Writer", scopes: ["create:experimentation"] });
    const send = (authorization: string) => client.send("GET", "/logs?q=type", undefined, { authorization });
    expect((await send(`Bearer ${token}`)).body.errorCode).toBe("insufficient_scope");
    expect((await send("Bearer no")).status).toBe(401);
    expect((await send(`Bearer ${rootToken}`)).status).toBe(400);
  });
});

it("GET /logs/{log_id} answers one", async () => {
  expect(await client.get("/logs/2")).toEqual({ _id: "2", ...entries[1] });
  expect(await client.send("GET", "/logs/9")).toMatchObject({ status: 404, body: { errorCode: "log_not_found" } });
});
