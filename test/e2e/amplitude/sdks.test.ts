/** The real Amplitude SDKs, told nothing but our address: in Node, and in a browser on a page of another origin. */
import { createRequire } from "node:module";
import type * as JsClient from "@amplitude/experiment-js-client";
import { Experiment as NodeServer } from "@amplitude/experiment-node-server";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { listen } from "../../../scripts/demo/listen.ts";
import { type Chromium, launchChromium } from "../chromium.ts";
import { everything } from "./everything.ts";
import { type House, startHouse } from "./house.ts";

const require = createRequire(import.meta.url);
const bundle = require.resolve("@amplitude/experiment-js-client");

let house: House;
let chromium: Chromium;
let app: string;
let backEnd: string;
beforeAll(async () => {
  [house, chromium] = await Promise.all([startHouse(everything), launchChromium()]);
  app = house.keys.App ?? "";
  backEnd = house.keys["Back end"] ?? "";
  await house.replaceMembers("coh_Members", ["user-1", "user-7"]);
});
afterAll(async () => {
  await chromium.close();
  await house.close();
});
beforeEach(() => void house.takeAsked());
afterEach(() => house.answerWith(null));

type Variants = Record<string, { key?: string; value?: string; payload?: unknown }>;
const keysOf = (variants: Variants) =>
  Object.fromEntries(Object.entries(variants).map(([flag, { key }]) => [flag, key]));

/** What we say to plain HTTP. */
async function told(user: object): Promise<Record<string, string | undefined>> {
  const encoded = Buffer.from(JSON.stringify(user)).toString("base64url");
  const headers = { authorization: `Api-Key ${app}`, "x-amp-exp-user": encoded, "x-amp-exp-track": "no-track" };
  return keysOf((await (await fetch(`${house.directUrl}/sdk/v2/vardata`, { headers })).json()) as Variants);
}
const asked = () => house.takeAsked().map(({ method, path, status }) => `${method} ${path} ${status}`);
/** A device that takes part in `by_segment`, and is in that experiment's statistics for the first time. */
let devices = 0;
const newDevice = () => `sdk-device-${process.pid}-${++devices}`;

describe("experiment-js-client in Node", () => {
  function start(options: JsClient.ExperimentConfig = {}) {
    // A client is remembered by its key and instance.
    const { Experiment }: typeof JsClient = require(bundle);
    const exposures: JsClient.Exposure[] = [];
    const client = Experiment.initialize(app, {
      serverUrl: house.url,
      flagsServerUrl: house.url,
      instanceName: newDevice(),
      pollOnStart: false,
      exposureTrackingProvider: { track: (exposure) => void exposures.push(exposure) },
      ...options,
    });
    return { client, exposures };
  }

  /** What a browser has and Node has not: the SDK keeps variants there. */
  beforeAll(() => {
    const kept = new Map<string, string>();
    const storage = {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => void kept.set(key, value),
      removeItem: (key: string) => void kept.delete(key),
    };
    Object.assign(globalThis, { localStorage: storage, sessionStorage: storage });
  });

  it("starts, gives variants and fallbacks, and tells exposures that reach the queue", async () => {
    const { client, exposures } = start();
    const user = { device_id: newDevice(), user_id: "user-1", user_properties: { plan: "pro" } };
    await client.start(user);
    expect(asked().toSorted()).toEqual(["GET /sdk/v2/flags 200", "GET /sdk/v2/vardata?v=0 200"]);
    const expected = await told({ ...user, library: "", platform: "Web" });
    const variant = client.variant("by_segment", "fallback");
    expect(variant).toMatchObject({ key: expected.by_segment, payload: { note: "ü" } });
    expect(expected.by_segment).toBe("b");
    expect(client.variant("none", "fallback").value).toBe("fallback");
    expect(client.variant("insiders").key).toBe("on");

    const before = house.counts()["exposure:exp_BySegment"] ?? 0;
    const events = exposures.map((exposure) => ({
      event_type: "$exposure",
      event_properties: exposure,
      insert_id: newDevice(),
      ...user,
    }));
    expect(exposures[0]).toMatchObject({
      flag_key: "by_segment",
      variant: "b",
      experiment_key: "exp_BySegment",
      metadata: { epoch: 1 },
    });
    const body = JSON.stringify({ api_key: app, events });
    expect((await fetch(`${house.url}/2/httpapi`, { method: "POST", body })).status).toBe(200);
    await house.untilCounted("exposure:exp_BySegment", before + 1);
    client.stop();
  });

  it("asks for another user, and for some flags alone", async () => {
    const { client } = start({ fetchOnStart: false });
    const [one, other] = [{ user_id: "user-1" }, { user_id: "user-2", device_id: newDevice(), country: "DE" }];
    await client.start(one);
    await client.fetch(one);
    expect(client.variant("insiders").key).toBe("on");
    await client.fetch(other);
    const expected = await told({ ...other, platform: "Web", device_category: "desktop", language: "en-US" });
    for (const flag of Object.keys(expected)) {
      expect([flag, client.variant(flag).key ?? "off"]).toEqual([flag, expected[flag]]);
    }
    house.takeAsked();
    await client.fetch(one, { flagKeys: ["insiders"] });
    expect(asked()).toEqual(["GET /sdk/v2/vardata?v=0 200"]);
    expect([client.variant("insiders").key, client.variant("by_user").key ?? "off"]).toEqual(["on", expected.by_user]);
    client.stop();
  });

  it("keeps to its fallback where there is no such key, and asks but once", async () => {
    const { Experiment }: typeof JsClient = require(bundle);
    const client = Experiment.initialize("client-of-nobody", {
      serverUrl: `${house.url}/`,
      flagsServerUrl: `${house.url}/`,
      instanceName: newDevice(),
      pollOnStart: false,
      logLevel: 0,
    });
    await client.start({ user_id: "user-1" });
    expect(client.variant("insiders", "fallback").value).toBe("fallback");
    const seen: string[] = [];
    const both = ["GET //sdk/v2/flags 401", "GET //sdk/v2/vardata?v=0 401"];
    await expect.poll(() => seen.push(...asked()) && seen.toSorted()).toEqual(both);
    client.stop();
  });
});

describe("experiment-js-client in Chromium", () => {
  it("does the same on a page of another origin, preflights and all", async () => {
    const context = await chromium.newVisitor();
    const page = await context.newPage();
    const faults: string[] = [];
    page.on("console", (line) => line.type() === "error" && faults.push(line.text()));
    page.on("pageerror", (error) => faults.push(String(error)));
    const app = await listen(0, (_, answer) => answer.setHeader("content-type", "text/html").end("<!doctype html>"));
    await page.goto(`http://localhost:${app.port}/`);
    await page.addScriptTag({ path: bundle });
    const before = house.counts()["exposure:exp_BySegment"] ?? 0;
    const seen = await page.evaluate(
      async ({ key, url, device }) => {
        const { Experiment } = (globalThis as unknown as { Experiment: typeof JsClient }).Experiment;
        const sent: Promise<number>[] = [];
        const client = Experiment.initialize(key, {
          serverUrl: url,
          flagsServerUrl: url,
          pollOnStart: false,
          exposureTrackingProvider: {
            track: (exposure) => {
              const event = {
                event_type: "$exposure",
                event_properties: exposure,
                device_id: device,
                insert_id: device,
              };
              const init = {
                method: "POST",
                headers: { "content-type": "application/json" },
                body: JSON.stringify({ api_key: key, events: [event] }),
              };
              sent.push(fetch(`${url}/2/httpapi`, init).then(({ status }) => status));
            },
          },
        });
        await client.start({ device_id: device, user_id: "user-1" });
        const variant = client.variant("by_segment");
        const fallback = client.variant("none", "fallback").value;
        await client.fetch({ user_id: "user-3", device_id: device, country: "DE" });
        const changed = client.variant("by_segment").key;
        return { variant, fallback, changed, statuses: await Promise.all(sent) };
      },
      { key: house.keys.App ?? "", url: house.url, device: newDevice() },
    );
    expect(seen.variant).toMatchObject({ key: "b", metadata: { experimentKey: "exp_BySegment" } });
    expect([seen.fallback, seen.changed]).toEqual(["fallback", "a"]);
    expect(new Set(seen.statuses)).toEqual(new Set([200]));
    await house.untilCounted("exposure:exp_BySegment", before + seen.statuses.length);
    expect(faults).toEqual([]);
    expect(new Set(asked().map((line) => line.replace(/\?.*? /, " ")))).toEqual(
      new Set([
        "OPTIONS /sdk/v2/flags 204",
        "GET /sdk/v2/flags 200",
        "OPTIONS /sdk/v2/vardata 204",
        "GET /sdk/v2/vardata 200",
        "OPTIONS /2/httpapi 204",
        "POST /2/httpapi 200",
      ]),
    );
    await context.close();
    await app.close();
  });
});

describe("experiment-node-server", () => {
  it("fetches from afar, with keys and tracking", async () => {
    const client = NodeServer.initializeRemote(backEnd, { serverUrl: house.url, instanceName: newDevice() });
    const assigned = house.counts()["assignment:exp_BySegment"] ?? 0;
    const user = { user_id: "user-1", device_id: newDevice(), platform: "iOS" };
    const all = keysOf(await client.fetchV2(user));
    expect(all).toMatchObject({ insiders: "on", by_segment: "b" });
    await house.untilCounted("assignment:exp_BySegment", assigned + 1);
    const silent = { user_id: "user-7", device_id: newDevice() };
    const before = house.counts();
    const some = await client.fetchV2(silent, {
      flagKeys: ["by_segment"],
      tracksAssignment: false,
      tracksExposure: true,
    });
    expect(keysOf(some)).toEqual({ by_segment: "b" });
    await house.untilCounted("exposure:exp_BySegment", (before["exposure:exp_BySegment"] ?? 0) + 1);
  });

  it("evaluates by itself, polls where it may not stream, and tells what it has assigned", async () => {
    const tracked = {
      apiKey: backEnd,
      serverUrl: `${house.url}/2/httpapi`,
      flushIntervalMillis: 50,
      flushQueueSize: 1,
    };
    const client = NodeServer.initializeLocal(backEnd, {
      serverUrl: house.url,
      streamUpdates: true,
      streamServerUrl: house.url,
      cohortSyncConfig: { apiKey: backEnd, secretKey: backEnd, cohortServerUrl: house.url },
      assignmentConfig: tracked,
      exposureConfig: tracked,
    });
    await client.start();
    expect(asked()).toEqual([
      "GET /sdk/stream/v1/flags 501",
      "GET /sdk/v2/flags 200",
      "GET /sdk/v1/cohort/coh_Members?maxCohortSize=2147483647 200",
    ]);
    const before = house.counts();
    const user = { user_id: "user-1", device_id: newDevice() };
    const variants = keysOf(client.evaluateV2(user, ["by_segment"], { tracksExposure: true }));
    expect(variants).toEqual({ by_segment: "b" });
    await house.untilCounted("assignment:exp_BySegment", (before["assignment:exp_BySegment"] ?? 0) + 1);
    await house.untilCounted("exposure:exp_BySegment", (before["exposure:exp_BySegment"] ?? 0) + 1);
    client.stop();
  });

  it("is told of a cohort what it is: unchanged, too big, not for this key", async () => {
    const ask = async (query: string, key = backEnd, secret = key) => {
      const authorization = `Basic ${Buffer.from(`${key}:${secret}`).toString("base64")}`;
      const response = await fetch(`${house.url}/sdk/v1/cohort/${query}`, { headers: { authorization } });
      return { status: response.status, text: await response.text() };
    };
    const { status, text } = await ask("coh_Members?maxCohortSize=2");
    expect(status).toBe(200);
    expect(text).toMatch(
      /^\{"cohortId":"coh_Members","groupType":"User","groupTypeId":0,"lastComputed":\d+,"lastModified":\d+,"size":2,"memberIds":\["user-[17]","user-[17]"\]\}$/,
    );
    const { lastModified } = JSON.parse(text);
    expect(await ask(`coh_Members?maxCohortSize=2&lastModified=${lastModified}`)).toEqual({ status: 204, text: "" });
    expect((await ask(`coh_Members?lastModified=${lastModified - 1}`)).status).toBe(200);
    expect((await ask("coh_Members?maxCohortSize=1")).status).toBe(413);
    expect((await ask("coh_Nobody?maxCohortSize=1")).status).toBe(404);
    expect((await ask("%ff")).status).toBe(404);
    expect((await ask("coh_Members", app)).status).toBe(403);
    for (const [key, secret] of [
      [backEnd, "other"],
      ["nobody", "nobody"],
      ["", ""],
    ] as const) {
      expect((await ask("coh_Members", key, secret)).status).toBe(401);
    }
  });
});

/** What is refused, by asking with nothing of ours in between. */
describe("no SDK asks again and again", () => {
  const quick = { fetchRetries: 3, fetchRetryBackoffMinMillis: 1, fetchRetryBackoffMaxMillis: 1 };
  const failing = async (key: string, user: object = { user_id: "u" }) => {
    house.takeAsked();
    // A client is remembered by its instance and key.
    const own = { instanceName: newDevice(), logLevel: 0, ...quick };
    const client = NodeServer.initializeRemote(key, { serverUrl: house.url, ...own });
    const sinceMs = performance.now();
    await expect(client.fetchV2(user)).rejects.toThrow();
    expect(performance.now() - sinceMs).toBeLessThan(2_000);
    return asked();
  };

  it("for an unknown key, or a user without an id", async () => {
    expect(await failing("nobody's")).toEqual(["GET /sdk/v2/vardata?v=0 401"]);
    expect(await failing(backEnd, { user_properties: {} })).toEqual(["GET /sdk/v2/vardata?v=0 400"]);
  });

  it("with events for a key that is nobody's", async () => {
    const tracked = { serverUrl: `${house.url}/2/httpapi`, flushIntervalMillis: 10, flushQueueSize: 1 };
    const silent = { logLevel: 0, apiKey: "nobody's", ...tracked };
    const own = { instanceName: newDevice(), logLevel: 0 };
    const client = NodeServer.initializeLocal(backEnd, { serverUrl: house.url, assignmentConfig: silent, ...own });
    await client.start();
    house.takeAsked();
    client.evaluateV2({ user_id: "user-1", device_id: newDevice() });
    const seen: string[] = [];
    await expect.poll(() => seen.push(...asked()) && seen).toEqual(["POST /2/httpapi 401"]);
    // Ten times as long as it would take to send them again.
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(asked()).toEqual([]);
    client.stop();
  });

  it.each([400, 401, 403, 404, 405, 413])("for %i, whatever it is of", async (status) => {
    house.answerWith(status);
    expect(await failing(backEnd)).toEqual([`GET /sdk/v2/vardata?v=0 ${status}`]);
  });

  it.each([204, 302, 429, 503])("though it would for %i, which is why no variants come with it", async (status) => {
    house.answerWith(status);
    expect(await failing(backEnd)).toHaveLength(4);
  });
});
