import { beforeAll, describe, expect, it } from "vitest";
import { cohort, experiment, flag, segment, variation } from "../../model/resources.ts";
import { type Answered, type Json, ofApps, send } from "../serving/app-flags.ts";
import { createFetchStage, everywhere, keys } from "../serving/stage.ts";

const path = "/ofrep/v1/evaluate/flags";
const stage = createFetchStage();
type Init = NonNullable<Parameters<typeof stage.ask>[1]>;

const single = (key: string, context: unknown = { targetingKey: "k" }, init: Init = {}) =>
  send(stage, `${path}/${key}`, { context }, init);
const bulk = (context: unknown = { targetingKey: "k" }, init: Init = {}, query = "") =>
  send(stage, `${path}${query}`, { context }, init);
const flagIn = ({ body }: Answered, key: string): Json => body.flags.find((each: Json) => each.key === key);

const typed = flag({
  id: "flg_Typed",
  key: "typed",
  name: "Typed",
  deployments: everywhere,
  parameters: {
    title: { type: "string", value: "Hi" },
    limit: { type: "number", value: 3 },
    wide: { type: "boolean", value: true },
    items: { type: "array", value: [1, "a"] },
    box: { type: "object", value: { a: { b: 1 } } },
    "dotted.name": { type: "string", value: "yes" },
  },
  rollout: { all_users: { percentage: 100, weights: { plain: 1 } } },
});
/** Its experiment is over, so that it serves nobody. */
const over = flag({ id: "flg_Over", key: "over", name: "Over", deployments: everywhere });
const of = {
  ...ofApps,
  feature_flags: [...ofApps.feature_flags, typed, over],
  variations: [
    ...ofApps.variations,
    ...["flg_Typed", "flg_Over"].flatMap((id) =>
      ["plain", "other"].map((key) => variation(key, { id: `var_${id.slice(4)}${key}`, feature_flag_id: id })),
    ),
  ],
  experiments: [
    ...ofApps.experiments,
    experiment({ id: "exp_Over", name: "Over", feature_flag_id: "flg_Over", status: "completed" }),
  ],
};

beforeAll(() => stage.publish(of));

describe("POST /ofrep/v1/evaluate/flags/{key}", () => {
  it.each<[string, unknown]>([
    ["typed", { title: "Hi", limit: 3, wide: true, items: [1, "a"], box: { a: { b: 1 } }, "dotted.name": "yes" }],
    ["typed.title", "Hi"],
    ["typed.limit", 3],
    ["typed.wide", true],
    ["typed.items", [1, "a"]],
    ["typed.box", { a: { b: 1 } }],
    ["typed.dotted.name", "yes"],
    ["typed%2Edotted%2Ename", "yes"],
  ])("gives %s a value of its own type", async (key, value) => {
    const { status, body, response } = await single(key);
    expect([status, body]).toEqual([200, { key: decodeURIComponent(key), value, reason: "STATIC", variant: "plain" }]);
    expect(response.headers.get("content-type")).toMatch(/^application\/json/);
  });

  it("says of an experiment which, and what an exposure names it by", async () => {
    const { body } = await single("page");
    expect(body).toEqual({
      key: "page",
      value: { title: body.variant === "b" ? "Welcome" : "Hello", wide: false },
      reason: "SPLIT",
      variant: body.variant,
      metadata: {
        experiment_id: "exp_Page",
        variation_id: `var_${body.variant}`,
        control: body.variant === "a",
        epoch: 1,
        method: "auto",
        assignment_id: expect.any(String),
      },
    });
    stage.takeEvents();
    await send(stage, "/_vestibule/v1/exposures", { assignment_id: body.metadata.assignment_id });
    expect(stage.takeEvents()).toMatchObject([{ type: "exposure", variation_id: body.metadata.variation_id }]);
  });

  it.each([
    ["a rule", "targeted", { country: "DE", device_type: "mobile" }, "on", "TARGETING_MATCH"],
    ["a property", "targeted", { plan: "gold" }, "other", "TARGETING_MATCH"],
    ["an inclusion", "targeted", { user_id: "boss" }, "on", "TARGETING_MATCH"],
    ["the key as a user's id", "targeted", { targetingKey: "boss" }, "on", "TARGETING_MATCH"],
    ["no rule", "targeted", {}, undefined, "STATIC"],
    ["nothing at all", "rolled", {}, "on", "STATIC"],
    ["a draft", "idle", {}, undefined, "DISABLED"],
    ["a draft that a parameter is asked of", "idle.title", {}, undefined, "DISABLED"],
    ["an experiment that is over", "over.title", {}, undefined, "DISABLED"],
  ])("says that %s decided", async (_, key, context, variant, reason) => {
    const { status, body } = await single(key, { targetingKey: "k", ...context });
    expect([status, body.variant, body.reason]).toEqual([200, variant, reason]);
    expect("value" in body).toBe(variant !== undefined);
  });

  it("takes the targeting key for the id that the context lacks, and tells it so", async () => {
    const byKey = await single("page", { targetingKey: "same" });
    const byDevice = await single("page", { device_id: "same", targetingKey: "someone" });
    const byUser = await single("page", { user_id: "someone", targetingKey: "same" });
    const name = ({ body }: Answered) => body.metadata.assignment_id;
    expect(name(byDevice)).toBe(name(byKey));
    expect(name(byUser)).toBe(name(byKey));
    stage.takeEvents();
    await single("page", { targetingKey: "new" });
    await single("page", { device_id: "newer", user_id: "of-newer" });
    const events = stage.takeEvents();
    expect(events.map(({ type, source }) => [type, source])).toEqual([
      ["assignment", "ofrep"],
      ["assignment", "ofrep"],
      ["identity", "ofrep"],
    ]);
    expect(events[0]).toMatchObject({ experiment_id: "exp_Page", subject_kind: "device", deployment: "dep_Client" });
  });

  it("takes the same variation as the other protocols", async () => {
    for (let count = 0; count < 20; count++) {
      const native = await send(stage, "/_vestibule/v1/assignments", { device_id: `d-${count}`, flag_keys: ["page"] });
      const { body } = await single("page", { targetingKey: `d-${count}` });
      expect(body.variant).toBe(native.body.assignments[0].variation);
      expect(body.metadata.assignment_id).toBe(native.body.assignments[0].assignment_id);
    }
  });
});

describe("POST /ofrep/v1/evaluate/flags", () => {
  it("gives every flag of the deployment, and every parameter of each", async () => {
    const { status, body } = await bulk();
    expect(status).toBe(200);
    expect(body.flags.map(({ key }: Json) => key)).toEqual([
      ...["page", "page.title", "page.wide"],
      ...["rolled", "rolled.title", "rolled.wide"],
      ...["targeted", "targeted.title", "targeted.wide"],
      ...["idle", "idle.title", "idle.wide"],
      ...["typed", "typed.title", "typed.limit", "typed.wide", "typed.items", "typed.box", "typed.dotted.name"],
      ...["over", "over.title", "over.wide"],
    ]);
    expect(flagIn({ body } as Answered, "over.title")).toEqual({ key: "over.title", reason: "DISABLED" });
    expect(flagIn({ body } as Answered, "page.title").metadata.experiment_id).toBe("exp_Page");
    expect(body.metadata).toEqual({ version: 1 });
    for (const { metadata = {} } of body.flags) {
      expect(Object.values(metadata).every((value) => typeof value !== "object")).toBe(true);
    }
    expect((await bulk(undefined, { key: keys.empty })).body.flags).toEqual([]);
  });

  it("answers 304 to the same question only, whatever the order of its names", async () => {
    const etagOf = ({ response }: Answered) => response.headers.get("etag") ?? "";
    const etag = etagOf(await bulk({ targetingKey: "k", plan: "none", nested: { a: 1, b: 2 } }));
    const again = await bulk(
      { nested: { b: 2, a: 1 }, plan: "none", targetingKey: "k" },
      { headers: { "if-none-match": etag } },
    );
    expect([again.status, again.body, etagOf(again)]).toEqual([304, undefined, etag]);
    const others: [unknown, Init][] = [
      [{ targetingKey: "k", plan: "bronze", nested: { a: 1, b: 2 } }, {}],
      [{ targetingKey: "k", plan: "none", nested: { a: 1, b: 3 } }, {}],
      [{ targetingKey: "k", plan: "none" }, {}],
      [{ targetingKey: "k2", plan: "none", nested: { a: 1, b: 2 } }, {}],
      [{ targetingKey: "k", plan: "none", nested: { a: 1, b: 2 } }, { key: keys.server }],
    ];
    for (const [context, init] of others) {
      expect((await bulk(context, { ...init, headers: { "if-none-match": etag } })).status).toBe(200);
    }
    const forced = await bulk(
      { targetingKey: "k", plan: "none", nested: { a: 1, b: 2 } },
      { headers: { "if-none-match": etag } },
      "?experiment_id=exp_Page&variation_id=var_c&flagConfigEtag=x",
    );
    expect([forced.status, flagIn(forced, "page").variant]).toEqual([200, "c"]);
  });

  it("answers anew once another configuration is published", async () => {
    const own = createFetchStage({ vars: { SNAPSHOT_FRESH_SECONDS: "0.1" } });
    await own.publish(of);
    const ask = (etag = "") =>
      send(own, path, { context: { targetingKey: "k" } }, { headers: { "if-none-match": etag } });
    const etag = (await ask()).response.headers.get("etag") ?? "";
    expect((await ask(etag)).status).toBe(304);
    await own.publish(of, { version: 2 });
    own.restart();
    const { status, body } = await ask(etag);
    expect([status, body.metadata.version]).toEqual([200, 2]);
  });

  it("names a flag that nobody can answer for, and gives the others", async () => {
    const own = createFetchStage();
    const members = segment("members", [{ match: { cohort: ["coh_A"] } }]);
    const byCohort = experiment({
      allocation_strategy: "segment",
      allocations: [
        { variation_id: "var_a", segment_id: "seg_members", priority: 1, is_control: true },
        { variation_id: "var_b", is_control: false, is_fallback: true },
      ],
    });
    const segments = [...ofApps.segments, members];
    await own.publish({ ...ofApps, cohorts: [cohort("A")], segments, experiments: [byCohort] });
    const context = { targetingKey: "k" };
    const failure = { key: "page", errorCode: "GENERAL", errorDetails: expect.stringContaining("cohorts") };
    const all = await send(own, path, { context });
    expect([flagIn(all, "page"), flagIn(all, "rolled").variant]).toEqual([failure, "on"]);
    expect(own.takeWarnings()).toEqual(["experiment_cohort_unavailable"]);
    const one = await send(own, `${path}/page`, { context });
    expect([one.status, one.body]).toEqual([400, failure]);
    // Every fetch would say so.
    expect(own.takeWarnings()).toEqual([]);
  });

  it("forces a variation, and warns of an override that cannot be", async () => {
    const forced = await bulk({ targetingKey: "qa" }, {}, "?experiment_id=exp_Page&variation_id=var_c");
    expect(flagIn(forced, "page")).toMatchObject({ variant: "c", metadata: { method: "forced" } });
    const none = await bulk({ targetingKey: "qa" }, {}, "?experiment_id=exp_None&variation_id=var_c");
    expect([none.body.metadata.warning, stage.takeWarnings()]).toEqual([
      "experiment_not_found",
      ["experiment_not_found"],
    ]);
  });
});

describe("refusals", () => {
  const wrong: [string, unknown, number, string][] = [
    ["no JSON", "{", 400, "PARSE_ERROR"],
    ["no body", "", 400, "PARSE_ERROR"],
    ["a list", [], 400, "PARSE_ERROR"],
    ["too deep", `{"context":${'{"a":'.repeat(40)}1${"}".repeat(40)}}`, 400, "PARSE_ERROR"],
    ["no context", {}, 400, "TARGETING_KEY_MISSING"],
    ["no key", { context: { plan: "gold" } }, 400, "TARGETING_KEY_MISSING"],
    ["an empty key", { context: { targetingKey: "" } }, 400, "TARGETING_KEY_MISSING"],
    ["a key that is null", { context: { targetingKey: null } }, 400, "TARGETING_KEY_MISSING"],
    ["a context that is none", { context: "k" }, 400, "INVALID_CONTEXT"],
    ["a context that is null", { context: null }, 400, "INVALID_CONTEXT"],
    ["a context that is a list", { context: [] }, 400, "INVALID_CONTEXT"],
    ["a key that is no text", { context: { targetingKey: 5 } }, 400, "INVALID_CONTEXT"],
    ["an id that is no text", { context: { targetingKey: "k", user_id: {} } }, 400, "INVALID_CONTEXT"],
    ["a long key", { context: { targetingKey: "k".repeat(513) } }, 400, "INVALID_CONTEXT"],
    ["a hostile name", '{"context":{"targetingKey":"k","__proto__":{}}}', 400, "INVALID_CONTEXT"],
    ["too much", { context: { targetingKey: "k", a: "a".repeat(1_048_576) } }, 413, "GENERAL"],
  ];

  it.each(wrong)(
    "of %s have the protocol's code, with the flag's key where there is one",
    async (_, sent, status, code) => {
      const failure = { errorCode: code, errorDetails: expect.any(String) };
      const one = await send(stage, `${path}/page`, sent);
      expect([one.status, one.body]).toEqual([status, { key: "page", ...failure }]);
      const all = await send(stage, path, sent);
      expect([all.status, all.body]).toEqual([status, failure]);
    },
  );

  it.each([
    "none",
    "elsewhere",
    "page.none",
    "idle.none",
    "page.__proto__",
    "__proto__",
    "page/title",
    "%zz",
    "",
    "holdout-x",
  ])("of the flag %j: not found", async (key) => {
    const { status, body } = await single(key);
    expect([status, body.errorCode]).toEqual([404, "FLAG_NOT_FOUND"]);
  });

  it("of keys are bare", async () => {
    for (const [key, status] of [
      [null, 401],
      ["nobody", 401],
    ] as const) {
      const { response, body } = await bulk(undefined, { key });
      expect([response.status, body]).toEqual([status, undefined]);
    }
    const closed = createFetchStage({ tenant: { entitled: false } });
    await closed.publish(of);
    const { status, body } = await send(closed, path, { context: { targetingKey: "k" } });
    expect([status, body]).toEqual([403, undefined]);
  });

  it("of too many say when to come again", async () => {
    const busy = createFetchStage({ vars: { FETCH_RATE: "1" } });
    await busy.publish(of);
    let last: Response | undefined;
    for (let count = 0; count < 11; count++) {
      last = (await send(busy, `${path}/page`, { context: { targetingKey: "k" } })).response;
    }
    expect([last?.status, Number(last?.headers.get("retry-after"))]).toEqual([429, 1]);
  });

  it("of other methods name the right one", async () => {
    const response = await stage.ask(path);
    expect([response.status, response.headers.get("allow")]).toEqual([405, "POST"]);
  });

  it("without any snapshot are quick and honest", async () => {
    const none = createFetchStage();
    none.setDown(true);
    const { response, body } = await send(none, path, { context: { targetingKey: "k" } });
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "5"]);
    expect(body.errorDetails).toContain("defaults");
  });

  it("says so in a header while the last good snapshot answers", async () => {
    const own = createFetchStage({ vars: { SNAPSHOT_FRESH_SECONDS: "0.1" } });
    await own.publish(of);
    const ask = async (of = path) => (await send(own, of, { context: { targetingKey: "k" } })).response;
    await ask();
    own.setDown(true);
    await new Promise((resolve) => setTimeout(resolve, 150));
    await ask();
    const stale = await ask();
    expect([stale.status, stale.headers.get("x-vestibule-stale")]).toEqual([200, "true"]);
    const unknown = await ask(`${path}/new`);
    expect([unknown.status, unknown.headers.get("x-vestibule-stale")]).toEqual([404, "true"]);
  });
});
