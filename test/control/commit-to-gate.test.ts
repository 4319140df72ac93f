import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import worker from "../../src/worker.ts";
import { adminHost, type Client, createClient } from "../api/client.ts";
import { bodyOf, createFlag } from "../api/experiment-stage.ts";

const loginHost = "login.example.com";
/** As `npm start` sets it. */
const freshSeconds = "0.1";

let client: Client;
let stamped: (string | null)[];
beforeEach(() => {
  client = createClient({
    tenant: { hosts: [adminHost, loginHost], device_cookie: "did" },
    vars: { SNAPSHOT_FRESH_SECONDS: freshSeconds },
  });
  stamped = [];
  vi.stubGlobal("fetch", async (input: RequestInfo, init?: RequestInit) => {
    stamped.push(new Request(input, init).headers.get("x-experiment-id"));
    return new Response("<!doctype html>", { headers: { "content-type": "text/html" } });
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** One page through the gate: the experiments it is stamped with. */
async function visit(): Promise<string | null> {
  const request = new Request(`https://${loginHost}/login`, {
    headers: {
      cookie: "did=somebody",
      accept: "text/html",
      "sec-fetch-dest": "document",
      "sec-fetch-mode": "navigate",
    },
  });
  const ctx = createExecutionContext();
  await worker.fetch(request as Parameters<typeof worker.fetch>[0], client.env, ctx);
  await waitOnExecutionContext(ctx);
  return stamped.at(-1) ?? null;
}

async function activate(): Promise<string> {
  const flag = await createFlag(client);
  const { id } = await client.post("/experiments", bodyOf(flag));
  expect(await visit()).toBeNull();
  await client.post(`/experiments/${id}/status`, { status: "active" });
  return id;
}

it("an activation is stamped within 2 s, at a gate that is asked all the while", async () => {
  const id = await activate();
  const committedAt = Date.now();
  await vi.waitFor(async () => expect(await visit()).toBe(id), { timeout: 5_000, interval: 50 });
  expect(Date.now() - committedAt).toBeLessThan(2_000);
  await client.post(`/experiments/${id}/status`, { status: "paused" });
  const pausedAt = Date.now();
  await vi.waitFor(async () => expect(await visit()).toBeNull(), { timeout: 5_000, interval: 50 });
  expect(Date.now() - pausedAt).toBeLessThan(2_000);
}, 15_000);

it("one who looks once, 2 s after the activation, sees it", async () => {
  // The gate takes its clock when it is made.
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
  const id = await activate();
  vi.setSystemTime(Date.now() + 1_000);
  await vi.waitFor(async () => expect((await client.get("/snapshot")).pending).toBeNull(), { timeout: 5_000 });
  vi.setSystemTime(Date.now() + 1_000);
  expect(await visit()).toBe(id);
}, 15_000);
