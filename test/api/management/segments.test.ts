import { beforeEach, expect, it, vi } from "vitest";
import { type Client, createClient } from "../client.ts";
import { expectRefusal } from "./refusal.ts";

const rules = [{ match: { device_type: ["mobile"] } }];

let client: Client;
beforeEach(() => {
  client = createClient();
});

it("keeps a segment, changes it and lets go of it", async () => {
  const made = await client.send("POST", "/segments", { name: "Phones", rules });
  expect(made.status).toBe(201);
  expect(made.body).toEqual({
    id: expect.stringMatching(/^seg_[A-HJ-NP-Za-km-z1-9]+$/),
    name: "Phones",
    type: "self",
    rules,
    created_at: expect.any(String),
    updated_at: made.body.created_at,
  });
  const { id } = made.body;
  expect(await client.get(`/segments/${id}`)).toEqual(made.body);
  const changed = await client.patch(`/segments/${id}`, { description: "Small screens" });
  expect(changed).toEqual({ ...made.body, description: "Small screens", updated_at: changed.updated_at });
  expect((await client.send("DELETE", `/segments/${id}`)).status).toBe(204);
  expect((await client.send("DELETE", `/segments/${id}`)).status).toBe(204);
  expect((await client.send("GET", `/segments/${id}`)).body).toMatchObject({
    statusCode: 404,
    error: "Not Found",
    message: "Segment not found.",
    errorCode: "segment_not_found",
  });
});

it("says which rule cannot be evaluated, and why", async () => {
  await client.post("/segments", { name: "Phones", rules });
  const attributes = ["client_id", "connection", "domain", "browser", "platform", "user_agent", "region"];
  const not_match = Object.fromEntries(attributes.map((name) => [name, { starts_with: ["x"] }]));
  const refused = await client.send("POST", "/segments", { name: "Robots", rules: [...rules, { not_match }] });
  const says =
    /evaluated\. rules\[1\]: not_match may use starts_with and ends_with on at most 6 attributes of a rule\.$/;
  expectRefusal(refused, 400, "invalid_segment_rules", says);
});

it("is published", async () => {
  await client.post("/segments", { name: "Phones", rules });
  await vi.waitFor(async () => expect(await client.published()).toMatchObject({ version: 1 }));
});

it("pages", async () => {
  for (let index = 0; index < 5; index++) await client.post("/segments", { name: `Number ${index}`, rules });
  const first = await client.get("/segments?take=2");
  expect(first.segments.map(({ name }: { name: string }) => name)).toEqual(["Number 0", "Number 1"]);
  const last = await client.get(`/segments?take=3&from=${first.next}`);
  expect(last.segments).toHaveLength(3);
  expect(last).not.toHaveProperty("next");
});
