import { expect, it, vi } from "vitest";
import { type Client, createClient } from "../client.ts";

const segment = (name: string) => ({ name, rules: [{ match: { device_type: ["mobile"] } }] });

const settled = (client: Client) =>
  vi.waitFor(
    async () => {
      const publication = await client.get("/snapshot");
      expect(publication.pending).toBeNull();
      return publication;
    },
    { timeout: 4_000 },
  );

it("shows the snapshot that is committed, and that it is published", async () => {
  const client = createClient();
  const empty = { version: 0, committed_at: null, published: null, pending: null, snapshot: null };
  expect(await client.get("/snapshot")).toEqual(empty);
  const { created_at } = await client.post("/segments", segment("Phones"));
  const publication = await settled(client);
  const bytes = JSON.stringify(publication.snapshot).length;
  expect(publication).toEqual({
    version: 1,
    committed_at: created_at,
    published: { version: 1, at: expect.any(String), bytes },
    pending: null,
    snapshot: await client.published(),
  });
  expect(await client.get("/snapshot?include_snapshot=false")).toEqual({ ...publication, snapshot: null });
});

it("counts commits: not what is read, refused or without effect", async () => {
  const client = createClient();
  const { id } = await client.post("/segments", segment("Phones"));
  await client.get("/segments");
  expect((await client.send("POST", "/segments", segment("Phones"))).status).toBe(409);
  await client.delete("/segments/seg_1");
  expect((await client.get("/snapshot")).version).toBe(1);
  await client.patch(`/segments/${id}`, { name: "Phones" });
  expect((await client.get("/snapshot")).version).toBe(2);
});

it("a token is nothing the edge needs to know", async () => {
  const client = createClient();
  await client.post("/tokens", { name: "Reader", scopes: ["read:experimentation"] });
  expect(await client.get("/snapshot")).toMatchObject({ version: 0, published: null });
});

it("takes no query", async () => {
  const answer = await createClient().send("GET", "/snapshot?version=1");
  expect(answer).toMatchObject({ status: 400, body: { errorCode: "invalid_query_string" } });
  expect(answer.body.message).toContain("version");
});
