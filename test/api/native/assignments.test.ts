import { beforeAll, describe, expect, it, vi } from "vitest";
import { createKeyring } from "../../../src/assignment/keyring.ts";
import { signOverride } from "../../../src/assignment/override.ts";
import { readSettings } from "../../../src/settings.ts";
import { cohort, experiment, segment } from "../../model/resources.ts";
import { ask, type Json, ofApps, send, shown } from "../serving/app-flags.ts";
import { createFetchStage, host, keys } from "../serving/stage.ts";

const path = "/_vestibule/v1/assignments";
const iphone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148";
const stage = createFetchStage();
type Init = NonNullable<Parameters<typeof stage.ask>[1]>;
const get = (query: string, init: Init = {}) => ask(stage, `${path}${query}`, init);

beforeAll(() => stage.publish(ofApps));

describe("GET and POST /_vestibule/v1/assignments", () => {
  it("give each flag of the deployment with its parameters, and say why others are not given", async () => {
    const { status, body, response } = await get("?device_id=device-1");
    expect(status).toBe(200);
    expect(response.headers.get("cache-control")).toBe("private, no-cache");
    const page = shown({ body }, "page");
    expect(page).toEqual({
      key: "page",
      variation: page.variation,
      variation_id: `var_${page.variation}`,
      parameters: { title: page.variation === "b" ? "Welcome" : "Hello", wide: false },
      experiment: { id: "exp_Page", control: page.variation === "a" },
      method: "auto",
      reason: "split",
      epoch: 1,
      assignment_id: expect.stringMatching(/^[\w-]+\.k1\.[\w-]{43}$/),
    });
    expect(shown({ body }, "rolled")).toEqual({
      key: "rolled",
      variation: "on",
      variation_id: "var_Rolledon",
      parameters: { title: "Hello", wide: false },
      experiment: null,
      method: "auto",
      reason: "everyone",
      epoch: null,
      assignment_id: null,
    });
    expect(shown({ body }, "targeted")).toMatchObject({
      variation: null,
      variation_id: null,
      parameters: {},
      method: null,
      reason: "rest",
    });
    expect(body.withheld).toEqual([{ key: "idle", reason: "flag_inactive" }]);
    expect([body.version, body.warnings]).toEqual([1, []]);
  });

  it("answer alike", async () => {
    const asked = { device_id: "d-7", user_id: "u-7", attributes: { country: "DE", plan: "gold" } };
    const posted = await send(stage, path, { ...asked, flag_keys: ["targeted", "page"], sticky: null });
    const got = await get("?device_id=d-7&user_id=u-7&country=DE&attributes.plan=gold&flag_keys=targeted,page");
    expect(got.body).toEqual(posted.body);
    expect(got.response.headers.get("etag")).toBe(posted.response.headers.get("etag"));
    expect(got.body.assignments.map(({ key }: Json) => key)).toEqual(["targeted", "page"]);
  });

  it("let nobody tell a flag that the key may not fetch from one that is not there", async () => {
    const { body } = await get("?device_id=d&flag_keys=elsewhere,none,page,__proto__&flag_keys=idle,page");
    expect(body.assignments.map(({ key }: Json) => key)).toEqual(["page"]);
    expect(body.withheld).toEqual([
      { key: "elsewhere", reason: "flag_not_found" },
      { key: "none", reason: "flag_not_found" },
      { key: "__proto__", reason: "flag_not_found" },
      { key: "idle", reason: "flag_inactive" },
    ]);
    expect((await get("?device_id=d", { key: keys.empty })).body).toMatchObject({ assignments: [], withheld: [] });
  });

  it.each([
    ["what the request tells", "", { "user-agent": iphone }, { country: "DE" }, "on", "segment"],
    ["what the app says, first", "&country=fr", { "user-agent": iphone }, { country: "DE" }, null, "rest"],
    ["what the app says, folded", "&country=de&device_type=Mobile", {}, {}, "on", "segment"],
    ["properties of the app's own", "&plan=gold", {}, {}, "other", "segment"],
    ["properties with another's name", "&attributes.flag_keys=x&attributes.plan=gold", {}, {}, "other", "segment"],
    ["several values of one", "&plan=silver&plan=gold", {}, {}, "other", "segment"],
    ["who is included", "&user_id=boss", {}, {}, "on", "inclusion"],
    ["what it was given before", "&sticky.targeted=other", {}, {}, "other", "sticky"],
    ["what it was given before, while there is that", "&sticky.targeted=gone", {}, {}, null, "rest"],
  ])("go by %s", async (_, query, headers, cf, variation, reason) => {
    const answer = await get(`?device_id=d&flag_keys=targeted${query}`, { headers, cf });
    expect(shown(answer, "targeted")).toMatchObject({ variation, reason });
  });

  it("say how what is rolled out was come by, and which id is wanting", async () => {
    const { method } = shown(await get("?user_id=boss"), "targeted");
    expect([method, shown(await get("?device_id=d&sticky.targeted=on"), "targeted").method]).toEqual([
      "inclusion",
      "sticky",
    ]);
    expect(shown(await get("?user_id=boss"), "page")).toMatchObject({ variation: null, reason: "no_subject" });
  });

  it("take nothing of a server's request for its user's", async () => {
    const init = { key: keys.server, headers: { "user-agent": iphone }, cf: { country: "DE" } };
    expect(shown(await get("?device_id=d", init), "targeted").reason).toBe("rest");
    expect(shown(await get("?device_id=d&country=DE&device_type=mobile", init), "targeted").reason).toBe("segment");
  });

  it("have assignments told once, with what is known of the subject", async () => {
    stage.takeEvents();
    const asking = () => get("?device_id=told&user_id=told-user&version=2.1", { cf: { country: "DE" } });
    await asking();
    await asking();
    const events = stage.takeEvents();
    expect(events.map(({ type }) => type)).toEqual(["assignment", "identity"]);
    expect(events[0]).toMatchObject({
      source: "native",
      tenant: stage.tenant,
      experiment_id: "exp_Page",
      flag_key: "page",
      deployment: "dep_Client",
      subject_kind: "device",
      method: "auto",
      epoch: 1,
      attributes: { country: "DE", app_version: "2.1" },
    });
    expect(JSON.stringify(events)).not.toContain("told-user");
  });
});

describe("the ETag", () => {
  const etagOf = async (query: string, init: Init = {}) => (await get(query, init)).response.headers.get("etag") ?? "";

  it("saves the body, whatever else is listed and however weak it has become", async () => {
    const etag = await etagOf("?device_id=e&plan=gold");
    for (const given of [etag, `W/${etag}`, `"other", ${etag}`, "*"]) {
      const { status, body, response } = await get("?plan=gold&device_id=e", { headers: { "if-none-match": given } });
      expect([status, body, response.headers.get("etag")]).toEqual([304, undefined, etag]);
      expect(response.headers.get("access-control-allow-origin")).toBe("*");
    }
    expect((await get("?device_id=e", { headers: { "if-none-match": '"other"' } })).status).toBe(200);
  });

  it("is another for another question, whatever the answer", async () => {
    const tags = [
      await etagOf("?device_id=e"),
      await etagOf("?device_id=e&plan=none"),
      await etagOf("?user_id=e"),
      await etagOf("?device_id=e&user_id=e"),
      await etagOf("?device_id=e&flag_keys=page"),
      await etagOf("?device_id=e", { key: keys.server }),
      await etagOf("?device_id=e&experiment_id=exp_Page&variation_id=var_c"),
    ];
    expect(new Set(tags).size).toBe(tags.length);
  });
});

describe("overrides", () => {
  const forced = "experiment_id=exp_Page&variation_id=var_c";

  it("force a variation, and nothing is told of it", async () => {
    stage.takeEvents();
    const answer = await get(`?device_id=forced&${forced}`);
    expect(shown(answer, "page")).toMatchObject({ variation: "c", method: "forced", reason: "forced" });
    expect(shown(await send(stage, `${path}?${forced}`, { device_id: "forced" }), "page").variation).toBe("c");
    expect(stage.takeEvents()).toEqual([]);
  });

  it("are warned of where they cannot be, in the tenant's log too, unless they come in floods", async () => {
    stage.takeWarnings();
    const { body } = await get("?device_id=d&experiment_id=exp_None&variation_id=var_c");
    expect(body.warnings).toEqual(["experiment_not_found"]);
    expect((await get("?device_id=d&variation_id=var_c")).body.warnings).toEqual(["experiment_orphaned_params"]);
    const [first, second] = stage.queued.splice(0).flatMap((each) => (each.kind === "log" ? each.entry : []));
    expect(first).toMatchObject({
      type: "w",
      tenant_name: stage.tenant,
      hostname: host,
      description: "experiment_id names no experiment",
      details: { code: "experiment_not_found" },
    });
    expect(second?.details.code).toBe("experiment_orphaned_params");
    for (let time = 0; time < 40; time++) await get("?device_id=d&experiment_id=exp_None");
    expect(stage.takeWarnings()).toHaveLength(19);
  });

  it("obey the tenant's policy", async () => {
    const off = createFetchStage({ tenant: { overrides: "off" } });
    await off.publish(ofApps);
    expect(shown(await ask(off, `${path}?device_id=d&${forced}`), "page").method).toBe("auto");

    const signed = createFetchStage({ tenant: { overrides: "signed" } });
    await signed.publish(ofApps);
    const refused = await ask(signed, `${path}?device_id=d&${forced}`);
    expect([shown(refused, "page").method, refused.body.warnings]).toEqual(["auto", ["experiment_override_refused"]]);
    const keyring = createKeyring(readSettings(signed.env).cookieKeys, (call) => call());
    const wish = { experimentId: "exp_Page", variationId: "var_c", segmentId: null };
    const token = await signOverride(keyring, signed.tenant, wish, Date.now() / 1000 + 60);
    const allowed = await ask(signed, `${path}?device_id=d&${forced}&override_token=${token}`);
    expect(shown(allowed, "page").method).toBe("forced");
  });
});

describe("refusals", () => {
  const body = (text: string): Init => ({
    method: "POST",
    headers: { "content-type": "application/json" },
    body: text,
  });
  const deep = `{"device_id":"d","attributes":${'{"a":'.repeat(40)}1${"}".repeat(40)}}`;
  const large = `{"device_id":"${"a".repeat(1_048_576)}"}`;
  const hostile = '{"device_id":"d","attributes":{"__proto__":{"x":1}}}';
  const form = { method: "POST", body: new URLSearchParams({ device_id: "d" }) };

  it.each<[string, string, Init, number, string, string]>([
    ["no key", "?device_id=d", { key: null }, 401, "invalid_key", "deployment key"],
    ["an unknown key", "?device_id=d", { key: "nobody" }, 401, "invalid_key", "deployment key"],
    ["no id", "?plan=gold", {}, 400, "subject_required", "device_id, user_id or both"],
    ["an empty id", "?device_id=", {}, 400, "invalid_query_string", "device_id: must not be empty"],
    ["an id twice", "?device_id=a&device_id=b", {}, 400, "invalid_query_string", "device_id: must stand once"],
    ["a long id", `?device_id=${"a".repeat(513)}`, {}, 400, "invalid_query_string", "device_id: must have at most 512"],
    ["attributes in one", "?device_id=d&attributes={}", {}, 400, "invalid_query_string", "attributes.<name>=<value>"],
    ["a prototype's name", "?device_id=d&__proto__=x", {}, 400, "invalid_query_string", "attributes.__proto__"],
    ["another method", "?device_id=d", { method: "PUT" }, 405, "method_not_allowed", "It takes GET, HEAD, POST"],
    ["another address", "x", {}, 404, "address_not_found", "/_vestibule/v1/exposures"],
    ["no JSON", "", body("{"), 400, "invalid_body", "must be JSON"],
    ["no body", "", body(""), 400, "invalid_body", "must be JSON"],
    ["a list", "", body("[]"), 400, "invalid_body", "must be an object, not a list"],
    ["null", "", body("null"), 400, "invalid_body", "must be an object"],
    ["a number as id", "", body('{"device_id":1}'), 400, "invalid_body", "device_id: must be text"],
    [
      "an unknown field",
      "",
      body('{"deviceId":"d"}'),
      400,
      "invalid_body",
      "deviceId: is not known here, only device_id",
    ],
    ["a hostile name", "", body(hostile), 400, "invalid_body", "attributes.__proto__"],
    [
      "keys that are no list",
      "",
      body('{"device_id":"d","flag_keys":"page"}'),
      400,
      "invalid_body",
      "flag_keys: must be",
    ],
    ["a form", "", form, 415, "unsupported_media_type", "application/json"],
    ["depth", "", body(deep), 400, "invalid_body", "32 levels"],
    ["size", "", body(large), 413, "body_too_large", "1048576 bytes"],
  ])("of %s name what is wrong", async (_, query, init, statusCode, errorCode, message) => {
    const { body, response } = await get(query, init);
    expect([response.status, body]).toEqual([
      statusCode,
      { statusCode, error: expect.any(String), message: expect.stringContaining(message), errorCode },
    ]);
    expect(response.headers.get("access-control-allow-origin")).toBe("*");
    if (statusCode === 405) expect(response.headers.get("allow")).toBe("GET, HEAD, POST");
  });

  it("of a tenant without the entitlement", async () => {
    const closed = createFetchStage({ tenant: { entitled: false } });
    await closed.publish(ofApps);
    const { status, body } = await ask(closed, `${path}?device_id=d`);
    expect([status, body.errorCode]).toEqual([403, "feature_not_entitled"]);
  });

  it("of too many, with how long to wait", async () => {
    const busy = createFetchStage({ vars: { FETCH_RATE: "1" } });
    await busy.publish(ofApps);
    const answers: Response[] = [];
    for (let count = 0; count < 11; count++) answers.push(await busy.ask(`${path}?device_id=d`));
    expect(answers.map(({ status }) => status)).toEqual([...Array(10).fill(200), 429]);
    expect(Number(answers[10]?.headers.get("retry-after"))).toBeGreaterThan(0);
    expect((await busy.ask(`${path}?device_id=d`, { key: keys.server })).status).toBe(200);
  });
});

describe("while stores are down", () => {
  it("the last good snapshot answers, and says so; without one there is a quick, honest error", async () => {
    const own = createFetchStage({ vars: { SNAPSHOT_FRESH_SECONDS: "0.1" } });
    await own.publish(ofApps);
    expect((await own.ask(`${path}?device_id=d`)).headers.get("x-vestibule-stale")).toBeNull();
    own.setDown(true);
    await new Promise((resolve) => setTimeout(resolve, 150));
    await own.ask(`${path}?device_id=d`);
    const stale = await own.ask(`${path}?device_id=d`);
    expect([stale.status, stale.headers.get("x-vestibule-stale")]).toEqual([200, "true"]);
    for (const variation of ["a", "nope"]) {
      const exposure = { device_id: "d", flag_key: "page", variation };
      const { response } = await send(own, "/_vestibule/v1/exposures", exposure);
      expect(response.headers.get("x-vestibule-stale")).toBe("true");
    }
    const none = createFetchStage();
    none.setDown(true);
    const { response, body } = await ask(none, `${path}?device_id=d`);
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "5"]);
    expect(body.errorCode).toBe("configuration_unavailable");
  });

  it.each([
    ["hangs", () => new Promise<never>(() => {})],
    ["fails", () => Promise.reject(new Error("no cryptography"))],
  ])(
    "assignments have no id while cryptography %s, an override is refused, and exposures are to be sent again",
    async (_, sign) => {
      const own = createFetchStage({ tenant: { overrides: "signed" } });
      await own.publish(ofApps);
      const query = `?device_id=d&flag_keys=page`;
      const { assignment_id } = shown(await ask(own, `${path}${query}`), "page");
      own.restart();
      await ask(own, `${path}?device_id=d&flag_keys=rolled`);
      vi.spyOn(crypto.subtle, "sign").mockImplementation(sign);
      vi.spyOn(crypto.subtle, "verify").mockImplementation(sign);
      const startedAtMs = Date.now();
      const token = `${"x".repeat(20)}.k1.${"A".repeat(43)}`;
      const forced = `&experiment_id=exp_Page&variation_id=var_c&override_token=${token}`;
      const { status, body } = await ask(own, `${path}${query}${forced}`, { settle: false });
      expect([status, body.assignments[0].assignment_id]).toEqual([200, null]);
      expect([body.assignments[0].method, body.warnings]).toEqual(["auto", ["experiment_override_refused"]]);
      const told = await send(own, "/_vestibule/v1/exposures", { assignment_id }, { settle: false });
      expect([told.status, told.body.errorCode]).toEqual([503, "events_unavailable"]);
      expect(Date.now() - startedAtMs).toBeLessThan(3_000);
      vi.restoreAllMocks();
    },
  );

  it("flags that ask for cohorts nobody can look up are withheld by name, the others given", async () => {
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
    const { body } = await ask(own, `${path}?device_id=d&flag_keys=page,rolled`);
    expect(body.withheld).toEqual([{ key: "page", reason: "cohort_unavailable" }]);
    expect(body.assignments.map(({ key }: Json) => key)).toEqual(["rolled"]);
  });
});

it("a browser is let in from any page", async () => {
  const headers = { origin: "https://app.example", "access-control-request-headers": "authorization,content-type" };
  const response = await stage.ask(path, { method: "OPTIONS", key: null, headers });
  expect(response.status).toBe(204);
  expect(response.headers.get("access-control-allow-headers")).toBe("authorization,content-type");
});
