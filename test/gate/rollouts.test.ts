/** Design §6 and §7, Rollouts: a flag that is enabled at the gate and in no active experiment is served by its rollout. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Resources } from "../../src/model/resources.ts";
import { publishIndex } from "../cohorts/published.ts";
import { cohort, experiment, holdout, segment } from "../model/resources.ts";
import { breakCohorts } from "./faults.ts";
import {
  authorizePath,
  createLoginBrowser,
  createUsers,
  type LoginBrowser,
  newState,
  type Stamped,
  type Step,
} from "./login-browser.ts";
import {
  allVariations,
  enable,
  everyone,
  login,
  noExperiments,
  otherFlag,
  type Rollout,
  rolledOut,
  served,
  setUpProvider,
  stampsOf,
  thrice,
} from "./rollout-harness.ts";
import { clearStores, navigation, publish, realStores, type Stage } from "./stage.ts";

let stage: Stage;
beforeEach(() => clearStores());
afterEach(() => vi.unstubAllGlobals());

const later = (ms: number) => {
  stage.clock.nowMs += ms;
};
const variationOf = ({ stamped }: Step) => stamped[0]?.variation ?? null;

describe("a rollout of one variation to everyone", () => {
  const winner = { feature_flags: [rolledOut(everyone("b"))], ...noExperiments };

  it("is stamped on every step of every login, and sets no cookie", async () => {
    stage = setUpProvider();
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
    stage = setUpProvider();
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
    stage = setUpProvider();
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
    stage = setUpProvider();
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
    stage = setUpProvider();
    await enable(winner);
    const { stamp } = await stage.send(navigation(path, headers));
    expect([stamp("id"), stamp("stamp")]).toEqual([null, null]);
  });

  it("is not stamped on a machine's requests", async () => {
    stage = setUpProvider();
    await enable(winner);
    const init = { method: "POST", body: "grant_type=refresh_token", headers: { "user-agent": "okhttp/4.12.0" } };
    const { stamp } = await stage.send(new Request("https://login.example.com/oauth/token", init));
    expect(stamp("id")).toBeNull();
  });

  it("makes the page private, since another visitor's may differ tomorrow", async () => {
    stage = setUpProvider();
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
    stage = setUpProvider({
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
    stage = setUpProvider();
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
    stage = setUpProvider();
    await enable({ ...winner, feature_flags: [rolledOut(everyone("b"), { deployments })] });
    const steps = await login(createLoginBrowser(stage));
    expect(stampsOf(steps)).toEqual(thrice([]));
    for (const { failedOpen, response } of steps) {
      expect([failedOpen, response.headers.getSetCookie()]).toEqual([null, []]);
    }
  });

  it.each(["draft", "archived"] as const)("is not served while its flag is %s", async (status) => {
    stage = setUpProvider();
    await enable({ feature_flags: [rolledOut(everyone("b"), { status })], ...noExperiments });
    expect(stampsOf(await login(createLoginBrowser(stage)))).toEqual(thrice([]));
  });

  it("is not served by a snapshot from before flags could be enabled at the gate", async () => {
    stage = setUpProvider();
    const { gate: _, ...before } = await enable(winner);
    await publish(before);
    expect(stampsOf(await login(createLoginBrowser(stage)))).toEqual(thrice([]));
  });
});

describe("a rollout by shares", () => {
  it("is each device's own, the same at every step and every visit", async () => {
    stage = setUpProvider();
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
    stage = setUpProvider();
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
    stage = setUpProvider({ tenant: { device_cookie: "did" } });
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
    stage = setUpProvider({ tenant: { consent: { cookie: "consent", pattern: "^yes$" } } });
    const other = otherFlag();
    await enable({
      feature_flags: [rolledOut(everyone("a", "b")), other],
      variations: allVariations,
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
    stage = setUpProvider({ tenant: { consent: { cookie: "consent", pattern: "^yes$" }, device_cookie: "did" } });
    await enable({ feature_flags: [rolledOut(everyone("a", "b"))], ...noExperiments });
    expect(stampsOf(await login(createLoginBrowser(stage, { did: "one" })))).toEqual(thrice([]));
    const [first, ...rest] = stampsOf(await login(createLoginBrowser(stage, { did: "one", consent: "yes" })));
    expect(first).toHaveLength(1);
    expect(rest).toEqual([first, first]);
  });

  it("mints nothing for a prefetch, a frame, a call or a form post", async () => {
    stage = setUpProvider();
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
    stage = setUpProvider({ tenant: { ...users.tenant, device_cookie: "did" } }, users.jwks);
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
    stage = setUpProvider({ tenant: { device_cookie: "did" } });
    await enable({ feature_flags: [rolledOut({ inclusions })], ...noExperiments });
    expect(stampsOf(await login(createLoginBrowser(stage, { did: "tester" })))).toEqual(thrice([served("b")]));
    const others = createLoginBrowser(stage);
    expect(stampsOf(await login(others))).toEqual(thrice([]));
    expect(others.cookies.size).toBe(0);
  });

  it("and buckets by user depend on the user, whatever the browser", async () => {
    const users = await createUsers();
    stage = setUpProvider({ tenant: users.tenant }, users.jwks);
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
    stage = setUpProvider();
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
    stage = setUpProvider({ tenant: { provider: "keycloak" } });
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
    stage = setUpProvider();
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
    stage = setUpProvider({ tenant: { consent: { cookie: "consent", pattern: "^yes$" } } });
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
      feature_flags: [rolledOut({ targeting: [target("In", "b")], ...everyone("a") }), otherFlag()],
      variations: allVariations,
      ...noExperiments,
    };
    const other = served("y", { flag: "other" });
    const index = () => publishIndex(realStores.kv, { coh_In: { type: "device", members: ["in"] } });

    it("serve its members, at every step", async () => {
      stage = setUpProvider({ tenant: { device_cookie: "did" } });
      await enable(onCohort, await index());
      const inside = await login(createLoginBrowser(stage, { did: "in" }));
      expect(stampsOf(inside)).toEqual(thrice([other, served("b", { segment: "seg_In" })]));
      const outside = await login(createLoginBrowser(stage, { did: "out" }));
      expect(stampsOf(outside)).toEqual(thrice([other, served("a")]));
    });

    it.each(["error", "throw", "garbage", "hang"] as const)(
      "that cannot be read give nothing, and cost no other flag: %s",
      async (fault) => {
        stage = setUpProvider({ tenant: { device_cookie: "did" } });
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
      stage = setUpProvider({ tenant: { device_cookie: "did" } });
      await enable(onCohort);
      expect(stampsOf(await login(createLoginBrowser(stage, { did: "in" })))).toEqual(thrice([other]));
    });
  });
});

describe("a sticky rollout", () => {
  it("keeps what a subject had once its weights change, at every step, and gives newcomers the new", async () => {
    stage = setUpProvider();
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
    stage = setUpProvider({ tenant: { device_cookie: "did" } });
    const base = rolledOut(everyone("a", "b"));
    const next = otherFlag({ ...everyone("y"), dependencies: { page: ["b"] } });
    await enable({ feature_flags: [base, next], variations: allVariations, ...noExperiments });
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
    stage = setUpProvider();
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

it("a broken flag fails alone", async () => {
  stage = setUpProvider();
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
    stage = setUpProvider();
    const stored = await enable({ feature_flags: [rolledOut(everyone("b"))], ...noExperiments });
    await publish({ ...stored, gate } as never);
    expect(stampsOf(await login(createLoginBrowser(stage)))).toEqual(thrice([]));
    vi.unstubAllGlobals();
  }
});
