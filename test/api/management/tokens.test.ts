import { runInDurableObject } from "cloudflare:test";
import { beforeEach, describe, expect, it } from "vitest";
import { type Client, createClient } from "../client.ts";

const all = ["read", "create", "update", "delete"].map((verb) => `${verb}:experimentation`);
const read = "read:experimentation";

let client: Client;
beforeEach(() => {
  client = createClient();
});

const as = (token: string) => ({ authorization: `Bearer ${token}` });

it("are shown once, when they are made", async () => {
  const expires_at = "2999-01-31T13:00:00+01:00";
  const { status, body } = await client.send("POST", "/tokens", { name: "Deploys", scopes: [read, read], expires_at });
  expect([status, body]).toEqual([
    201,
    {
      id: expect.stringMatching(/^tok_[A-HJ-NP-Za-km-z1-9]+$/),
      name: "Deploys",
      scopes: [read],
      expires_at: "2999-01-31T12:00:00.000Z",
      created_at: expect.any(String),
      updated_at: body.created_at,
      token: expect.stringMatching(/^vst_[\w-]{43}$/),
    },
  ]);
  const { token, ...shown } = body;
  expect(await client.get(`/tokens/${shown.id}`)).toEqual(shown);
  expect(await client.get("/tokens")).toEqual({ tokens: [shown] });
  expect((await client.send("GET", "/segments", undefined, as(token))).status).toBe(200);
});

it("tell what they allow, and where", async () => {
  const { token, id } = await client.post("/tokens", { name: "Reader", scopes: [read] });
  const { tenant } = client;
  expect(await client.get("/caller")).toEqual({ actor: "root", scopes: all, tenant });
  const { body } = await client.send("GET", "/caller", undefined, as(token));
  expect(body).toEqual({ actor: `token:${id}`, scopes: [read], tenant });
});

it("are nowhere kept, nor is their hash told", async () => {
  const { token, id } = await client.post("/tokens", { name: "Deploys", scopes: [read] });
  const kept = await runInDurableObject(client.control(), (_, { storage }) => {
    const tables = ["resource", "change", "fact", "pending_entry"];
    return JSON.stringify(tables.map((table) => [...storage.sql.exec(`SELECT * FROM ${table}`)]));
  });
  expect(kept).toContain(id);
  expect(kept).not.toContain(token);
  const { hash } = JSON.parse(JSON.parse(kept)[0][0].body);
  expect(hash).toMatch(/^[\w-]{43}$/);
  const told = await Promise.all(["/tokens", `/tokens/${id}`, "/changes"].map((path) => client.send("GET", path)));
  for (const { text } of told) expect(text).not.toContain(hash);
});

it("end at once when they are revoked, which may be said twice", async () => {
  const { token, id } = await client.post("/tokens", { name: "Deploys", scopes: [read] });
  expect((await client.send("GET", "/segments", undefined, as(token))).status).toBe(200);
  expect((await client.send("DELETE", `/tokens/${id}`)).status).toBe(204);
  expect((await client.send("GET", "/segments", undefined, as(token))).status).toBe(401);
  expect((await client.send("DELETE", `/tokens/${id}`)).status).toBe(204);
  expect((await client.send("GET", `/tokens/${id}`)).body).toMatchObject({
    statusCode: 404,
    message: "Token not found.",
    errorCode: "token_not_found",
  });
});

it("survive the object's restart", async () => {
  const { token } = await client.post("/tokens", { name: "Deploys", scopes: [read] });
  const gone = runInDurableObject(client.control(), (_, state) => state.abort("restart"));
  await expect(gone).rejects.toThrow();
  expect((await client.send("GET", "/segments", undefined, as(token))).status).toBe(200);
});

it("hand out only what they have themselves", async () => {
  const scopes = [read, "create:experimentation"];
  const { token } = await client.post("/tokens", { name: "Maker", scopes });
  const make = (name: string, wanted: string[]) => client.send("POST", "/tokens", { name, scopes: wanted }, as(token));
  expect((await make("Equal", scopes)).status).toBe(201);
  const { status, body } = await make("Mightier", all);
  expect([status, body.errorCode, body.message]).toEqual([
    403,
    "insufficient_scope",
    "Insufficient scope; expected any of: update:experimentation, delete:experimentation.",
  ]);
});

it("are in the change log, and change nothing that is published", async () => {
  await client.post("/segments", { name: "Phones", rules: [{ match: { device_type: ["mobile"] } }] });
  const { id } = await client.post("/tokens", { name: "Deploys", scopes: [read] });
  await client.delete(`/tokens/${id}`);
  const { changes } = await client.get("/changes?resource_type=token");
  expect(changes).toMatchObject([
    { version: 1, operation: "delete_token", resource_id: id, before: { name: "Deploys" }, after: null },
    {
      version: 1,
      operation: "create_token",
      resource_id: id,
      before: null,
      after: { name: "Deploys", scopes: [read] },
    },
  ]);
});

it("page", async () => {
  for (let index = 0; index < 3; index++) await client.post("/tokens", { name: `Token ${index}`, scopes: [read] });
  const first = await client.get("/tokens?take=2");
  expect(first.tokens).toHaveLength(2);
  const last = await client.get(`/tokens?from=${first.next}`);
  expect(last.tokens.map(({ name }: { name: string }) => name)).toEqual(["Token 2"]);
  expect(last).not.toHaveProperty("next");
});

describe("are refused", () => {
  it.each([
    ["without a name", { scopes: [read] }, "name: must be given"],
    ["without scopes", { name: "Deploys" }, "scopes: must be given"],
    ["with no scope", { name: "Deploys", scopes: [] }, "scopes: must hold at least one scope"],
    ["with an unknown scope", { name: "Deploys", scopes: ["root"] }, "scopes[0]: must be one of read:experimentation"],
    [
      "when they have expired",
      { name: "Deploys", scopes: [read], expires_at: "2020-01-01T00:00:00Z" },
      "expires_at: must",
    ],
    [
      "with no time at all",
      { name: "Deploys", scopes: [read], expires_at: "soon" },
      "expires_at: must be a time such as",
    ],
    [
      "on a day that is none",
      { name: "Deploys", scopes: [read], expires_at: "2999-02-30T00:00:00Z" },
      "expires_at: must be a time such as 2025-01-31T12:00:00Z, on a day that there is.",
    ],
    ["with half a time", { name: "Deploys", scopes: [read], expires_at: "2999-01-01T00:00:00+01" }, "expires_at: must"],
    ["with a token of one's own", { name: "Deploys", scopes: [read], token: "vst_" }, "token: is not known here"],
  ])("%s", async (_, body, message) => {
    const answer = await client.send("POST", "/tokens", body);
    expect([answer.status, answer.body.errorCode]).toEqual([400, "invalid_body"]);
    expect(answer.body.message).toContain(`Invalid request body. ${message}`);
  });

  it("with a name that another has", async () => {
    const { id } = await client.post("/tokens", { name: "Deploys", scopes: [read] });
    const { status, body } = await client.send("POST", "/tokens", { name: "Deploys", scopes: [read] });
    expect([status, body.errorCode, body.message]).toEqual([
      409,
      "token_name_taken",
      `A token with this name already exists. It is ${id}.`,
    ]);
  });
});
