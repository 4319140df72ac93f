import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { flag, segment, variation, variations } from "../../model/resources.ts";
import { createFetchStage, everywhere, type FetchStage, keys } from "../serving/stage.ts";

/** `page` by chance, `rolled` on for all, `quiet` off for all, `hidden` in no deployment. */
const of = {
  feature_flags: [
    flag({ deployments: everywhere }),
    flag({
      id: "flg_Rolled",
      key: "rolled",
      name: "Rolled",
      deployments: everywhere,
      rollout: { all_users: { percentage: 100, weights: { on: 1 } } },
    }),
    flag({
      id: "flg_Quiet",
      key: "quiet",
      name: "Quiet",
      deployments: everywhere,
      rollout: { all_users: { percentage: 0, weights: { up: 1 } } },
    }),
    flag({
      id: "flg_Hidden",
      key: "hidden",
      name: "Hidden",
      rollout: { all_users: { percentage: 100, weights: { on: 1 } } },
    }),
  ],
  variations: [
    ...variations,
    ...["on", "other"].map((key) => variation(key, { id: `var_r${key}`, feature_flag_id: "flg_Rolled" })),
    ...["up", "down"].map((key) => variation(key, { id: `var_q${key}`, feature_flag_id: "flg_Quiet" })),
    ...["on", "other"].map((key) => variation(key, { id: `var_h${key}`, feature_flag_id: "flg_Hidden" })),
  ],
};

let stage: FetchStage;
beforeAll(async () => {
  stage = createFetchStage();
  await stage.publish(of);
});
beforeEach(() => void stage.takeEvents());

const bytesOf = (text: string) => new TextEncoder().encode(text);
const standard = (text: string) => btoa(String.fromCharCode(...bytesOf(text)));
const urlSafe = (text: string) => standard(text).replaceAll("+", "-").replaceAll("/", "_");
const dialects = {
  "URL-safe, no padding": (text: string) => urlSafe(text).replaceAll("=", ""),
  "URL-safe, padded": urlSafe,
  "standard, padded": standard,
  "standard, no padding": (text: string) => standard(text).replaceAll("=", ""),
};
const v2 = "/sdk/v2/vardata?v=0";
/** Its base64 holds every letter in which the alphabets differ. */
const someone = { user_id: "ユーザー😀?>~", device_id: "d-1", user_properties: { plan: "pro" }, version: "2.3.0" };
const userHeader = (user: unknown = someone) => ({
  "x-amp-exp-user": dialects["URL-safe, no padding"](JSON.stringify(user)),
});
const keysHeader = (list: unknown) => ({ "x-amp-exp-flag-keys": urlSafe(JSON.stringify(list)) });
const variantsOf = async (response: Response) => {
  const variants = await response.json<Record<string, { key: string }>>();
  return Object.fromEntries(Object.entries(variants).map(([key, variant]) => [key, variant.key]));
};

describe("vardata", () => {
  it("gives key, value, payload and metadata of every flag of the deployment, off ones too", async () => {
    const response = await stage.ask(v2, { headers: userHeader() });
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toEqual({
      "content-type": "application/json; charset=utf-8",
      "cache-control": "no-store",
      "access-control-allow-origin": "*",
      "access-control-expose-headers": "*",
    });
    const body = await response.json<Record<string, { key: string }>>();
    expect(Object.keys(body)).toEqual(["page", "rolled", "quiet"]);
    const { key } = body.page ?? {};
    expect(["a", "b"]).toContain(key);
    expect(body).toEqual({
      page: {
        key,
        value: key,
        payload: { title: key === "b" ? "Welcome" : "Hello", wide: false },
        metadata: {
          deployed: true,
          evaluationMode: "remote",
          experimentKey: "exp_Page",
          epoch: 1,
          flagType: "experiment",
          flagVersion: 1,
          segmentName: "All Other Users",
          variationId: "var_a",
        },
      },
      rolled: expect.objectContaining({ key: "on", value: "on", payload: { title: "Hello", wide: false } }),
      quiet: { key: "off", metadata: expect.objectContaining({ default: true, deployed: true, flagType: "release" }) },
    });
    expect(JSON.stringify(body)).not.toContain("null");
  });

  it.each(Object.entries(dialects))("reads base64 that is %s", async (_, encode) => {
    const headers = { "x-amp-exp-user": encode(JSON.stringify(someone)), "x-amp-exp-flag-keys": encode('["page"]') };
    const all = await variantsOf(await stage.ask(v2, { headers: userHeader() }));
    expect(await variantsOf(await stage.ask(v2, { headers }))).toEqual({ page: all.page });
  });

  it.each([
    ["POST with the user as body", v2, { method: "POST", body: JSON.stringify(someone) }],
    ["POST with an empty body", v2, { method: "POST", headers: userHeader() }],
    ["POST with a user in it", "/v1/vardata", { method: "POST", body: JSON.stringify({ user: someone }) }],
    [
      "POST of a form",
      "/v1/vardata",
      { method: "POST", body: new URLSearchParams({ user_id: someone.user_id, device_id: someone.device_id }) },
    ],
    ["GET with a query", `/v1/vardata?user_id=${encodeURIComponent(someone.user_id)}&device_id=d-1`, {}],
    ["GET with a context", `/sdk/vardata?context=${encodeURIComponent(JSON.stringify(someone))}`, {}],
    [
      "GET with a context of properties",
      `/v1/vardata?user_id=x&device_id=d-1&context=${encodeURIComponent('{"user_id":"y","user_properties":{"a":1}}')}`,
      {},
    ],
    ["an address with a slash at its end", `/${v2}`, { headers: userHeader() }],
  ])("takes %s", async (_, path, init) => {
    const all = await variantsOf(await stage.ask(v2, { headers: userHeader() }));
    const response = await stage.ask(path, init as RequestInit);
    expect(response.status).toBe(200);
    expect(await variantsOf(response)).toMatchObject({ page: all.page, rolled: "on" });
  });

  it("leaves out of its first version what is off", async () => {
    for (const path of ["/v1/vardata?device_id=d-1", "/sdk/vardata?device_id=d-1"]) {
      expect(Object.keys(await variantsOf(await stage.ask(path)))).toEqual(["page", "rolled"]);
    }
  });

  it.each([
    ["flag_keys=rolled,page", ["rolled", "page"]],
    ["flag_keys=%5B%22rolled%22%5D", ["rolled"]],
    ["flag_key=rolled", ["rolled"]],
    ["flag_keys=rolled&flag_key=page", ["rolled", "page"]],
    ["flag_keys=", ["page", "rolled"]],
    ["flag_keys=none,hidden,__proto__", []],
  ])("gives what %s asks for", async (query, expected) => {
    expect(Object.keys(await variantsOf(await stage.ask(`/v1/vardata?device_id=d-1&${query}`)))).toEqual(expected);
  });

  it("takes an empty list of keys for all", async () => {
    const response = await stage.ask(v2, { headers: { ...userHeader(), ...keysHeader([]) } });
    expect(Object.keys(await variantsOf(response))).toEqual(["page", "rolled", "quiet"]);
  });

  it("takes two hundred properties, and deep ones within bounds", async () => {
    const user_properties = Object.fromEntries(
      Array.from({ length: 200 }, (_, i) => [`property_${i}`, "x".repeat(20)]),
    );
    const headers = userHeader({ ...someone, user_properties });
    expect(headers["x-amp-exp-user"].length).toBeGreaterThan(9_800);
    expect((await stage.ask(v2, { headers })).status).toBe(200);
  });

  it("knows ids that are numbers", async () => {
    const answers = [{ device_id: 42 }, { device_id: "42" }].map((user) =>
      stage.ask(v2, { headers: userHeader(user) }),
    );
    const [one, other] = await Promise.all((await Promise.all(answers)).map(variantsOf));
    expect(one).toEqual(other);
  });

  it("does not compress, whatever the client could read", async () => {
    const response = await stage.ask(v2, { headers: { ...userHeader(), "accept-encoding": "gzip, br" } });
    expect(response.headers.get("content-encoding")).toBeNull();
  });
});

describe("refusals that no client tries again", () => {
  const tooDeep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
  it.each([
    ["no key", v2, { key: null }, 401, "invalid_key"],
    ["an unknown key", v2, { key: "nobody's" }, 401, "invalid_key"],
    ["a key longer than any", v2, { key: "k".repeat(10_000) }, 401, "invalid_key"],
    ["no user", v2, {}, 400, "subject_required"],
    ["a user without an id", v2, { headers: userHeader({ user_id: "", device_id: null }) }, 400, "subject_required"],
    ["a user that is no base64", v2, { headers: { "x-amp-exp-user": "%%%" } }, 400, "invalid_request"],
    ["a user that is no UTF-8", v2, { headers: { "x-amp-exp-user": "/////w==" } }, 400, "invalid_request"],
    ["a user that is no object", v2, { headers: userHeader([someone]) }, 400, "invalid_request"],
    ["keys that are no list", v2, { headers: { ...userHeader(), ...keysHeader({}) } }, 400, "invalid_request"],
    ["keys that are no texts", v2, { headers: { ...userHeader(), ...keysHeader([1]) } }, 400, "invalid_request"],
    ["a context that is no JSON", "/v1/vardata?user_id=u&context={", {}, 400, "invalid_request"],
    ["a body that is no JSON", v2, { method: "POST", body: "{" }, 400, "invalid_request"],
    ["a body that is too deep", v2, { method: "POST", body: `{"a":${tooDeep}}` }, 400, "invalid_request"],
    ["a body that is too large", v2, { method: "POST", body: `"${"x".repeat(1_048_576)}"` }, 413, "body_too_large"],
    ["another method", v2, { method: "DELETE" }, 405, "method_not_allowed"],
  ])("%s", async (_, path, init, status, code) => {
    const response = await stage.ask(path, init as Parameters<FetchStage["ask"]>[1]);
    expect([response.status, (await response.json<{ error: string }>()).error]).toEqual([status, code]);
    expect(response.headers.get("x-vestibule-refused")).toBe(code);
    expect(response.headers.get("access-control-allow-origin")).toBe("*");
  });

  it("a key that was revoked, within a minute", async () => {
    const other = createFetchStage();
    await other.publish(of);
    expect((await other.ask(v2, { headers: userHeader() })).status).toBe(200);
    await other.publish({ ...of, deployments: [] }, { version: 2 });
    other.restart();
    expect((await other.ask(v2, { headers: userHeader() })).status).toBe(401);
  });

  it("a tenant that is not entitled", async () => {
    const other = createFetchStage({ tenant: { entitled: false } });
    await other.publish(of);
    expect((await other.ask(v2, { headers: userHeader() })).status).toBe(403);
  });

  it("a key that asks too often", async () => {
    const other = createFetchStage({ vars: { FETCH_RATE: "1" } });
    await other.publish(of);
    const ask = () => other.ask(v2, { headers: userHeader() });
    for (let count = 0; count < 10; count++) expect((await ask()).status).toBe(200);
    const response = await ask();
    expect([response.status, response.headers.get("x-vestibule-refused")]).toEqual([403, "too_many_requests"]);
    expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
    expect((await other.ask(v2, { key: keys.server, headers: userHeader() })).status).toBe(200);
  });
});

describe("a store that is down", () => {
  it("is told of in a header, while the last good snapshot serves", async () => {
    vi.spyOn(console, "warn").mockImplementation(() => {});
    const other = createFetchStage({ vars: { SNAPSHOT_FRESH_SECONDS: "0.1" } });
    await other.publish(of);
    const ask = () => other.ask(v2, { headers: userHeader() });
    expect((await ask()).headers.get("x-vestibule-stale")).toBeNull();
    other.setDown(true);
    await new Promise((resolve) => setTimeout(resolve, 250));
    const response = await ask();
    expect([response.status, response.headers.get("x-vestibule-stale")]).toEqual([200, "true"]);
    expect(Object.keys(await variantsOf(response))).toEqual(["page", "rolled", "quiet"]);
    const events = JSON.stringify({ api_key: keys.client, events: [] });
    const told = await other.ask("/2/httpapi", { method: "POST", body: events });
    expect([told.status, told.headers.get("x-vestibule-stale")]).toEqual([200, "true"]);
    vi.restoreAllMocks();
  });

  it("and has never been read: the client falls back at once", async () => {
    vi.spyOn(console, "warn").mockImplementation(() => {});
    const other = createFetchStage();
    other.restart({ isDown: true });
    const response = await other.ask(v2, { headers: userHeader() });
    expect([response.status, response.headers.get("x-vestibule-refused")]).toEqual([404, "configuration_unavailable"]);
    vi.restoreAllMocks();
  });
});

describe("events", () => {
  const track = (headers: Record<string, string> = {}, init: Parameters<FetchStage["ask"]>[1] = {}) =>
    stage.ask(v2, { ...init, headers: { ...userHeader({ device_id: crypto.randomUUID() }), ...headers } });

  it("tell of assignments, behind the answer, without a raw id", async () => {
    const user = { ...someone, device_id: "device-of-events", platform: "iOS", country: "de" };
    const headers = { ...userHeader(user), "x-amp-exp-library": "experiment-ios-client/1.2.3" };
    await stage.ask(v2, { headers, cf: { country: "AT", colo: "VIE" } });
    const events = stage.takeEvents();
    expect(events.map(({ type }) => type)).toEqual(["assignment", "identity"]);
    expect(events[0]).toMatchObject({
      tenant: stage.tenant,
      experiment_id: "exp_Page",
      flag_key: "page",
      epoch: 1,
      method: "auto",
      subject_kind: "device",
      source: "amplitude",
      deployment: "dep_Client",
      attributes: {
        platform: "ios",
        country: "DE",
        colo: "VIE",
        sdk: "experiment-ios-client/1.2.3",
        app_version: "2.3.0",
      },
    });
    expect(JSON.stringify(events)).not.toMatch(/device-of-events|ユーザー/);
    await stage.ask(v2, { headers });
    expect(stage.takeEvents()).toEqual([]);
  });

  it.each([
    ["no-track", {}, []],
    ["read-only", {}, []],
    ["track", {}, ["assignment"]],
    ["no-track", { "x-amp-exp-exposure-track": "track" }, ["exposure"]],
    ["track", { "x-amp-exp-exposure-track": "track" }, ["assignment", "exposure"]],
    ["read-only", { "x-amp-exp-exposure-track": "track" }, []],
    ["track", { "x-amp-exp-exposure-track": "no-track" }, ["assignment"]],
  ])("are what X-Amp-Exp-Track: %s with %j wants", async (tracked, headers, expected) => {
    await track({ "x-amp-exp-track": tracked, ...(headers as Record<string, string>) });
    expect(stage.takeEvents().map(({ type }) => type)).toEqual(expected);
  });

  it("tell nothing of a server's own place", async () => {
    await track({}, { key: keys.server, cf: { country: "AT" } });
    expect(stage.takeEvents()[0]).toMatchObject({ deployment: "dep_Server", attributes: {} });
  });
});

describe("overrides", () => {
  const forced = "/sdk/v2/vardata?v=0&experiment_id=exp_Page&variation_id=var_c";

  it("force a variation, which nobody counts", async () => {
    const response = await stage.ask(forced, { headers: userHeader() });
    const { page } = await response.json<Record<string, unknown>>();
    expect(page).toMatchObject({
      key: "c",
      payload: { wide: true },
      metadata: { segmentName: "forced", trackExposure: false, experimentKey: "exp_Page" },
    });
    expect(stage.takeEvents()).toEqual([]);
  });

  it("that cannot be are told in a header and in the log, and change nothing", async () => {
    const response = await stage.ask(`${v2}&experiment_id=exp_None`, { headers: userHeader() });
    expect([response.status, response.headers.get("x-vestibule-warning")]).toEqual([200, "experiment_not_found"]);
    expect(stage.takeWarnings()).toEqual(["experiment_not_found"]);
  });

  it("are refused without a token where the tenant wants one, and unknown where it wants none", async () => {
    for (const [overrides, warning] of [
      ["signed", "experiment_override_refused"],
      ["off", null],
    ] as const) {
      const other = createFetchStage({ tenant: { overrides } });
      await other.publish(of);
      const response = await other.ask(forced, { headers: userHeader() });
      expect(response.headers.get("x-vestibule-warning")).toBe(warning);
      expect((await variantsOf(response)).page).not.toBe("c");
    }
  });
});

describe("what apps say of their users", () => {
  const targets = { US: "us", mobile: "mobile", ios: "ios" };
  const rules = [
    segment("us", [{ match: { country: ["US"] } }]),
    segment("mobile", [{ match: { device_type: ["mobile"] } }]),
    segment("ios", [{ match: { platform: { starts_with: ["io"] } } }]),
  ];
  const keysOf = Object.values(targets);
  const targeted = (name: string) =>
    flag({
      id: `flg_${name}`,
      key: name,
      name,
      deployments: everywhere,
      rollout: { targeting: [{ name, segment_id: `seg_${name}`, percentage: 100, weights: { on: 1 } }] },
    });
  let other: FetchStage;
  beforeAll(async () => {
    other = createFetchStage();
    await other.publish({
      feature_flags: keysOf.map(targeted),
      variations: keysOf.flatMap((name) =>
        ["on", "not"].map((key) => variation(key, { id: `var_${name}${key}`, feature_flag_id: `flg_${name}` })),
      ),
      segments: rules,
      experiments: [],
    });
  });
  const iphone = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148";
  const on = async (user: object, init: Parameters<FetchStage["ask"]>[1] = {}) => {
    const headers = { ...userHeader({ device_id: "d", ...user }), ...(init.headers as Record<string, string>) };
    const variants = await variantsOf(await other.ask(v2, { ...init, headers }));
    return Object.keys(variants).filter((key) => variants[key] === "on");
  };

  it.each(["iOS", "ios", "IOS"])("meets rules however it is written: %s", async (platform) => {
    expect(await on({ platform })).toEqual(["ios"]);
    expect(await on({ platform }, { key: keys.server })).toEqual(["ios"]);
  });

  it("is completed by what the request of a device tells", async () => {
    const init = { cf: { country: "US" }, headers: { "user-agent": iphone } };
    expect(await on({}, init)).toEqual(["us", "mobile", "ios"]);
    expect(await on({ country: "DE", platform: "Web", device_category: "desktop" }, init)).toEqual([]);
    expect(await on({ country: "us" })).toEqual(["us"]);
    expect(await on({ device_category: "Mobile", country: null }, { cf: { country: "US" } })).toEqual(["us", "mobile"]);
  });

  it("stands alone where a server asks: the request tells of the server", async () => {
    expect(await on({}, { key: keys.server, cf: { country: "US" }, headers: { "user-agent": iphone } })).toEqual([]);
  });
});
