import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { experiment, flag, segment, variation, variations } from "../../model/resources.ts";
import { createFetchStage, everywhere, type FetchStage, keys } from "../serving/stage.ts";

const of = {
  feature_flags: [
    flag({ deployments: everywhere }),
    flag({ id: "flg_Other", key: "other", name: "Other", deployments: everywhere }),
    flag({ id: "flg_Hidden", key: "hidden", name: "Hidden" }),
  ],
  variations: [
    ...variations,
    ...["on", "not"].map((key) => variation(key, { id: `var_o${key}`, feature_flag_id: "flg_Other" })),
    ...["on", "not"].map((key) => variation(key, { id: `var_h${key}`, feature_flag_id: "flg_Hidden" })),
  ],
  experiments: [
    experiment({ epoch: 4 }),
    experiment({
      id: "exp_Before",
      name: "Before",
      status: "completed",
      epoch: 2,
      allocation_strategy: "segment",
      allocations: [
        { variation_id: "var_b", segment_id: "seg_S", priority: 1, is_control: false },
        { variation_id: "var_a", is_control: true, is_fallback: true },
      ],
    }),
    experiment({
      id: "exp_Other",
      name: "Other",
      feature_flag_id: "flg_Other",
      assignment_config: { subject: "user" },
      status: "paused",
      allocations: [
        { variation_id: "var_oon", weight: 50, is_control: true },
        { variation_id: "var_onot", weight: 50, is_control: false },
      ],
    }),
    experiment({ id: "exp_Draft", name: "Draft", status: "draft" }),
    experiment({
      id: "exp_Hidden",
      name: "Hidden",
      feature_flag_id: "flg_Hidden",
      allocations: [
        { variation_id: "var_hon", weight: 50, is_control: true },
        { variation_id: "var_hnot", weight: 50, is_control: false },
      ],
    }),
  ],
  segments: [segment("S", [{ match: { platform: ["ios"] } }])],
};

let stage: FetchStage;
beforeAll(async () => {
  stage = createFetchStage();
  await stage.publish(of);
});
beforeEach(() => void stage.takeEvents());

const send = (
  body: unknown,
  { path = "/2/httpapi", to = stage, ...init }: RequestInit & { path?: string; to?: FetchStage } = {},
) =>
  to.ask(path, {
    method: "POST",
    key: null,
    body: typeof body === "string" || body instanceof Uint8Array ? (body as BodyInit) : JSON.stringify(body),
    ...init,
  });
const sendEvents = (events: unknown[], init?: Parameters<typeof send>[1]) =>
  send({ api_key: keys.client, events, options: {} }, init);
let person = 0;
const somebody = () => ({ device_id: `device-${++person}` });
/** What comes of one event. */
async function told(event: object) {
  const response = await sendEvents([{ event_type: "$exposure", ...somebody(), ...event }]);
  expect(response.status).toBe(200);
  return stage.takeEvents();
}
const exposure = (properties: object) => told({ event_properties: properties });

describe("events that are counted", () => {
  it.each([
    ["$exposure", { flag_key: "page", variant: "a", experiment_key: "exp_Page" }],
    ["[Experiment] Exposure", { flag_key: "page", variant: "a" }],
    ["[Experiment] Exposure", { "[Experiment] Flag Key": "page", "[Experiment] Variant": "a" }],
  ])("an exposure, %s %j", async (event_type, event_properties) => {
    const [event, ...more] = await told({
      event_type,
      event_properties,
      platform: "Web",
      app_version: "1.2",
      time: Date.now() - 5_000,
    });
    expect(more).toEqual([]);
    expect(event).toMatchObject({
      type: "exposure",
      tenant: stage.tenant,
      experiment_id: "exp_Page",
      flag_key: "page",
      variation_id: "var_a",
      epoch: 4,
      method: "auto",
      subject_kind: "device",
      source: "amplitude",
      deployment: "dep_Client",
      attributes: { platform: "web", app_version: "1.2" },
    });
    expect(Date.now() - Date.parse(event?.at ?? "")).toBeGreaterThanOrEqual(5_000);
  });

  it("any event that names a flag and a variant, as an app's own exposure", async () => {
    const [event] = await told({ event_type: "Checkout viewed", event_properties: { flag_key: "page", variant: "b" } });
    expect(event).toMatchObject({ type: "exposure", source: "ingest", variation_id: "var_b" });
  });

  it("what a server has assigned, each flag by itself", async () => {
    const events = await told({
      event_type: "[Experiment] Assignment",
      user_id: "somebody@example.com",
      event_properties: {
        "page.variant": "b",
        "page.details": "v9 rule:individual-inclusions",
        "other.variant": "on",
        "hidden.variant": "on",
        "holdout-q1.variant": "on",
        "none.variant": "off",
      },
      user_properties: { $set: { "[Experiment] page": "b" } },
    });
    expect(events.map(({ type, experiment_id, method }) => [type, experiment_id, method])).toEqual([
      ["assignment", "exp_Page", "inclusion"],
      ["identity", "exp_Page", "inclusion"],
    ]);
  });

  it("in the epoch, by the experiment and the segment that the client was given the variant in", async () => {
    const metadata = { epoch: 3, segmentName: "Segment S", segmentId: "seg_S", flagVersion: 1 };
    expect(await exposure({ flag_key: "page", variant: "a", metadata })).toMatchObject([{ epoch: 3 }]);
    expect((await exposure({ flag_key: "page", variant: "a", metadata }))[0]).not.toHaveProperty("segment_id");
    for (const epoch of [0, 5, 1.5, "3", null, {}]) {
      expect(await exposure({ flag_key: "page", variant: "a", metadata: { epoch } })).toMatchObject([{ epoch: 4 }]);
    }
    const before = {
      flag_key: "page",
      variant: "b",
      experiment_key: "exp_Before",
      metadata: { ...metadata, epoch: 1 },
    };
    expect(await exposure(before)).toMatchObject([{ experiment_id: "exp_Before", epoch: 1, segment_id: "seg_S" }]);
  });

  it("of the id that the experiment goes by, and of nobody without", async () => {
    const event_properties = { flag_key: "other", variant: "on", experiment_key: "exp_Other" };
    expect(await exposure(event_properties)).toEqual([]);
    const events = await told({ user_id: "somebody@example.com", event_properties });
    expect(events.map(({ type, subject_kind }) => [type, subject_kind])).toEqual([
      ["exposure", "user"],
      ["identity", "device"],
    ]);
    expect(JSON.stringify(events)).not.toContain("somebody@");
  });

  it("under the same id however often they are sent, apart by flag and by tenant", async () => {
    const event = { ...somebody(), insert_id: "id ".repeat(100), event_properties: { flag_key: "page", variant: "a" } };
    const [first] = await told(event);
    const [second] = await told(event);
    expect(first?.id).toBe(second?.id);
    expect(first?.id.length).toBeLessThanOrEqual(128);
    const [another] = await told({ ...event, insert_id: "other" });
    expect(another?.id).not.toBe(first?.id);
    const elsewhere = createFetchStage();
    await elsewhere.publish(of);
    await sendEvents([{ event_type: "$exposure", ...event }], { to: elsewhere });
    expect(elsewhere.takeEvents()[0]?.id).not.toBe(first?.id);
    // Without an id of the client's, once a day.
    const nameless = { ...somebody(), event_properties: { flag_key: "page", variant: "a" } };
    expect((await told(nameless)).length + (await told(nameless)).length).toBe(1);
  });

  it("at a time that may be", async () => {
    for (const time of [Number.NaN, 1e300, -1, "yesterday", Date.now() + 1e9, 0, null]) {
      const [event] = await told({ time, event_properties: { flag_key: "page", variant: "a" } });
      expect(Math.abs(Date.now() - Date.parse(event?.at ?? ""))).toBeLessThan(60_000);
    }
  });

  it("compressed, by either address, with or without a type", async () => {
    const body = JSON.stringify({
      api_key: keys.server,
      events: [{ event_type: "$exposure", ...somebody(), event_properties: { flag_key: "page", variant: "a" } }],
    });
    const stream = new Blob([body]).stream().pipeThrough(new CompressionStream("gzip"));
    const packed = new Uint8Array(await new Response(stream).arrayBuffer());
    const response = await send(packed, { path: "/batch", headers: { "content-encoding": "gzip" } });
    expect([response.status, stage.takeEvents().length]).toEqual([200, 1]);
  });
});

describe("events that are not", () => {
  it.each([
    ["a fallback", { flag_key: "page", variant: "a", metadata: { default: true } }],
    ["no variant", { flag_key: "page" }],
    ["off", { flag_key: "page", variant: "off" }],
    [
      "a forced variation",
      { flag_key: "page", variant: "c", metadata: { segmentName: "forced", trackExposure: false } },
    ],
    ["no variation of the experiment's", { flag_key: "page", variant: "on" }],
    ["a flag of no deployment", { flag_key: "hidden", variant: "on" }],
    ["an unknown flag", { flag_key: "none", variant: "a" }],
    ["an unknown experiment", { flag_key: "page", variant: "a", experiment_key: "exp_None" }],
    ["another flag's experiment", { flag_key: "page", variant: "a", experiment_key: "exp_Other" }],
    ["a draft", { flag_key: "page", variant: "a", experiment_key: "exp_Draft" }],
    ["no text", { flag_key: ["page"], variant: { a: 1 } }],
    ["a prototype", { flag_key: "__proto__", variant: "constructor" }],
  ])("%s", async (_, properties) => {
    expect(await exposure(properties)).toEqual([]);
  });

  it("what QA forces by the query of the address", async () => {
    const exposureOf = (event_properties: object) => ({
      event_type: "$exposure",
      ...somebody(),
      user_id: "forced-elsewhere",
      event_properties,
    });
    const events = [
      exposureOf({ flag_key: "page", variant: "a" }),
      exposureOf({ flag_key: "other", variant: "on", experiment_key: "exp_Other" }),
    ];
    await sendEvents(events);
    const seen = new Set(stage.takeEvents().map(({ experiment_id }) => experiment_id));
    expect(seen).toEqual(new Set(["exp_Page", "exp_Other"]));
    expect((await sendEvents(events, { path: "/2/httpapi?experiment_id=exp_Page&variation_id=var_a" })).status).toBe(
      200,
    );
    expect(stage.takeEvents()).toEqual([]);
  });

  it.each([
    ["$identify", { user_properties: { $set: { plan: "pro" } } }],
    ["page_view", { event_properties: { path: "/" } }],
    ["page_view", { event_properties: [1, 2] }],
    ["page_view", { event_properties: "text" }],
    ["[Experiment] Assignment", { event_properties: null }],
  ])("%s %j, which is accepted all the same", async (event_type, event) => {
    expect(await told({ event_type, ...event })).toEqual([]);
  });
});

describe("answers", () => {
  it("say what was taken", async () => {
    const body = JSON.stringify({
      api_key: keys.client,
      events: [
        { event_type: "a", user_id: "u" },
        { event_type: "b", user_id: "ü" },
      ],
    });
    const response = await send(body);
    expect(await response.json()).toEqual({
      code: 200,
      events_ingested: 2,
      payload_size_bytes: new TextEncoder().encode(body).length,
      server_upload_time: expect.any(Number),
    });
    expect((await sendEvents([])).status).toBe(200);
  });

  it.each([
    ["{", 400, { error: "Invalid JSON request body" }],
    ["[]", 400, { error: "Invalid JSON request body" }],
    [JSON.stringify({ events: [] }), 400, { missing_field: "api_key" }],
    [JSON.stringify({ api_key: keys.client }), 400, { missing_field: "events" }],
    [JSON.stringify({ api_key: 7, events: [] }), 400, { missing_field: "api_key" }],
    [JSON.stringify({ api_key: "nobody's", events: [] }), 401, { error: expect.stringMatching(/^Invalid API key/) }],
    [
      JSON.stringify({ api_key: "k".repeat(999), events: [] }),
      401,
      { error: expect.stringMatching(/^Invalid API key/) },
    ],
    [`{"api_key":"${keys.client}","events":"${"x".repeat(1_100_000)}"}`, 413, { error: "Payload too large" }],
    [JSON.stringify({ api_key: keys.client, events: Array(2_001).fill({}) }), 413, {}],
  ])("%.60s is refused: %i %j", async (body, status, expected) => {
    const response = await send(body);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ code: status, ...expected });
  });

  it("name the events that lack something", async () => {
    const response = await sendEvents([
      { event_type: "a", user_id: "u" },
      { user_id: "u" },
      { event_type: "a" },
      7,
      { event_type: "a", user_id: "", device_id: null },
    ]);
    expect([response.status, await response.json()]).toEqual([
      400,
      {
        code: 400,
        error: "Request missing required field",
        events_with_invalid_fields: { event: [3] },
        events_with_missing_fields: { event_type: [1], user_id: [2, 4], device_id: [2, 4] },
      },
    ]);
  });

  it("tell clients to drop what comes too often, and to keep what cannot be taken now", async () => {
    const busy = createFetchStage({ vars: { FETCH_RATE: "1" } });
    await busy.publish(of);
    const event = { event_type: "a", user_id: "u" };
    for (let count = 0; count < 10; count++) await sendEvents([event], { to: busy });
    const shed = await sendEvents([event, event], { to: busy });
    expect([shed.status, await shed.json()]).toEqual([403, expect.objectContaining({ silenced_events: [0, 1] })]);

    vi.spyOn(console, "warn").mockImplementation(() => {});
    const down = createFetchStage();
    down.restart({ isDown: true });
    expect((await sendEvents([event], { to: down })).status).toBe(503);
    vi.restoreAllMocks();
  });

  it("are a promise: while the queue takes nothing, clients keep what they have", async () => {
    const error = vi.spyOn(console, "error").mockImplementation(() => {});
    const event = { event_type: "$exposure", ...somebody(), event_properties: { flag_key: "page", variant: "a" } };
    const queue = stage.env.EVENTS;
    stage.env.EVENTS = { sendBatch: async () => Promise.reject(new Error("down")) } as unknown as typeof queue;
    expect((await sendEvents([event])).status).toBe(503);
    expect((await sendEvents([{ event_type: "page_view", user_id: "u" }])).status).toBe(200);
    stage.env.EVENTS = queue;
    expect((await sendEvents([event])).status).toBe(200);
    expect(stage.takeEvents().map(({ type }) => type)).toEqual(["exposure"]);
    error.mockRestore();
  });

  it("are given to POST alone", async () => {
    expect((await stage.ask("/batch")).status).toBe(405);
  });
});
