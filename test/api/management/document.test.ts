import { expect, it } from "vitest";
import committed from "../../../src/assets/openapi.json";
import { createClient } from "../client.ts";

it("is served to whoever asks, token or none", async () => {
  const { status, headers, body } = await createClient({ token: "nobody's" }).send("GET", "/openapi.json");
  expect(status).toBe(200);
  expect(headers.get("content-type")).toMatch(/^application\/json/);
  expect(body).toEqual(committed);
});

it("is not sent again to who has it", async () => {
  const client = createClient();
  const first = await client.send("GET", "/openapi.json");
  const again = await client.send("GET", "/openapi.json", undefined, {
    "if-none-match": first.headers.get("etag") ?? "",
  });
  expect(again.status).toBe(304);
  const head = await client.send("HEAD", "/openapi.json");
  expect([head.status, head.text]).toEqual([200, ""]);
});

it("is nowhere where assets are not bound", async () => {
  const { status, body } = await createClient({ vars: { ASSETS: undefined } }).send("GET", "/openapi.json");
  expect([status, body.errorCode]).toEqual([404, "address_not_found"]);
});
