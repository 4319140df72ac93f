import { beforeEach, describe, expect, it, vi } from "vitest";
import { type Client, createClient } from "../client.ts";
import { createFlag } from "../experiment-stage.ts";

const url = "https://data.example.com/buyers.csv";
const source = { type: "url", url, format: "csv" };
const push = { type: "push" };
const secret = "s3cr3t-of-the-source";
const credentials = { type: "basic", username: "reader", password: secret };

let client: Client;
beforeEach(() => {
  client = createClient({ vars: { COHORT_HOSTS: "data.example.com, *.example.org" } });
});

const pushed = (name = "Buyers") => client.post("/cohorts", { name, id_type: "user", source: push });

it("keeps a cohort, changes it and lets go of it", async () => {
  const made = await client.send("POST", "/cohorts", { name: "Buyers", id_type: "user", source });
  expect(made.status).toBe(201);
  expect(made.body).toEqual({
    id: expect.stringMatching(/^coh_[A-HJ-NP-Za-km-z1-9]+$/),
    name: "Buyers",
    id_type: "user",
    source,
    refresh_minutes: 60,
    has_credentials: false,
    created_at: expect.any(String),
    updated_at: made.body.created_at,
    status: expect.objectContaining({ size: 0, refreshed_at: null }),
  });
  const { id } = made.body;
  const { status: _, ...stored } = made.body;
  expect(await client.get(`/cohorts/${id}`)).toMatchObject(stored);
  const changed = await client.patch(`/cohorts/${id}`, { description: "Who has bought", refresh_minutes: 5 });
  expect(changed).toMatchObject({
    ...stored,
    description: "Who has bought",
    refresh_minutes: 5,
    updated_at: expect.any(String),
  });
  expect(await client.patch(`/cohorts/${id}`, { description: null })).not.toHaveProperty("description");
  expect((await client.send("DELETE", `/cohorts/${id}`)).status).toBe(204);
  expect((await client.send("DELETE", `/cohorts/${id}`)).status).toBe(204);
  expect((await client.send("GET", `/cohorts/${id}`)).body).toMatchObject({
    statusCode: 404,
    message: "Cohort not found.",
    errorCode: "cohort_not_found",
  });
});

it("pages, and filters by type of id", async () => {
  for (let index = 0; index < 5; index++) {
    const id_type = index % 2 === 0 ? "user" : "device";
    await client.post("/cohorts", { name: `Number ${index}`, id_type, source: push });
  }
  const names = ({ cohorts }: { cohorts: { name: string }[] }) => cohorts.map(({ name }) => name);
  const first = await client.get("/cohorts?take=2");
  expect(names(first)).toEqual(["Number 0", "Number 1"]);
  expect(first.cohorts[0]).toMatchObject({ has_credentials: false, status: { state: "never" } });
  expect(names(await client.get(`/cohorts?from=${first.next}`))).toEqual(["Number 2", "Number 3", "Number 4"]);
  expect(names(await client.get("/cohorts?id_type=device"))).toEqual(["Number 1", "Number 3"]);
});

it.each([
  ["its name is another's", { name: "Taken" }, 409, "cohort_name_taken", /coh_/],
  ["it is of another type of id", { id_type: "group" }, 400, "invalid_body", /id_type/],
  ["its source is of no type", { source: { type: "ftp" } }, 400, "invalid_body", /source.type/],
  ["its schedule is too dense", { refresh_minutes: 4 }, 400, "invalid_body", /refresh_minutes/],
  [
    "its source is at another host",
    { source: { ...source, url: "https://example.net/a" } },
    400,
    "invalid_body",
    /source\.url: the host example\.net is not in COHORT_HOSTS/,
  ],
  [
    "its source is private",
    { source: { ...source, url: "https://10.0.0.1/a" } },
    400,
    "invalid_body",
    /source\.url: must name a host/,
  ],
  [
    "its source is not https",
    { source: { ...source, url: "http://data.example.com/a" } },
    400,
    "invalid_body",
    /source\.url: must begin with https/,
  ],
  [
    "its source is no address",
    { source: { ...source, url: "constructor" } },
    400,
    "invalid_body",
    /source\.url: must be an address/,
  ],
  [
    "nothing is fetched, but credentials are given",
    { source: push, credentials },
    400,
    "invalid_body",
    /credentials: must not be sent/,
  ],
  [
    "its credentials would break a header",
    { credentials: { type: "bearer", token: "a\nb" } },
    400,
    "invalid_body",
    /credentials\.token/,
  ],
] as const)("refuses a cohort when %s", async (_, fields, status, errorCode, message) => {
  await pushed("Taken");
  const body = { name: "Buyers", id_type: "user", source, ...fields };
  const answer = await client.send("POST", "/cohorts", body);
  expect(answer.body).toMatchObject({ statusCode: status, errorCode, message: expect.stringMatching(message) });
  const { id_type: _type, ...changes } = fields as Record<string, unknown>;
  if (Object.keys(changes).length === 0) return;
  const { id } = await client.post("/cohorts", { name: "Another", id_type: "user", source });
  expect((await client.send("PATCH", `/cohorts/${id}`, changes)).body).toMatchObject({ errorCode });
});

it("never changes which ids its members are", async () => {
  const { id } = await pushed();
  const answer = await client.send("PATCH", `/cohorts/${id}`, { id_type: "device" });
  expect(answer.body).toMatchObject({
    statusCode: 400,
    message: expect.stringContaining("id_type: cannot be changed"),
  });
});

describe("credentials", () => {
  it("are never shown again, wherever one looks", async () => {
    const made = await client.send("POST", "/cohorts", { name: "Buyers", id_type: "user", source, credentials });
    expect(made.body).toMatchObject({ has_credentials: true });
    const { id } = made.body;
    const again = await client.send("PATCH", `/cohorts/${id}`, { credentials: { ...credentials, username: secret } });
    expect(again.body).toMatchObject({ has_credentials: true });
    const reads = ["/cohorts", `/cohorts/${id}`, "/changes", "/export", "/snapshot"];
    const shown = await Promise.all(reads.map(async (path) => (await client.send("GET", path)).text));
    await vi.waitFor(async () => expect(await client.published()).not.toBeNull());
    const all = [made.text, again.text, ...shown, JSON.stringify(await client.published())];
    expect(all.filter((text) => text.includes(secret))).toEqual([]);
    const { changes } = await client.get("/changes");
    expect(changes.map((change: { resource_type: string }) => change.resource_type)).toEqual(["cohort", "cohort"]);
  });

  it("stay until they are taken away", async () => {
    const { id } = await client.post("/cohorts", { name: "Buyers", id_type: "user", source, credentials });
    expect(await client.patch(`/cohorts/${id}`, { name: "Shoppers" })).toMatchObject({ has_credentials: true });
    expect(await client.patch(`/cohorts/${id}`, { credentials: null })).toMatchObject({ has_credentials: false });
  });

  it("do not follow the source to another host", async () => {
    const { id } = await client.post("/cohorts", { name: "Buyers", id_type: "user", source, credentials });
    const elsewhere = { ...source, url: "https://other.example.org/buyers.csv" };
    expect((await client.send("PATCH", `/cohorts/${id}`, { source: elsewhere })).body).toMatchObject({
      statusCode: 400,
      message: expect.stringContaining("credentials: must be sent again"),
    });
    const beside = { ...source, url: "https://data.example.com/others.csv" };
    expect(await client.patch(`/cohorts/${id}`, { source: beside })).toMatchObject({ has_credentials: true });
    const changed = await client.patch(`/cohorts/${id}`, { source: elsewhere, credentials });
    expect(changed).toMatchObject({ source: elsewhere, has_credentials: true });
    expect(await client.patch(`/cohorts/${id}`, { source: push })).toMatchObject({ has_credentials: false });
  });
});

describe("import and export", () => {
  const cohort = { name: "Buyers", id_type: "user", source };
  const segments = [{ name: "Strangers", rules: [{ not_match: { cohort: ["Buyers"] } }] }];

  it("bring cohorts and who names them into another tenant, by name", async () => {
    const { changes } = await client.post("/import", { cohorts: [cohort], segments });
    expect(changes.map(({ action, resource_type }: Record<string, string>) => [action, resource_type])).toEqual([
      ["create", "cohort"],
      ["create", "segment"],
    ]);
    const file = await client.get("/export");
    expect(file).toMatchObject({ cohorts: [{ id: expect.any(String), ...cohort, refresh_minutes: 60 }], segments });
    expect((await client.post("/import?prune=true", file)).changes).toEqual([]);
    const {
      cohorts: [made],
    } = await client.get("/cohorts");
    expect(made).toMatchObject({ status: expect.objectContaining({ size: 0 }) });
    expect(await client.get("/segments")).toMatchObject({
      segments: [{ rules: [{ not_match: { cohort: [made.id] } }] }],
    });
  });

  it("neither take nor give credentials, which stay with the origin they were for", async () => {
    const { id } = await client.post("/cohorts", { ...cohort, credentials });
    const refused = await client.send("POST", "/import", { cohorts: [{ ...cohort, credentials }] });
    expect(refused.body).toMatchObject({ statusCode: 400, message: expect.stringContaining("cohorts[0].credentials") });
    const beside = { ...source, url: "https://data.example.com/others.csv" };
    await client.post("/import", { cohorts: [{ ...cohort, source: beside }] });
    expect(await client.get(`/cohorts/${id}`)).toMatchObject({ source: beside, has_credentials: true });
    const elsewhere = { ...source, url: "https://other.example.org/buyers.csv" };
    await client.post("/import", { cohorts: [{ ...cohort, source: elsewhere }] });
    expect(await client.get(`/cohorts/${id}`)).toMatchObject({ source: elsewhere, has_credentials: false });
  });

  it("say what speaks against it", async () => {
    const { id } = await client.post("/cohorts", cohort);
    await client.post("/import", { segments });
    const faults = async (file: object, query = "") =>
      (await client.post(`/import?dry_run=true${query}`, file)).problems.map(
        ({ code, path }: Record<string, string>) => `${code} ${path}`,
      );
    const foreign = { ...cohort, name: "Others", source: { ...source, url: "https://example.net/a" } };
    expect(await faults({ cohorts: [foreign] })).toEqual(["invalid_body cohorts[0].source.url"]);
    expect(await faults({ cohorts: [{ ...cohort, id_type: "device" }] })).toEqual(["invalid_body cohorts[0].id_type"]);
    expect(await faults({ cohorts: [cohort, { ...cohort, id: "coh_Twin" }] })).toContain(
      "duplicate_name cohorts[1].name",
    );
    const nobody = [{ name: "Nobody", rules: [{ match: { cohort: ["Nobody"] } }] }];
    expect(await faults({ segments: nobody })).toEqual(["invalid_body segments[0].rules[0].match.cohort[0]"]);
    const own = { id: (await client.get("/segments")).segments[0].id, name: "Strangers" };
    const kept = [{ ...own, rules: [{ not_match: { cohort: [id] } }] }];
    expect(await faults({ segments: kept }, "&prune=true")).toEqual([
      "cohort_not_found segments[0].rules[0].not_match.cohort[0]",
    ]);
  });
});

it("stays while a segment or a rollout names it", async () => {
  const { id } = await pushed();
  const rules = [{ match: { country: ["CH"] } }, { not_match: { cohort: [id] } }];
  const segment = await client.post("/segments", { name: "Strangers", rules });
  const refused = await client.send("DELETE", `/cohorts/${id}`);
  expect(refused.body).toMatchObject({
    statusCode: 409,
    errorCode: "cohort_in_use",
    message: expect.stringContaining('segment "Strangers"'),
  });
  await client.delete(`/segments/${segment.id}`);

  const flag = await createFlag(client);
  const conditions = [[{ selector: ["context", "user", "cohort_ids"], op: "set contains any", values: [id] }]];
  const rollout = { targeting: [{ name: "Buyers first", conditions, percentage: 0, weights: {} }] };
  await client.patch(`/feature-flags/${flag.id}`, { rollout });
  expect((await client.send("DELETE", `/cohorts/${id}`)).body).toMatchObject({
    errorCode: "cohort_in_use",
    message: expect.stringContaining(`feature flag "Login page"`),
  });
  await client.patch(`/feature-flags/${flag.id}`, { rollout: {} });
  await client.delete(`/cohorts/${id}`);
});

it("is named by segments only while it is there", async () => {
  const rules = [{ match: { cohort: ["coh_Nobody"] } }];
  expect((await client.send("POST", "/segments", { name: "Buyers", rules })).body).toMatchObject({
    errorCode: "invalid_segment_rules",
    message: expect.stringContaining("no cohort coh_Nobody"),
  });
});

it("is answered without a status while nobody can tell it", async () => {
  const { id } = await pushed();
  const COHORTS = {
    idFromName: (name: string) => name,
    get: () => ({ status: () => new Promise(() => {}), find: () => Promise.reject(new Error("gone")) }),
  };
  const cut = { ...client.env, COHORTS };
  const other = createClient({ vars: { ...cut, TENANTS: client.env.TENANTS } });
  const startedAt = Date.now();
  expect(await other.get(`/cohorts/${id}`)).toMatchObject({ id, name: "Buyers", status: null });
  expect(Date.now() - startedAt).toBeLessThan(2_000);
  expect((await other.get("/cohorts")).cohorts).toMatchObject([{ id, status: null }]);
  const refused = await other.send("GET", `/cohorts/${id}/members/a`);
  expect(refused.body).toMatchObject({ statusCode: 503, errorCode: "cohorts_unavailable" });
});

it("is refreshed on demand, unless nothing is fetched", async () => {
  const { id } = await client.post("/cohorts", { name: "Buyers", id_type: "user", source });
  const answer = await client.send("POST", `/cohorts/${id}/refresh`);
  expect(answer).toMatchObject({ status: 200, body: { size: 0, last_attempt_at: expect.any(String) } });
  // The list of this test's Worker is not that of the object's.
  await vi.waitFor(async () =>
    expect(await client.get(`/cohorts/${id}`)).toMatchObject({
      status: { state: "failing", error: expect.stringContaining("COHORT_HOSTS") },
    }),
  );
  const other = await pushed("Pushed");
  expect((await client.send("POST", `/cohorts/${other.id}/refresh`)).body).toMatchObject({
    statusCode: 400,
    errorCode: "cohort_not_fetched",
  });
  expect((await client.send("POST", "/cohorts/coh_Nobody/refresh")).status).toBe(404);
});

it("wants scopes as all resources do", async () => {
  const { id } = await pushed();
  const reader = await client.post("/tokens", { name: "Reader", scopes: ["read:experimentation"] });
  const headers = { authorization: `Bearer ${reader.token}` };
  const json = { ...headers, "content-type": "application/json" };
  expect((await client.send("GET", `/cohorts/${id}/members/a`, undefined, headers)).status).toBe(200);
  const refused = [
    await client.send("POST", `/cohorts/${id}/refresh`, undefined, headers),
    await client.send("PUT", `/cohorts/${id}/members`, '["a"]', json),
    await client.send("DELETE", `/cohorts/${id}`, undefined, headers),
  ];
  expect(refused.map(({ status, body }) => [status, body.errorCode])).toEqual(
    refused.map(() => [403, "insufficient_scope"]),
  );
});
