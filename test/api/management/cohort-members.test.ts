import { beforeEach, describe, expect, it, vi } from "vitest";
import { type Client, createClient } from "../client.ts";

let client: Client;
let id: string;
beforeEach(async () => {
  client = createClient({ vars: { COHORT_HOSTS: "data.example.com" } });
  ({ id } = await client.post("/cohorts", { name: "Buyers", id_type: "user", source: { type: "push" } }));
});

const json = { "content-type": "application/json" };

async function send(method: string, body: BodyInit, headers: Record<string, string> = json, query = "") {
  return client.send(method, `/cohorts/${id}/members${query}`, body, headers);
}

async function isMember(memberId: string): Promise<boolean> {
  const answer = await client.get(`/cohorts/${id}/members/${encodeURIComponent(memberId)}`);
  expect(answer).toEqual({ id: memberId, is_member: expect.any(Boolean), as_of: answer.as_of });
  return answer.is_member;
}

async function members(): Promise<string[]> {
  return (await client.get(`/cohorts/${id}/members?take=1000`)).members.sort();
}

it("are added, removed and replaced", async () => {
  expect(await send("PUT", '["a","b","c","b"]')).toMatchObject({
    status: 200,
    body: { added: 3, removed: 0, size: 3, skipped: 0 },
  });
  expect((await send("POST", '["c","d"]')).body).toEqual({ added: 1, removed: 0, size: 4, skipped: 0 });
  expect((await send("DELETE", '["a","x"]')).body).toEqual({ added: 0, removed: 1, size: 3, skipped: 0 });
  expect(await members()).toEqual(["b", "c", "d"]);
  expect((await send("PUT", '["d","e"]')).body).toEqual({ added: 1, removed: 2, size: 2, skipped: 0 });
  expect(await members()).toEqual(["d", "e"]);
  expect(await isMember("e")).toBe(true);
  expect(await isMember("b")).toBe(false);
  expect((await send("PUT", "[]")).body).toMatchObject({ removed: 2, size: 0 });
  const { status } = await client.get(`/cohorts/${id}`);
  expect(status).toMatchObject({ state: "ok", size: 0, refreshed_at: expect.any(String) });
});

it.each([
  ["a JSON array", "application/json; charset=utf-8", '["a", {"id": "b"}, 3]', ""],
  ["NDJSON", "application/x-ndjson", '"a"\n{"id":"b"}\n3\n', ""],
  ["CSV", "text/csv", 'name,id\nx,a\ny,"b"\nz,3\n', ""],
  ["CSV with a column of another name", "text/csv", "id,who\nx,a\ny,b\nz,3\n", "?field=who"],
])("come as %s", async (_, type, body, query) => {
  expect((await send("PUT", body, { "content-type": type }, query)).body).toMatchObject({ added: 3, skipped: 0 });
  expect(await members()).toEqual(["3", "a", "b"]);
});

it("come with gzip", async () => {
  const packed = new Response('["a","b"]').body?.pipeThrough(new CompressionStream("gzip"));
  const bytes = new Uint8Array(await new Response(packed).arrayBuffer());
  const answer = await send("PUT", bytes, { ...json, "content-encoding": "gzip" });
  expect(answer.body).toMatchObject({ added: 2 });
});

it("come in any number: beyond the limit of other bodies", async () => {
  const count = 100_000;
  const ids = Array.from({ length: count }, (_, index) => `member-number-${index}`);
  const body = JSON.stringify(ids);
  expect(body.length).toBeGreaterThan(1_048_576);
  expect((await send("PUT", body)).body).toEqual({ added: count, removed: 0, size: count, skipped: 0 });
  expect(await isMember("member-number-99999")).toBe(true);
  expect(await isMember("member-number-100000")).toBe(false);
  const look = await client.get(`/cohorts/${id}/members`);
  expect([look.members.length, look.size]).toEqual([25, count]);
  const all = await client.send("GET", `/cohorts/${id}/members`, undefined, { accept: "application/x-ndjson" });
  expect(all.headers.get("content-type")).toBe("application/x-ndjson; charset=utf-8");
  const lines = all.text.trimEnd().split("\n");
  expect(new Set(lines.map((line) => JSON.parse(line)))).toEqual(new Set(ids));
  expect(lines).toHaveLength(count);
}, 30_000);

it("may be called anything", async () => {
  const names = ["a/b", "ünï", "😀", "100%", "a b", "?x=1&y", "#", "__proto__", '"', "memberIds"];
  await send("PUT", JSON.stringify(names));
  for (const name of names) expect(await isMember(name)).toBe(true);
  expect(await isMember("a")).toBe(false);
  expect(await members()).toEqual([...names].sort());
});

it("are nobody before the first, since no time", async () => {
  expect(await client.get(`/cohorts/${id}/members`)).toEqual({ members: [], size: 0 });
  expect(await client.get(`/cohorts/${id}/members/a`)).toEqual({ id: "a", is_member: false, as_of: null });
});

it.each([undefined, ""])("says of an empty body how an empty list is sent (%j)", async (body) => {
  const answer = await client.send("PUT", `/cohorts/${id}/members`, body, json);
  const how = "The body is empty; an empty list is [], or in CSV its header.";
  expect(answer.body.message).toBe(`The members cannot be read; nothing was changed. ${how}`);
});

describe("what is refused changes nothing:", () => {
  it.each([
    ["what is not JSON", '["a", b]', json, 400, "invalid_members"],
    ["a list that breaks off", '["a", "b"', json, 400, "invalid_members"],
    ["nothing", "", json, 400, "invalid_members"],
    ["an object", '{"a": 1}', json, 400, "invalid_members"],
    ["a type that is not known", "a", { "content-type": "text/plain" }, 415, "unsupported_media_type"],
    ["a form", "a=b", { "content-type": "application/x-www-form-urlencoded" }, 415, "unsupported_media_type"],
    ["another encoding", "a", { ...json, "content-encoding": "br" }, 415, "unsupported_media_type"],
  ])("%s", async (_, body, headers, status, errorCode) => {
    await send("PUT", '["before"]');
    const answer = await send("PUT", body, headers);
    expect(answer.body).toMatchObject({ statusCode: status, errorCode });
    expect(await members()).toEqual(["before"]);
  });

  it("says where it is wrong", async () => {
    const body = '"a"\n"b"\n{"id"\n';
    const answer = await send("PUT", body, { "content-type": "application/x-ndjson" });
    expect(answer.body.message).toContain("line 3");
  });

  it("members of a cohort that is fetched, or is not there", async () => {
    const source = { type: "url", url: "https://data.example.com/a.csv", format: "csv" };
    const fetched = await client.post("/cohorts", { name: "Fetched", id_type: "user", source });
    for (const method of ["PUT", "POST", "DELETE"]) {
      const answer = await client.send(method, `/cohorts/${fetched.id}/members`, '["a"]', json);
      expect(answer.body).toMatchObject({ statusCode: 400, errorCode: "cohort_not_pushed" });
      expect((await client.send(method, "/cohorts/coh_Nobody/members", '["a"]', json)).status).toBe(404);
    }
  });
});

it("are found by the published index, and leave no change", async () => {
  await send("PUT", '["a","b"]');
  await vi.waitFor(
    async () =>
      expect((await client.published())?.cohorts.ready).toEqual({
        [id]: { id_type: "user", size: 2, refreshed_at: expect.any(String) },
      }),
    { timeout: 10_000 },
  );
  const { version, published } = await client.get("/snapshot");
  expect(published.version).toBe(version);
  const { changes } = await client.get("/changes");
  expect(changes.map(({ operation }: { operation: string }) => operation)).toEqual(["create_cohort"]);
  await client.delete(`/cohorts/${id}`);
  await vi.waitFor(async () => expect((await client.published()).cohorts.ready).toEqual({}), { timeout: 15_000 });
}, 30_000);
