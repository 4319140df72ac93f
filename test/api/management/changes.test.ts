import { beforeEach, describe, expect, it, vi } from "vitest";
import { type Client, createClient } from "../client.ts";

const rules = [{ match: { device_type: ["mobile"] } }];
// biome-ignore lint/suspicious/noExplicitAny: answers are read field by field.
type Change = any;

let client: Client;
beforeEach(() => {
  client = createClient();
});

const operationsOf = ({ changes }: { changes: Change[] }) => changes.map(({ operation }) => operation);

it("say who changed what, when, from what to what, the newest first", async () => {
  const made = await client.send("POST", "/segments", { name: "Phones", rules }, { "x-correlation-id": "deploy-7" });
  const changed = await client.patch(`/segments/${made.body.id}`, { name: "Small screens" });
  await client.delete(`/segments/${made.body.id}`);
  const common = { actor: "root", resource_type: "segment", resource_id: made.body.id };
  const made_up = { id: expect.stringMatching(/^\d+$/), correlation_id: expect.stringMatching(/^[\w-]{36}$/) };
  expect(await client.get("/changes")).toEqual({
    changes: [
      {
        ...common,
        ...made_up,
        version: 3,
        at: expect.any(String),
        operation: "delete_segment",
        before: changed,
        after: null,
      },
      {
        ...common,
        ...made_up,
        version: 2,
        at: changed.updated_at,
        operation: "update_segment",
        before: made.body,
        after: changed,
      },
      {
        ...common,
        ...made_up,
        correlation_id: "deploy-7",
        version: 1,
        at: made.body.created_at,
        operation: "create_segment",
        before: null,
        after: made.body,
      },
    ],
  });
});

it("are not of what was refused, nor of what was only read", async () => {
  await client.post("/segments", { name: "Phones", rules });
  await client.send("POST", "/segments", { name: "Phones", rules });
  await client.send("POST", "/segments", { name: "" });
  await client.send("DELETE", "/segments/seg_1");
  await client.get("/segments");
  expect(operationsOf(await client.get("/changes"))).toEqual(["create_segment"]);
});

it("page, and go on where they were although more is changed meanwhile", async () => {
  for (let index = 0; index < 5; index++) await client.post("/segments", { name: `Number ${index}`, rules });
  const first = await client.get("/changes?take=2");
  await client.post("/segments", { name: "Another", rules });
  const second = await client.get(`/changes?take=2&from=${first.next}`);
  const third = await client.get(`/changes?take=2&from=${second.next}`);
  const versions = [first, second, third].map(({ changes }) => changes.map(({ version }: Change) => version));
  expect(versions).toEqual([[5, 4], [3, 2], [1]]);
  expect(third).not.toHaveProperty("next");
  expect((await client.get("/changes?take=6")).next).toBeUndefined();
});

describe("are found by", () => {
  let segment: { id: string };
  let token: { id: string; token: string };
  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.parse("2030-01-01T00:00:00.000Z") });
    segment = await client.post("/segments", { name: "Phones", rules });
    vi.setSystemTime(Date.parse("2030-01-02T00:00:00.000Z"));
    token = await client.post("/tokens", {
      name: "Deploys",
      scopes: ["update:experimentation", "read:experimentation"],
    });
    vi.setSystemTime(Date.parse("2030-01-03T00:00:00.000Z"));
    const { id } = segment;
    const headers = { authorization: `Bearer ${token.token}` };
    await client.send("PATCH", `/segments/${id}`, { name: "Small" }, headers);
    return () => vi.useRealTimers();
  });

  it.each<[string, () => string, string[]]>([
    ["type", () => "resource_type=segment", ["update_segment", "create_segment"]],
    ["id", () => `resource_id=${token.id}`, ["create_token"]],
    ["actor", () => `actor=token:${token.id}`, ["update_segment"]],
    ["actor, all of it", () => "actor=token", []],
    ["operation", () => "operation=create_segment", ["create_segment"]],
    ["since, inclusive", () => "since=2030-01-02T00:00:00Z", ["update_segment", "create_token"]],
    ["until, inclusive", () => "until=2030-01-02T00:00:00Z", ["create_token", "create_segment"]],
    ["until, elsewhere on earth", () => "until=2030-01-02T01:00:00%2B01:00", ["create_token", "create_segment"]],
    ["both", () => "since=2030-01-01T12:00:00.5Z&until=2030-01-02T12:00:00Z", ["create_token"]],
    ["several", () => `resource_id=${segment.id}&actor=root`, ["create_segment"]],
  ])("%s", async (_, query, expected) => {
    expect(operationsOf(await client.get(`/changes?${query()}`))).toEqual(expected);
  });
});

it.each([
  ["resource_type=flag", "resource_type: must be one of feature_flag, "],
  ["since=yesterday", "since: "],
  ["since=2030-02-29T00:00:00Z", "since: must be a time such as 2025-01-31T12:00:00Z, on a day that there is"],
  ["until=2030-04-31T00:00:00%2B01:00", "until: must be a time such as"],
  ["until=2030-01-01T00:00:00%2B01", "until: must be a time such as 2025-01-31T12:00:00Z"],
  ["actor=", "actor: must not be empty"],
  ["take=0", "take: must be at least 1"],
  ["take=51", "take: must be at most 50"],
  ["from=%2F", "from: must be the next of an earlier page"],
  ["who=root", "who: is not known here"],
])("refuse %s", async (query, message) => {
  const { status, body } = await client.send("GET", `/changes?${query}`);
  expect([status, body.errorCode]).toEqual([400, "invalid_query_string"]);
  expect(body.message).toContain(`Invalid request query string. ${message}`);
});
