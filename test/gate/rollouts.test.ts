/** Design §6 and §7, Rollouts: a flag that is enabled at the gate and in no active experiment is served by its rollout. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { buildSnapshot } from "../../src/model/compile/build-snapshot.ts";
import type { FeatureFlag } from "../../src/model/feature-flag.ts";
import type { Resources } from "../../src/model/resources.ts";
import type { CohortIndex, Snapshot } from "../../src/model/snapshot.ts";
import { publishIndex } from "../cohorts/published.ts";
import {
  cohort,
  experiment,
  flag,
  holdout,
  resources,
  segment,
  share,
  variation,
  variations,
} from "../model/resources.ts";
import { breakCohorts, breakKv } from "./faults.ts";
import {
  answerAsProvider,
  authorizePath,
  briefly,
  createLoginBrowser,
  createUsers,
  type LoginBrowser,
  newState,
  type Stamped,
  type Step,
} from "./login-browser.ts";
import { clearStores, createStage, navigation, publish, realStores, type Stage, type StageOptions } from "./stage.ts";

type Rollout = NonNullable<FeatureFlag["rollout"]>;

let stage: Stage;
beforeEach(() => clearStores());
afterEach(() => vi.unstubAllGlobals());

function setUp(options: StageOptions = {}, jwks?: unknown): Stage {
  stage = createStage(options);
  answerAsProvider(stage, jwks);
  return stage;
}

let version = 0;
/** Publishes these, with every flag enabled at the gate unless it says otherwise. */
async function enable(changes: Partial<Resources>, cohorts?: CohortIndex): Promise<Snapshot> {
  version++;
  const options = { tenant: "acme", version, publishedAt: "2025-01-31T12:00:00.000Z", cohorts };
  return publish(buildSnapshot(resources(changes), options), version);
}
/** The gate's memory is a minute old at most. */
const later = (ms = 61_000) => {
  stage.clock.nowMs += ms;
};

const rolledOut = (rollout: Rollout, changes: Partial<FeatureFlag> = {}) => flag({ rollout, ...changes });
const everyone = (...keys: string[]): Rollout => ({
  all_users: { percentage: 100, weights: Object.fromEntries(keys.map((key) => [key, 1])) },
});
const served = (key: string, more: Partial<Stamped> = {}): Stamped => ({
  id: "-",
  flag: "page",
  variation: `var_${key}`,
  control: false,
  method: "rollout",
  ...more,
});
const noExperiments = { experiments: [] };

async function login(browser: LoginBrowser, more = "") {
  const start = await browser.fromOutside(authorizePath(newState(), more));
  const page = await browser.within("/login");
  const form = await browser.post("/login");
  return [start, page, form] as const;
}
const stampsOf = (steps: readonly Step[]) => steps.map(({ stamped }) => stamped);
const thrice = <T>(value: T) => [value, value, value];
const variationOf = ({ stamped }: Step) => stamped[0]?.variation ?? null;

describe("a rollout of one variation to everyone", () => {
  const winner = { feature_flags: [rolledOut(everyone("b"))], ...noExperiments };

  it("is stamped on every step of every login, and sets no cookie", async () => {
    setUp();
    await enable(winner);
    const browser = createLoginBrowser(stage);
    for (let time = 0; time < 2; time++) {
      const steps = await login(browser);
      expect(stampsOf(steps)).toEqual(thrice([served("b")]));
      for (const { response } of steps) expect(response.headers.getSetCookie()).toEqual([]);
    }
    expect(browser.cookies.size).toBe(0);
  });

  it("is counted nowhere", async () => {
    setUp();
    await enable(winner);
    await login(createLoginBrowser(stage));
    expect(stage.queued.filter(({ kind }) => kind === "event")).toEqual([]);
    // In the log the login is one without an experiment.
    expect(stage.queued.flatMap((one) => (one.kind === "log" ? [one.entry] : []))).toMatchObject([
      { type: "s", details: {} },
    ]);
    const details = stage.queued.flatMap((one) => (one.kind === "log" ? [one.entry.details] : []));
    expect(details[0]).not.toHaveProperty("experiment");
  });

  it.each([
    ["a completed experiment", [experiment({ status: "completed" })]],
    ["an archived experiment", [experiment({ status: "archived" })]],
  ])("sets none beside %s either", async (_, experiments) => {
    setUp();
    await enable({ ...winner, experiments });
    const steps = await login(createLoginBrowser(stage));
    expect(stampsOf(steps)).toEqual(thrice([served("b")]));
    for (const { response } of steps) expect(response.headers.getSetCookie()).toEqual([]);
  });

  it.each([
    ["a bot", { "user-agent": "Mozilla/5.0 (compatible; Googlebot/2.1)" }],
    ["a headless browser", { "user-agent": "HeadlessChrome/149.0.0.0" }],
    ["a browser without fetch metadata", { "sec-fetch-dest": "", "sec-fetch-mode": "" }],
    ["a page's call", { "sec-fetch-dest": "empty", "sec-fetch-mode": "cors" }],
    ["a frame", { "sec-fetch-dest": "iframe" }],
    ["a service worker's navigation", { "sec-fetch-dest": "empty", "sec-fetch-mode": "navigate" }],
  ])("is served to %s", async (_, headers) => {
    setUp();
    await enable(winner);
    const request = navigation("/login", headers);
    for (const [name, value] of Object.entries(headers)) if (value === "") request.headers.delete(name);
    const { stamp, response } = await stage.send(request);
    expect([stamp("id"), stamp("variation-id"), stamp("method")]).toEqual(["-", "var_b", "rollout"]);
    expect(response.headers.getSetCookie()).toEqual([]);
  });

  it.each([
    ["a script", "/app.js", { "sec-fetch-dest": "script" }],
    ["an image", "/logo.png", { "sec-fetch-dest": "image" }],
    ["a silent request", "/authorize?client_id=a&response_type=code&prompt=none", {}],
  ])("is not stamped on %s", async (_, path, headers) => {
    setUp();
    await enable(winner);
    const { stamp } = await stage.send(navigation(path, headers));
    expect([stamp("id"), stamp("stamp")]).toEqual([null, null]);
  });

  it("is not stamped on a machine's requests", async () => {
    setUp();
    await enable(winner);
    const init = { method: "POST", body: "grant_type=refresh_token", headers: { "user-agent": "okhttp/4.12.0" } };
    const { stamp } = await stage.send(new Request("https://login.example.com/oauth/token", init));
    expect(stamp("id")).toBeNull();
  });

  it("makes the page private, since another visitor's may differ tomorrow", async () => {
    setUp();
    await enable(winner);
    stage.origin.answer = () =>
      new Response("<!doctype html>", {
        headers: { "content-type": "text/html", "cache-control": "public, max-age=600", etag: '"v1"' },
      });
    const { response, seen } = await stage.send(navigation("/login", { "if-none-match": '"v1"' }));
    expect(seen.headers.has("if-none-match")).toBe(false);
    expect(response.headers.get("cache-control")).toBe("private, no-cache");
  });

  it("goes into the query of authorization requests, and onto the page, where the tenant wants it", async () => {
    setUp({
      tenant: { stamp: { query: { variation_id: "ext-variation", experiment_id: "ext-id" } }, inject: "attributes" },
    });
    await enable(winner);
    stage.origin.answer = () => new Response("<html><p>", { headers: { "content-type": "text/html" } });
    const browser = createLoginBrowser(stage);
    const start = await browser.fromOutside(authorizePath("1", "&ext-variation=evil"));
    expect(new URL(start.seen.url).searchParams.getAll("ext-variation")).toEqual(["var_b"]);
    expect(new URL(start.seen.url).searchParams.getAll("ext-id")).toEqual(["-"]);
    expect(await start.response.text()).toBe('<html data-experiment-id="-" data-variation-id="var_b"><p>');
  });

  it("is stamped with its parameters, and with a token that names the flag", async () => {
    setUp();
    await enable(winner);
    const { seen } = await createLoginBrowser(stage).fromOutside("/login");
    const config = seen.headers.get("x-experiment-config") ?? "";
    expect(JSON.parse(atob(config))).toEqual({ title: "Welcome", wide: false });
    expect(seen.headers.get("x-experiment-control")).toBe("false");
    expect(seen.headers.has("x-experiment-segment-id")).toBe(false);
    const payload = JSON.parse(atob(seen.headers.get("x-experiment-stamp")?.split(".")[1] ?? ""));
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(atob(config)));
    const hash = btoa(String.fromCharCode(...new Uint8Array(digest)))
      .replaceAll("+", "-")
      .replaceAll("/", "_")
      .replace("=", "");
    expect(payload).toMatchObject({ iss: "vestibule", aud: "acme", host: "login.example.com" });
    expect(payload.experiments).toEqual([
      {
        experiment_id: "-",
        flag_key: "page",
        variation_id: "var_b",
        control: false,
        method: "rollout",
        config_sha256: hash,
      },
    ]);
  });

  it.each([
    ["no deployment", []],
    ["an app's alone", ["dpl_App"]],
  ])("is not served where its flag is enabled in %s", async (_, deployments) => {
    setUp();
    await enable({ ...winner, feature_flags: [rolledOut(everyone("b"), { deployments })] });
    const steps = await login(createLoginBrowser(stage));
    expect(stampsOf(steps)).toEqual(thrice([]));
    for (const { failedOpen, response } of steps) {
      expect([failedOpen, response.headers.getSetCookie()]).toEqual([null, []]);
    }
  });

  it.each(["draft", "archived"] as const)("is not served while its flag is %s", async (status) => {
    setUp();
    await enable({ feature_flags: [rolledOut(everyone("b"), { status })], ...noExperiments });
    expect(stampsOf(await login(createLoginBrowser(stage)))).toEqual(thrice([]));
  });

  it("is not served by a snapshot from before flags could be enabled at the gate", async () => {
    setUp();
    const { gate: _, ...before } = await enable(winner);
    await publish(before);
    expect(stampsOf(await login(createLoginBrowser(stage)))).toEqual(thrice([]));
  });
});

describe("a rollout by shares", () => {
  it("is each device's own, the same at every step and every visit", async () => {
    setUp();
    await enable({ feature_flags: [rolledOut(everyone("a", "b"))], ...noExperiments });
    const found = new Map<string | null, number>();
    for (let index = 0; index < 60; index++) {
      const browser = createLoginBrowser(stage);
      const steps = [...(await login(browser)), ...(await login(browser))];
      const variation_ = variationOf(steps[0] as Step);
      for (const step of steps) expect(step.stamped).toEqual([served((variation_ ?? "").slice(4))]);
      found.set(variation_, (found.get(variation_) ?? 0) + 1);
    }
    expect([...found.keys()].sort()).toEqual(["var_a", "var_b"]);
    expect(Math.min(...found.values())).toBeGreaterThan(12);
    expect(stage.queued.filter(({ kind }) => kind === "event")).toEqual([]);
  });

  it("of a part serves that part alone", async () => {
    setUp();
    const rollout = { all_users: { percentage: 30, weights: { b: 1 } } };
    await enable({ feature_flags: [rolledOut(rollout)], ...noExperiments });
    let count = 0;
    for (let index = 0; index < 150; index++) {
      const browser = createLoginBrowser(stage);
      const [start, page, form] = await login(browser);
      expect([page.stamped, form.stamped]).toEqual([start.stamped, start.stamped]);
      expect(start.failedOpen).toBeNull();
      if (start.stamped.length > 0) count++;
    }
    expect(count).toBeGreaterThan(20);
    expect(count).toBeLessThan(75);
  });

  it("serves a page's calls and frames as it served the page", async () => {
    setUp({ tenant: { device_cookie: "did" } });
    await enable({ feature_flags: [rolledOut(everyone("a", "b"))], ...noExperiments });
    for (const did of ["one", "two", "three", "four", "five", "six"]) {
      const browser = createLoginBrowser(stage, { did });
      const first = (await browser.fromOutside("/login")).stamped;
      expect(first).toHaveLength(1);
      for (const headers of [{ "sec-fetch-dest": "empty", "sec-fetch-mode": "cors" }, { "sec-fetch-dest": "iframe" }]) {
        expect((await browser.send("/login/step", { headers })).stamped).toEqual(first);
      }
      expect((await browser.post("/login")).stamped).toEqual(first);
    }
  });

  it("serves no visitor without an id: a bot, one without consent", async () => {
    setUp({ tenant: { consent: { cookie: "consent", pattern: "^yes$" } } });
    const other = rolledOut(everyone("y"), { id: "flg_Other", key: "other", name: "Other" });
    await enable({
      feature_flags: [rolledOut(everyone("a", "b")), other],
      variations: [
        ...variations,
        variation("x", { feature_flag_id: "flg_Other" }),
        variation("y", { feature_flag_id: "flg_Other" }),
      ],
      ...noExperiments,
    });
    // A rollout that needs no id is served to them.
    const alike = [served("y", { flag: "other" })];
    const shy = createLoginBrowser(stage);
    const steps = await login(shy);
    expect(stampsOf(steps)).toEqual(thrice(alike));
    expect(shy.cookies.size).toBe(0);
    const bot = createLoginBrowser(stage, { consent: "yes" });
    const crawled = await bot.send("/login", { headers: { "user-agent": "Mozilla/5.0 (compatible; Googlebot/2.1)" } });
    expect(crawled.stamped).toEqual(alike);
    expect([...bot.cookies.keys()]).toEqual(["consent"]);
    const willing = createLoginBrowser(stage, { consent: "yes" });
    expect((await willing.fromOutside("/login")).stamped).toHaveLength(2);
    // Consent that is withdrawn takes the id with it.
    willing.cookies.set("consent", "no");
    expect((await willing.fromOutside("/login")).stamped).toEqual(alike);
    expect([...willing.cookies.keys()]).toEqual(["consent"]);
  });

  it("reads no id of a visitor without consent, be it the tenant's own cookie", async () => {
    setUp({ tenant: { consent: { cookie: "consent", pattern: "^yes$" }, device_cookie: "did" } });
    await enable({ feature_flags: [rolledOut(everyone("a", "b"))], ...noExperiments });
    expect(stampsOf(await login(createLoginBrowser(stage, { did: "one" })))).toEqual(thrice([]));
    const [first, ...rest] = stampsOf(await login(createLoginBrowser(stage, { did: "one", consent: "yes" })));
    expect(first).toHaveLength(1);
    expect(rest).toEqual([first, first]);
  });

  it("mints nothing for a prefetch, a frame, a call or a form post", async () => {
    setUp();
    await enable({ feature_flags: [rolledOut(everyone("a", "b"))], ...noExperiments });
    for (const headers of [
      { "sec-purpose": "prefetch" },
      { "x-purpose": "preview" },
      { "sec-fetch-dest": "iframe" },
      { "sec-fetch-dest": "empty", "sec-fetch-mode": "cors" },
    ]) {
      const { response, stamp } = await stage.send(navigation("/login", headers));
      expect([stamp("id"), response.headers.getSetCookie()]).toEqual([null, []]);
    }
    const post = await createLoginBrowser(stage).post("/login");
    expect([post.stamped, post.response.headers.getSetCookie()]).toEqual([[], []]);
  });
});

describe("inclusions", () => {
  const inclusions = {
    b: { user_ids: ["ada"], device_ids: ["tester"] },
    c: { user_ids: ["bob"], device_ids: [] },
  };
  const rollout: Rollout = { ...everyone("a"), inclusions };

  it("by device and by user hold at every step, beside all other visitors", async () => {
    const users = await createUsers();
    setUp({ tenant: { ...users.tenant, device_cookie: "did" } }, users.jwks);
    await enable({ feature_flags: [rolledOut(rollout)], ...noExperiments });
    const own = {
      tester: { did: "tester" },
      ada: { id_token: await users.tokenOf("ada") },
      bob: { id_token: await users.tokenOf("bob") },
    };
    expect(stampsOf(await login(createLoginBrowser(stage, own.tester)))).toEqual(thrice([served("b")]));
    expect(stampsOf(await login(createLoginBrowser(stage, own.ada)))).toEqual(thrice([served("b")]));
    expect(stampsOf(await login(createLoginBrowser(stage, own.bob)))).toEqual(thrice([served("c")]));
    expect(stampsOf(await login(createLoginBrowser(stage, { did: "another" })))).toEqual(thrice([served("a")]));
    expect(stampsOf(await login(createLoginBrowser(stage)))).toEqual(thrice([served("a")]));
  });

  it("hold where no other visitor is served", async () => {
    setUp({ tenant: { device_cookie: "did" } });
    await enable({ feature_flags: [rolledOut({ inclusions })], ...noExperiments });
    expect(stampsOf(await login(createLoginBrowser(stage, { did: "tester" })))).toEqual(thrice([served("b")]));
    const others = createLoginBrowser(stage);
    expect(stampsOf(await login(others))).toEqual(thrice([]));
    expect(others.cookies.size).toBe(0);
  });

  it("and buckets by user depend on the user, whatever the browser", async () => {
    const users = await createUsers();
    setUp({ tenant: users.tenant }, users.jwks);
    await enable({ feature_flags: [rolledOut({ ...everyone("a", "b"), bucketing_key: "user_id" })], ...noExperiments });
    const found = new Set<string | null>();
    for (const id of "abcdefgh") {
      const token = await users.tokenOf(id);
      const steps = [
        ...(await login(createLoginBrowser(stage, { id_token: token }))),
        ...(await login(createLoginBrowser(stage, { id_token: token }))),
      ];
      expect(new Set(steps.map(variationOf)).size).toBe(1);
      found.add(variationOf(steps[0] as Step));
    }
    expect([...found].sort()).toEqual(["var_a", "var_b"]);
    const unknown = createLoginBrowser(stage);
    expect(stampsOf(await login(unknown))).toEqual(thrice([]));
    expect(unknown.cookies.size).toBe(0);
  });
});

describe("targets", () => {
  const target = (name: string, key: string, segmentId = `seg_${name}`) => ({
    name,
    segment_id: segmentId,
    percentage: 100,
    weights: { [key]: 1 },
  });

  it("of a country and a client hold at every step of the login, in their order, and say which segment it was", async () => {
    setUp();
    await enable({
      segments: [
        segment("Swiss", [{ match: { country: ["ch"] } }]),
        segment("App", [{ match: { client_id: ["app"] } }]),
      ],
      feature_flags: [rolledOut({ targeting: [target("Swiss", "b"), target("App", "c")], ...everyone("a") })],
      ...noExperiments,
    });
    const path = (client: string) => `/authorize?client_id=${client}&response_type=code&state=${newState()}`;
    const through = async (client: string, country: string) => {
      const browser = createLoginBrowser(stage);
      const sent = stage.send;
      stage.send = (request, settle) => sent(new Request(request, { cf: { country } as never }), settle);
      const steps = [
        await browser.fromOutside(path(client)),
        await browser.within("/login"),
        await browser.post("/login"),
      ];
      stage.send = sent;
      return stampsOf(steps);
    };
    expect(await through("other", "CH")).toEqual(thrice([served("b", { segment: "seg_Swiss" })]));
    expect(await through("app", "CH")).toEqual(thrice([served("b", { segment: "seg_Swiss" })]));
    expect(await through("other", "DE")).toEqual(thrice([served("a")]));
    expect(await through("app", "DE")).toEqual(thrice([served("c", { segment: "seg_App" })]));
  });

  it("of a client hold in a brokered login, too, which names another", async () => {
    setUp({ tenant: { provider: "keycloak" } });
    await enable({
      segments: [segment("App", [{ match: { client_id: ["app"] } }])],
      feature_flags: [rolledOut({ targeting: [target("App", "c")], ...everyone("a") })],
      ...noExperiments,
    });
    const browser = createLoginBrowser(stage);
    const auth = (realm: string, client: string, state: string) =>
      `/realms/${realm}/protocol/openid-connect/auth?client_id=${client}&response_type=code&state=${state}`;
    const steps = [
      await browser.fromOutside(auth("A", "app", "1")),
      await browser.within(auth("B", "broker", "2")),
      await browser.post("/realms/B/login-actions/authenticate"),
      await browser.within("/realms/A/broker/B/endpoint?state=2&code=c"),
    ];
    expect(stampsOf(steps)).toEqual(steps.map(() => [served("c", { segment: "seg_App" })]));
  });

  it("of an organization and a connection hold at every step", async () => {
    setUp();
    await enable({
      segments: [segment("Both", [{ match: { organization_id: ["org_1"], connection: ["sso"] } }])],
      feature_flags: [rolledOut({ targeting: [target("Both", "c")], ...everyone("a") })],
      ...noExperiments,
    });
    const both = await login(createLoginBrowser(stage), "&organization=org_1&connection=sso");
    expect(stampsOf(both)).toEqual(thrice([served("c", { segment: "seg_Both" })]));
    expect(stampsOf(await login(createLoginBrowser(stage), "&organization=org_1"))).toEqual(thrice([served("a")]));
  });

  it("of a client do not change a page of a visitor whose login cannot be remembered", async () => {
    setUp({ tenant: { consent: { cookie: "consent", pattern: "^yes$" } } });
    await enable({
      segments: [segment("App", [{ match: { client_id: ["app"] } }])],
      feature_flags: [rolledOut({ targeting: [target("App", "c")], ...everyone("a") })],
      ...noExperiments,
    });
    const browser = createLoginBrowser(stage);
    expect(stampsOf(await login(browser))).toEqual(thrice([served("a")]));
    expect(browser.cookies.size).toBe(0);
    const willing = createLoginBrowser(stage, { consent: "yes" });
    expect(stampsOf(await login(willing))).toEqual(thrice([served("c", { segment: "seg_App" })]));
  });

  describe("of a cohort", () => {
    const onCohort: Partial<Resources> = {
      cohorts: [cohort("In")],
      segments: [segment("In", [{ match: { cohort: ["coh_In"] } }])],
      feature_flags: [
        rolledOut({ targeting: [target("In", "b")], ...everyone("a") }),
        rolledOut(everyone("y"), { id: "flg_Other", key: "other", name: "Other" }),
      ],
      variations: [
        ...variations,
        variation("x", { feature_flag_id: "flg_Other" }),
        variation("y", { feature_flag_id: "flg_Other" }),
      ],
      ...noExperiments,
    };
    const other = served("y", { flag: "other" });
    const index = () => publishIndex(realStores.kv, { coh_In: { type: "device", members: ["in"] } });

    it("serve its members, at every step", async () => {
      setUp({ tenant: { device_cookie: "did" } });
      await enable(onCohort, await index());
      const inside = await login(createLoginBrowser(stage, { did: "in" }));
      expect(stampsOf(inside)).toEqual(thrice([other, served("b", { segment: "seg_In" })]));
      const outside = await login(createLoginBrowser(stage, { did: "out" }));
      expect(stampsOf(outside)).toEqual(thrice([other, served("a")]));
    });

    it.each(["error", "throw", "garbage", "hang"] as const)(
      "that cannot be read give nothing, and cost no other flag: %s",
      async (fault) => {
        setUp({ tenant: { device_cookie: "did" } });
        await enable(onCohort, await index());
        stage.restart(100);
        await stage.send(navigation("/login", { "sec-purpose": "prefetch" }));
        await breakCohorts(stage, fault);
        const steps = await login(createLoginBrowser(stage, { did: "in" }));
        expect(stampsOf(steps)).toEqual(thrice([other]));
        expect(new Set(steps.flatMap(({ warnings }) => warnings))).toEqual(new Set(["experiment_cohort_unavailable"]));
      },
    );

    it("without an index give nothing", async () => {
      setUp({ tenant: { device_cookie: "did" } });
      await enable(onCohort);
      expect(stampsOf(await login(createLoginBrowser(stage, { did: "in" })))).toEqual(thrice([other]));
    });
  });
});

describe("a sticky rollout", () => {
  it("keeps what a subject had once its weights change, at every step, and gives newcomers the new", async () => {
    setUp();
    const sticky = (...keys: string[]): Rollout => ({ ...everyone(...keys), sticky_bucketing: true });
    await enable({ feature_flags: [rolledOut(sticky("a", "b"))], ...noExperiments });
    const browsers: { browser: LoginBrowser; first: Stamped[] }[] = [];
    for (let index = 0; index < 12; index++) {
      const browser = createLoginBrowser(stage);
      browsers.push({ browser, first: (await login(browser))[0].stamped });
    }
    expect(new Set(browsers.map(({ first }) => first[0]?.variation)).size).toBe(2);
    await enable({ feature_flags: [rolledOut(sticky("b", "c"))], ...noExperiments });
    later(2 * 3600_000);
    for (const { browser, first } of browsers) expect(stampsOf(await login(browser))).toEqual(thrice(first));
    const newcomers = new Set<string | null>();
    for (let index = 0; index < 12; index++) newcomers.add(variationOf((await login(createLoginBrowser(stage)))[0]));
    expect([...newcomers].sort()).toEqual(["var_b", "var_c"]);
  });
});

describe("dependencies", () => {
  it("serve those who have the other flag's variation", async () => {
    setUp({ tenant: { device_cookie: "did" } });
    const base = rolledOut(everyone("a", "b"));
    const next = rolledOut(
      { ...everyone("y"), dependencies: { page: ["b"] } },
      { id: "flg_Other", key: "other", name: "Other" },
    );
    const more = [variation("x", { feature_flag_id: "flg_Other" }), variation("y", { feature_flag_id: "flg_Other" })];
    await enable({ feature_flags: [base, next], variations: [...variations, ...more], ...noExperiments });
    const seen = new Set<string>();
    for (let index = 0; index < 12; index++) {
      const [start, page, form] = await login(createLoginBrowser(stage, { did: `d${index}` }));
      const isB = start.stamped.some(({ variation: id }) => id === "var_b");
      expect(start.stamped.some(({ flag: key }) => key === "other")).toBe(isB);
      expect([page.stamped, form.stamped]).toEqual([start.stamped, start.stamped]);
      seen.add(String(isB));
    }
    expect(seen.size).toBe(2);
  });

  it("on a holdout leave a part of the devices without", async () => {
    setUp();
    await enable({
      feature_flags: [rolledOut(everyone("b"))],
      groups: [holdout({ percentage: 50 })],
      ...noExperiments,
    });
    const counts = { in: 0, out: 0 };
    for (let index = 0; index < 60; index++) {
      const browser = createLoginBrowser(stage);
      const [start, page, form] = await login(browser);
      expect([page.stamped, form.stamped]).toEqual([start.stamped, start.stamped]);
      expect((await login(browser))[0].stamped).toEqual(start.stamped);
      counts[start.stamped.length > 0 ? "in" : "out"]++;
    }
    expect(Math.min(counts.in, counts.out)).toBeGreaterThan(12);
  });
});

describe("an experiment and its flag's rollout", () => {
  const rollout = everyone("c");
  const world = (
    status: "draft" | "active" | "paused" | "completed" | "archived",
    own: Rollout | null = rollout,
    changes = {},
  ) => ({
    feature_flags: [own === null ? flag() : rolledOut(own)],
    experiments: [experiment({ status, ...changes })],
  });
  const usual = async (browser: LoginBrowser) => {
    const steps = await login(browser);
    return steps.map(({ stamped }) => stamped.map(({ id, method }) => `${id} ${method}`).join());
  };
  const assigned = ["exp_Page auto", "exp_Page session", "exp_Page session"];
  const onRollout = thrice("- rollout");

  it("take turns as the experiment is activated, paused and completed", async () => {
    setUp();
    await enable(world("draft"));
    expect(await usual(createLoginBrowser(stage))).toEqual(onRollout);
    await enable(world("active"));
    later(2 * 3600_000);
    const browser = createLoginBrowser(stage);
    expect(await usual(browser)).toEqual(assigned);
    await enable(world("paused"));
    later(2 * 3600_000);
    expect(await usual(browser)).toEqual(onRollout);
    await enable(world("active"));
    later(2 * 3600_000);
    expect(await usual(browser)).toEqual(assigned);
    await enable(world("completed"));
    later(2 * 3600_000);
    expect(await usual(browser)).toEqual(onRollout);
  });

  it("pausing leaves every login under way its page", async () => {
    setUp();
    await enable(world("active"));
    const browser = createLoginBrowser(stage);
    const state = newState();
    const start = await browser.fromOutside(authorizePath(state));
    await enable(world("paused"));
    later(31_000);
    await browser.within("/login");
    const steps = [await browser.within("/login"), await browser.post("/login")];
    const kept = start.stamped.map((one) => ({ ...one, method: "session" }));
    expect(stampsOf(steps)).toEqual([kept, kept]);
    expect(briefly((steps[1] as Step).events)).toEqual(["auth exp_Page s"]);
    expect(await usual(createLoginBrowser(stage))).toEqual(onRollout);
  });

  it("pausing shows no rollout in the middle of a login that the experiment left out", async () => {
    setUp();
    const ramp = { levels: [1, 100], current_level: 1 };
    await enable(world("active", rollout, ramp));
    let browser = createLoginBrowser(stage);
    while ((await browser.fromOutside(authorizePath(newState()))).stamped.length > 0)
      browser = createLoginBrowser(stage);
    await enable(world("paused", rollout, ramp));
    later(31_000);
    await browser.within("/login");
    const steps = [await browser.within("/login"), await browser.post("/login")];
    expect(stampsOf(steps)).toEqual([[], []]);
    expect(await usual(browser)).toEqual(onRollout);
  });

  it("activating in the middle of a login assigns from the next one on", async () => {
    setUp();
    await enable(world("draft"));
    const browser = createLoginBrowser(stage);
    expect((await browser.fromOutside(authorizePath(newState()))).stamped).toEqual([served("c")]);
    await enable(world("active"));
    later(31_000);
    await browser.within("/login");
    const steps = [await browser.within("/login"), await browser.post("/login")];
    expect(steps.flatMap(({ stamped }) => stamped.filter(({ id }) => id !== "-"))).toEqual([]);
    expect(stage.queued.filter(({ kind }) => kind === "event")).toEqual([]);
    expect(await usual(browser)).toEqual(assigned);
  });

  it.each([
    [
      "first completed, then rolled out",
      [world("completed", null), world("completed", everyone("b"))],
      [thrice(""), onRollout],
    ],
    [
      "first rolled out, then completed",
      [world("active", everyone("b")), world("completed", everyone("b"))],
      [assigned, onRollout],
    ],
    ["at once", [world("completed", everyone("b"))], [onRollout]],
  ])("the winner stays: %s", async (_, changes, expected) => {
    setUp();
    await enable(world("active", null));
    const browser = createLoginBrowser(stage);
    expect(await usual(browser)).toEqual(assigned);
    for (const [at, change] of changes.entries()) {
      await enable(change);
      later(2 * 3600_000);
      expect(await usual(browser)).toEqual(expected[at]);
    }
    const steps = await login(browser);
    expect(stampsOf(steps)).toEqual(thrice([served("b")]));
  });

  it("completing shows the winner to logins under way from the next request on", async () => {
    setUp();
    await enable(world("active", everyone("b")));
    const browser = createLoginBrowser(stage);
    await browser.fromOutside(authorizePath(newState()));
    await enable(world("completed", everyone("b")));
    later(31_000);
    await browser.within("/login");
    const steps = [await browser.within("/login"), await browser.post("/login")];
    expect(stampsOf(steps)).toEqual([[served("b")], [served("b")]]);
    expect(briefly(steps.flatMap(({ events }) => events))).toEqual([]);
  });

  it("are stamped in one list", async () => {
    setUp();
    const other = rolledOut(everyone("y"), { id: "flg_Other", key: "other", name: "Other" });
    const more = [variation("x", { feature_flag_id: "flg_Other" }), variation("y", { feature_flag_id: "flg_Other" })];
    await enable({
      feature_flags: [flag(), other],
      variations: [...variations, ...more],
      experiments: [experiment({ allocations: [share("a", 0, true), share("b", 100)] })],
    });
    const steps = await login(createLoginBrowser(stage));
    const pinned = { id: "exp_Page", variation: "var_b", control: false };
    const rest = served("y", { flag: "other" });
    expect(stampsOf(steps)).toEqual([
      [rest, { ...pinned, method: "auto" }],
      [rest, { ...pinned, method: "session" }],
      [rest, { ...pinned, method: "session" }],
    ]);
    const ids = steps.map(({ seen }) => seen.headers.get("x-experiment-id"));
    expect(new Set(ids)).toEqual(new Set(["exp_Page,-"]));
    expect(steps.map(({ events }) => briefly(events))).toEqual([
      ["assignment exp_Page"],
      ["exposure exp_Page"],
      ["auth exp_Page s"],
    ]);
    const entry = stage.queued.flatMap((one) => (one.kind === "log" ? [one.entry] : []));
    expect(entry).toMatchObject([{ type: "s", details: { experiment: { id: "exp_Page", variation_id: "var_b" } } }]);
    expect(entry[0]?.details).not.toHaveProperty("experiments");
  });
});

describe("a login that fails open", () => {
  const winner = { feature_flags: [rolledOut(everyone("b"))], ...noExperiments };

  it("is stamped with no rollout to its end", async () => {
    setUp();
    await enable(winner);
    await breakKv(stage, "error");
    const browser = createLoginBrowser(stage);
    const start = await browser.fromOutside(authorizePath(newState()));
    expect([start.stamped, start.failedOpen]).toEqual([[], "error"]);
    expect(browser.cookies.get("__Host-vst_ses")).toBe("open");
    stage.stores.kv = realStores.kv;
    const steps = [await browser.within("/login"), await browser.post("/login")];
    expect(steps.map(({ stamped, failedOpen }) => [stamped, failedOpen])).toEqual([
      [[], "session"],
      [[], "session"],
    ]);
    expect(stampsOf(await login(browser))).toEqual(thrice([served("b")]));
  });
});

describe("a login that stays unassigned because of its first page", () => {
  const other = rolledOut(everyone("y"), { id: "flg_Other", key: "other", name: "Other" });
  const world = {
    feature_flags: [flag(), other],
    variations: [
      ...variations,
      variation("x", { feature_flag_id: "flg_Other" }),
      variation("y", { feature_flag_id: "flg_Other" }),
    ],
  };

  it.each([
    ["a prerendered page", { headers: { "sec-purpose": "prefetch;prerender" } }],
    ["the answer to a form of another site", { method: "POST", headers: { "sec-fetch-site": "cross-site" } }],
  ])("shows no rollout on any page: %s", async (_, options) => {
    setUp();
    await enable(world);
    stage.origin.answer = () => new Response("<!doctype html>", { headers: { "content-type": "text/html" } });
    const browser = createLoginBrowser(stage);
    const steps = [
      await browser.send("/login", options),
      await browser.post("/login"),
      await browser.within("/login/next"),
    ];
    expect(stampsOf(steps)).toEqual(thrice([]));
    expect(steps.map(({ failedOpen }) => failedOpen)).toEqual([null, "session", "session"]);
  });
});

describe("more flags than fit", () => {
  const keys = Array.from({ length: 100 }, (_, index) => `flag_${String(index).padStart(3, "0")}`);
  const many = {
    feature_flags: [
      ...keys.map((key) => rolledOut(everyone(`${key}_on`), { id: `flg_${key}`, key, name: key })),
      flag({ id: "flg_Page" }),
    ],
    variations: [
      ...keys.flatMap((key) => [
        variation(`${key}_on`, { feature_flag_id: `flg_${key}` }),
        variation(`${key}_off`, { feature_flag_id: `flg_${key}` }),
      ]),
      ...variations,
    ],
    experiments: [experiment()],
  };

  it("stay within 4 KiB, the experiment first, the same flags for everybody, and a warning says which are left out", async () => {
    setUp();
    await enable(many);
    const flagsSeen = new Set<string>();
    for (let index = 0; index < 6; index++) {
      const browser = createLoginBrowser(stage);
      const steps = await login(browser);
      for (const { seen, stamped } of steps) {
        const ours = [...seen.headers].filter(([name]) => /^x-(?:experiment|forwarded|vestibule)-/.test(name));
        const bytes = ours.reduce((sum, [name, value]) => sum + name.length + value.length + 4, 0);
        expect(bytes).toBeLessThanOrEqual(4_096);
        expect(seen.headers.get("x-experiment-id")?.split(",")[0]).toBe("exp_Page");
        expect(stamped.length).toBeGreaterThan(5);
        flagsSeen.add(stamped.map(({ flag: key }) => key).join());
        // A config is there for each.
        expect(seen.headers.get("x-experiment-config")?.split(",")).toHaveLength(stamped.length);
      }
    }
    expect(flagsSeen.size).toBe(1);
    const warnings = stage.queued.flatMap((one) => (one.kind === "log" && one.entry.type === "w" ? [one.entry] : []));
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatchObject({ details: { code: "experiment_stamp_too_large" } });
    expect(warnings[0]?.description).not.toContain("exp_Page");
    const stamped = [...flagsSeen].join().split(",").length - 1;
    expect(warnings[0]?.description).toContain(`left out: ${keys[stamped]}, ${keys[stamped + 1]}, `);
  });
});

it("a broken flag fails alone", async () => {
  setUp();
  await enable({ feature_flags: [rolledOut(everyone("b"))], ...noExperiments });
  const stored = JSON.parse((await realStores.kv.get("snapshot:acme")) ?? "");
  stored.flags.push({ key: "broken", variants: 1, segments: "?" }, null, {
    key: "x".repeat(300),
    variants: {},
    segments: [],
  });
  stored.gate.flag_keys.push("broken", "x".repeat(300), "nowhere");
  await publish(stored);
  expect(stampsOf(await login(createLoginBrowser(stage)))).toEqual(thrice([served("b")]));
});

it("what the gate cannot read of the enabled flags serves no rollout, and experiments go on", async () => {
  for (const gate of [null, [], { flag_keys: "page" }, { flag_keys: [1] }]) {
    setUp();
    const stored = await enable({ feature_flags: [rolledOut(everyone("b"))], ...noExperiments });
    await publish({ ...stored, gate } as never);
    expect(stampsOf(await login(createLoginBrowser(stage)))).toEqual(thrice([]));
    vi.unstubAllGlobals();
  }
});
