/** Design §6: how long a forced variation holds, and under which policy it is one. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { signOverride } from "../../src/assignment/override.ts";
import type { Resources } from "../../src/model/resources.ts";
import { experiment, flag, share, variation, variations } from "../model/resources.ts";
import {
  answerAsProvider,
  authorizePath,
  briefly,
  createLoginBrowser,
  createUsers,
  type LoginBrowser,
  newState,
  type Step,
} from "./login-browser.ts";
import { clearStores, createStage, publish, type Stage } from "./stage.ts";

const query = "experiment_id=exp_Page&variation_id=var_b";
const forced = { id: "exp_Page", variation: "var_b", control: false, method: "forced" };
const redirect = (location: string) => () => new Response(null, { status: 302, headers: { location } });
const html = () => new Response("<!doctype html>", { headers: { "content-type": "text/html" } });
/** Events that a forced visit must not send. */
const countedOf = (steps: readonly Step[]) =>
  briefly(steps.flatMap(({ events }) => events)).filter((event) => !event.startsWith("forced"));
const warningsOf = (steps: readonly Step[]) => steps.flatMap(({ warnings }) => warnings);

let stage: Stage;
beforeEach(() => clearStores());
afterEach(() => vi.unstubAllGlobals());

/** Goes to an address to which the provider answers so. */
async function answered(step: () => Promise<Step>, answer: () => Response): Promise<Step> {
  stage.origin.answer = answer;
  return step();
}

describe.each(["draft", "active", "paused", "completed", "archived"] as const)("a forced %s experiment", (status) => {
  const usual = status === "active" ? ["exp_Page"] : [];
  const resourcesOf = (): Partial<Resources> => ({ experiments: [experiment({ status })] });

  /** The next login is assigned and counted as ever. */
  async function expectUsual(browser: LoginBrowser, path: string, ending: string) {
    const start = await answered(() => browser.fromOutside(path), redirect("/login"));
    expect(start.stamped.map(({ id, method }) => [id, method])).toEqual(usual.map((id) => [id, "auto"]));
    expect(countedOf([start])).toEqual(usual.map((id) => `assignment ${id}`));
    expect(countedOf([await answered(() => browser.within("/login"), html)])).toEqual(
      usual.map((id) => `exposure ${id}`),
    );
    const end = await answered(() => browser.post("/login"), redirect(ending));
    expect(countedOf([end])).toEqual(usual.map((id) => `auth ${id} s`));
  }

  it.each([
    ["by a continuation", "&continue=1"],
    ["by the very same address", ""],
    ["by a login verifier", "&login_verifier=abc"],
  ])("holds while the provider goes through its authorization endpoint again, %s", async (_, more) => {
    stage = createStage();
    await publish(resourcesOf());
    const browser = createLoginBrowser(stage);
    const address = `/oauth2/authorize?client_id=a&response_type=code&state=${newState()}`;
    const state = address.split("state=")[1];
    const steps = [await answered(() => browser.fromOutside(`${address}&${query}`), redirect("/login"))];
    steps.push(await answered(() => browser.within("/login"), html));
    const second = `${address}${more}`;
    steps.push(await answered(() => browser.post("/login"), redirect(second)));
    // The redirect chain of a form of this site: the browser says same-origin.
    steps.push(await answered(() => browser.within(second), redirect("/consent")));
    steps.push(await answered(() => browser.within("/consent"), html));
    steps.push(await answered(() => browser.post("/consent"), redirect(second)));
    const end = redirect(`https://app.example.com/cb?code=1&state=${state}`);
    steps.push(await answered(() => browser.within(second), end));
    expect(steps.map(({ stamped }) => stamped)).toEqual(steps.map(() => [forced]));
    expect([countedOf(steps), warningsOf(steps)]).toEqual([[], []]);
    expect(browser.cookies.has("__Host-vst_ses")).toBe(false);
    await expectUsual(
      browser,
      `/oauth2/authorize?client_id=a&response_type=code&state=next`,
      "https://app.example.com/cb?code=1&state=next",
    );
  });

  it("holds while an upstream provider on another site answers, by GET and by POST", async () => {
    stage = createStage();
    await publish(resourcesOf());
    for (const method of ["GET", "POST"]) {
      const browser = createLoginBrowser(stage);
      const state = newState();
      const steps = [await answered(() => browser.fromOutside(authorizePath(state, `&${query}`)), redirect("/login"))];
      steps.push(await answered(() => browser.within("/login"), html));
      steps.push(
        await answered(
          () => browser.post("/login/social"),
          redirect("https://social.example.net/authorize?client_id=b&state=up"),
        ),
      );
      const back = method === "GET" ? "/login/callback?code=x&state=up" : "/login/callback";
      const body = method === "GET" ? {} : { body: "code=x&state=up" };
      const headers = { "sec-fetch-site": "cross-site", origin: "https://social.example.net" };
      const end = redirect(`https://app.example.com/cb?code=1&state=${state}`);
      steps.push(await answered(() => browser.send(back, { method, headers, ...body }), end));
      expect(steps.map(({ stamped }) => stamped)).toEqual(steps.map(() => [forced]));
      expect([countedOf(steps), warningsOf(steps)]).toEqual([[], []]);
      expect(browser.cookies.has("__Host-vst_ses")).toBe(false);
    }
  });

  it("holds through a realm that brokers the login to another on the same host", async () => {
    stage = createStage({ tenant: { provider: "keycloak" } });
    await publish(resourcesOf());
    const browser = createLoginBrowser(stage);
    const auth =
      "/realms/A/protocol/openid-connect/auth?client_id=app&response_type=code&redirect_uri=https%3A%2F%2Fapp.example.com%2Fcb";
    const broker = "/realms/B/protocol/openid-connect/auth?client_id=broker&response_type=code&state=s";
    const steps = [
      await answered(
        () => browser.fromOutside(`${auth}&state=2&${query}`),
        redirect("/realms/A/broker/B/login?session_code=x"),
      ),
    ];
    steps.push(await answered(() => browser.within("/realms/A/broker/B/login?session_code=x"), redirect(broker)));
    steps.push(await answered(() => browser.within(broker), html));
    const back = "/realms/A/broker/B/endpoint?state=s&session_state=x&code=c";
    steps.push(await answered(() => browser.post("/realms/B/login-actions/authenticate"), redirect(back)));
    expect(browser.cookies.has("__Host-vst_ses")).toBe(true);
    steps.push(
      await answered(() => browser.within(back), redirect("/realms/A/login-actions/first-broker-login?client_id=app")),
    );
    steps.push(await answered(() => browser.within("/realms/A/login-actions/first-broker-login?client_id=app"), html));
    const end = redirect("https://app.example.com/cb?state=2&session_state=x&code=c");
    steps.push(await answered(() => browser.post("/realms/A/login-actions/first-broker-login?client_id=app"), end));
    expect(steps.map(({ stamped }) => stamped)).toEqual(steps.map(() => [forced]));
    expect([countedOf(steps), warningsOf(steps)]).toEqual([[], []]);
    expect(browser.cookies.has("__Host-vst_ses")).toBe(false);
    const outcomes = stage.queued.flatMap((one) =>
      one.kind === "log" && one.entry.type !== "w" ? [one.entry.type] : [],
    );
    expect(outcomes).toEqual(["s"]);

    const next = await answered(
      () => browser.fromOutside(`${auth}&state=3`),
      redirect("/realms/A/login-actions/authenticate"),
    );
    expect(next.stamped.map(({ id, method }) => [id, method])).toEqual(usual.map((id) => [id, "auto"]));
  });

  it("ends with the hour", async () => {
    stage = createStage();
    answerAsProvider(stage);
    await publish(resourcesOf());
    const browser = createLoginBrowser(stage);
    expect((await browser.fromOutside(`/login?${query}`)).stamped).toEqual([forced]);
    stage.clock.nowMs += 3_590_000;
    expect((await browser.within("/login")).stamped).toEqual([forced]);
    // It slides.
    stage.clock.nowMs += 3_590_000;
    expect((await browser.within("/login")).stamped).toEqual([forced]);
    stage.clock.nowMs += 3_610_000;
    const after = await browser.within("/login");
    expect(after.stamped.map(({ id, method }) => [id, method])).toEqual(usual.map((id) => [id, "auto"]));
  });
});

describe("forced on a page without an authorization request", () => {
  it("holds until the login's end", async () => {
    stage = createStage();
    await publish();
    const browser = createLoginBrowser(stage);
    const steps = [
      await answered(() => browser.fromOutside(`/login?${query}`), html),
      await answered(
        () => browser.post(`/login?${query}`),
        () => new Response("no", { status: 401, headers: { "content-type": "text/html" } }),
      ),
      await answered(() => browser.post(`/login?${query}`), redirect("https://app.example.com/cb?code=1&state=2")),
    ];
    expect(steps.map(({ stamped }) => stamped)).toEqual(steps.map(() => [forced]));
    expect([countedOf(steps), warningsOf(steps)]).toEqual([[], []]);
  });

  it("by another variation in the same login replaces the first", async () => {
    stage = createStage();
    answerAsProvider(stage);
    await publish();
    const browser = createLoginBrowser(stage);
    const state = newState();
    await browser.fromOutside(authorizePath(state, `&${query}`));
    const second = await browser.within("/login?experiment_id=exp_Page&variation_id=var_c");
    expect(second.stamped).toEqual([{ ...forced, variation: "var_c" }]);
    const end = await browser.post("/login");
    expect(end.stamped).toEqual([{ ...forced, variation: "var_c" }]);
    expect(countedOf([second, end])).toEqual([]);
  });

  it("of two experiments on two flags holds of both", async () => {
    stage = createStage();
    answerAsProvider(stage);
    await publish({
      feature_flags: [flag(), flag({ id: "flg_Other", key: "other", name: "Other" })],
      variations: [
        ...variations,
        variation("x", { feature_flag_id: "flg_Other" }),
        variation("y", { feature_flag_id: "flg_Other" }),
      ],
      experiments: [
        experiment({ status: "draft" }),
        experiment({
          id: "exp_Other",
          status: "paused",
          feature_flag_id: "flg_Other",
          allocations: [share("x", 50, true), share("y", 50)],
        }),
      ],
    });
    const browser = createLoginBrowser(stage);
    await browser.fromOutside(authorizePath(newState(), `&${query}`));
    const both = [{ id: "exp_Other", variation: "var_x", control: true, method: "forced" }, forced];
    const page = await browser.within("/login?experiment_id=exp_Other&variation_id=var_x");
    expect(page.stamped).toEqual(both);
    const end = await browser.post("/login");
    expect(end.stamped).toEqual(both);
    expect((await browser.fromOutside(authorizePath(newState()))).stamped).toEqual([]);
  });
});

describe("forced across flows", () => {
  const tenant = { pages: [{ path: "/mfa/**", flow: "mfa_challenge" }] };
  const second = experiment({
    id: "exp_Mfa",
    name: "Mfa",
    authentication_flow: "mfa_challenge",
    allocations: [share("a", 50, true), share("c", 50)],
  });

  it("an experiment of a later flow is stamped from the first page, and one of that flow on the same flag stays out", async () => {
    for (const [own, params] of [
      [{ status: "draft", authentication_flow: "mfa_challenge" }, query],
      [{ status: "completed", authentication_flow: "authentication" }, query],
    ] as const) {
      stage = createStage({ tenant });
      answerAsProvider(stage);
      await publish({ experiments: [experiment(own), second] });
      const browser = createLoginBrowser(stage);
      const steps = [
        await browser.fromOutside(authorizePath(newState(), `&${params}`)),
        await browser.within("/login"),
        await browser.within("/mfa/challenge"),
        await browser.post("/mfa/challenge"),
        await browser.post("/login"),
      ];
      expect(steps.map(({ stamped }) => stamped)).toEqual(steps.map(() => [forced]));
      expect([countedOf(steps), warningsOf(steps)]).toEqual([[], []]);
      await browser.fromOutside(authorizePath(newState()));
      const usual = await browser.within("/mfa/challenge");
      expect(briefly(usual.events)).toEqual(["assignment exp_Mfa", "exposure exp_Mfa"]);
      vi.unstubAllGlobals();
    }
  });

  it("one on another flag is assigned on its own flow's page, and not counted", async () => {
    stage = createStage({ tenant });
    answerAsProvider(stage);
    await publish({
      feature_flags: [flag(), flag({ id: "flg_Other", key: "other", name: "Other" })],
      variations: [
        ...variations,
        variation("x", { feature_flag_id: "flg_Other" }),
        variation("y", { feature_flag_id: "flg_Other" }),
      ],
      experiments: [
        experiment(),
        { ...second, feature_flag_id: "flg_Other", allocations: [share("x", 50, true), share("y", 50)] },
      ],
    });
    const browser = createLoginBrowser(stage);
    const steps = [
      await browser.fromOutside(authorizePath(newState(), `&${query}`)),
      await browser.within("/mfa/challenge"),
      await browser.post("/mfa/challenge"),
      await browser.post("/login"),
    ];
    const methods = steps.map(({ stamped }) => stamped.map(({ id, method }) => `${id} ${method}`));
    const both = (method: string) => [`exp_Mfa ${method}`, "exp_Page forced"];
    expect(methods).toEqual([["exp_Page forced"], both("auto"), both("session"), both("session")]);
    expect([countedOf(steps), warningsOf(steps)]).toEqual([[], []]);
  });
});

describe("a login that begins with a POST", () => {
  it("is forced by the query of its address", async () => {
    stage = createStage();
    await publish();
    const browser = createLoginBrowser(stage);
    const init = {
      method: "POST",
      body: "SAMLRequest=x",
      headers: { "sec-fetch-site": "cross-site", origin: "https://sp.example.com" },
    };
    const steps = [
      await answered(() => browser.send(`/saml/sso?${query}`, init), html),
      await answered(() => browser.post("/login"), html),
      await answered(() => browser.within("/login/next"), html),
    ];
    expect(steps.map(({ stamped }) => stamped)).toEqual(steps.map(() => [forced]));
    expect([countedOf(steps), warningsOf(steps)]).toEqual([[], []]);
  });
});

describe("an experiment that is activated in the middle of a forced login", () => {
  it.each(["exp_Page", "exp_Other"])("is assigned at the next: %s", async (id) => {
    stage = createStage();
    answerAsProvider(stage);
    const other = (status: "draft" | "active") =>
      experiment({
        id: "exp_Other",
        name: "Other",
        status,
        feature_flag_id: "flg_Other",
        allocations: [share("x", 50, true), share("y", 50)],
      });
    const world = (own: "draft" | "active", beside: "draft" | "active") => ({
      feature_flags: [flag(), flag({ id: "flg_Other", key: "other", name: "Other" })],
      variations: [
        ...variations,
        variation("x", { feature_flag_id: "flg_Other" }),
        variation("y", { feature_flag_id: "flg_Other" }),
      ],
      experiments: [experiment({ status: own }), other(beside)],
    });
    await publish(world("draft", "draft"), 1);
    const browser = createLoginBrowser(stage);
    const state = newState();
    const address = authorizePath(state);
    const steps = [await browser.fromOutside(`${address}&${query}`)];
    await publish(id === "exp_Page" ? world("active", "draft") : world("draft", "active"), 2);
    stage.clock.nowMs += 31_000;
    steps.push(await browser.within("/login"), await browser.within("/login"));
    steps.push(await browser.within(`${address}&continue=1`), await browser.post("/login"));
    expect(steps.map(({ stamped }) => stamped)).toEqual(steps.map(() => [forced]));
    expect(countedOf(steps)).toEqual([]);
    expect(briefly((await browser.fromOutside(authorizePath(newState()))).events)).toEqual([`assignment ${id}`]);
  });
});

describe("what an override on a user's experiment tells the statistics", () => {
  it("is nothing while no user is known, in whichever part of the login one becomes known", async () => {
    const users = await createUsers();
    stage = createStage({ tenant: users.tenant });
    answerAsProvider(stage, users.jwks);
    await publish({ experiments: [experiment({ assignment_config: { subject: "user" } })] });
    const browser = createLoginBrowser(stage);
    const start = await browser.fromOutside(authorizePath(newState(), `&${query}`));
    expect([start.stamped, start.events]).toEqual([[forced], []]);
    browser.cookies.set("id_token", await users.tokenOf("ada"));
    const steps = [await browser.within("/login"), await browser.post("/login")];
    expect(steps.map(({ stamped }) => stamped)).toEqual([[forced], [forced]]);
    expect(countedOf(steps)).toEqual([]);
    const next = await browser.fromOutside(authorizePath(newState()));
    expect(briefly(next.events)).toEqual(["assignment exp_Page"]);
  });
});

describe("the tenant's policy", () => {
  const other = experiment({ id: "exp_Draft", name: "Draft", status: "draft" });
  const params = "experiment_id=exp_Draft&variation_id=var_c";
  const requested = { experimentId: "exp_Draft", variationId: "var_c", segmentId: null };
  const sign = (expiresInSeconds: number, override = requested) =>
    signOverride(stage.sources.keyring, "acme", override, stage.clock.nowMs / 1000 + expiresInSeconds);

  async function usualLogin(browser: LoginBrowser, more: string, warning: string) {
    const start = await browser.fromOutside(authorizePath(newState(), more));
    const page = await browser.within("/login");
    const end = await browser.post("/login");
    expect([start, page, end].map(({ stamped }) => stamped.map(({ id, method }) => [id, method]))).toEqual([
      [["exp_Page", "auto"]],
      [["exp_Page", "session"]],
      [["exp_Page", "session"]],
    ]);
    expect([start, page, end].map((step) => countedOf([step]))).toEqual([
      ["assignment exp_Page"],
      ["exposure exp_Page"],
      ["auth exp_Page s"],
    ]);
    expect(warningsOf([start, page, end])).toEqual([warning]);
  }

  it("signed forces with a genuine, unexpired token for this override alone", async () => {
    stage = createStage({ tenant: { overrides: "signed" } });
    answerAsProvider(stage);
    await publish({ experiments: [experiment(), other] });
    const browser = createLoginBrowser(stage);
    const start = await browser.fromOutside(authorizePath(newState(), `&${params}&override_token=${await sign(60)}`));
    const steps = [start, await browser.within("/login"), await browser.post("/login")];
    const all = steps.map(() => [{ id: "exp_Draft", variation: "var_c", control: false, method: "forced" }]);
    expect(steps.map(({ stamped }) => stamped)).toEqual(all);
    expect([countedOf(steps), warningsOf(steps)]).toEqual([[], []]);

    const wrong = [
      "",
      "&override_token=",
      "&override_token=forged",
      `&override_token=${await sign(-1)}`,
      `&override_token=${await sign(60, { ...requested, variationId: "var_b" })}`,
      `&override_token=${await sign(60, { ...requested, segmentId: "seg_x" as never })}`,
      `&override_token=${await signOverride(stage.sources.keyring, "beta", requested, stage.clock.nowMs / 1000 + 60)}`,
    ];
    for (const each of wrong) {
      await usualLogin(createLoginBrowser(stage), `&${params}${each}`, "experiment_override_refused");
    }
  });

  it("signed: leaving a forced variation takes no token", async () => {
    stage = createStage({ tenant: { overrides: "signed" } });
    answerAsProvider(stage);
    await publish({ experiments: [experiment(), other] });
    const browser = createLoginBrowser(stage);
    await browser.fromOutside(authorizePath(newState(), `&${params}&override_token=${await sign(60)}`));
    const page = await browser.within("/login?experiment_id=");
    expect(page.stamped.map(({ id, method }) => [id, method])).toEqual([["exp_Page", "auto"]]);
    expect(warningsOf([page])).toEqual([]);
  });

  it("off forces nothing, and says so", async () => {
    stage = createStage({ tenant: { overrides: "off" } });
    answerAsProvider(stage);
    await publish({ experiments: [experiment(), other] });
    await usualLogin(createLoginBrowser(stage), `&${params}`, "experiment_override_not_applied");
    const token = await sign(60);
    await usualLogin(
      createLoginBrowser(stage),
      `&${params}&override_token=${token}`,
      "experiment_override_not_applied",
    );
  });
});

describe("an override that names what there is not", () => {
  it.each([
    ["experiment_id=exp_None&variation_id=var_b", "experiment_not_found"],
    ["experiment_id=exp_Page&variation_id=var_none", "experiment_variation_not_found"],
    ["experiment_id=exp_Page&segment_id=seg_none", "experiment_segment_not_found"],
    ["experiment_id=exp_Page", "experiment_variation_missing"],
    ["variation_id=var_b", "experiment_orphaned_params"],
    ["segment_id=seg_x", "experiment_orphaned_params"],
  ])("%s is a warning, and the visit is counted as usual", async (params, warning) => {
    stage = createStage();
    answerAsProvider(stage);
    await publish();
    for (const onPage of [false, true]) {
      const browser = createLoginBrowser(stage);
      const start = await browser.fromOutside(authorizePath(newState(), onPage ? "" : `&${params}`));
      const page = await browser.within(onPage ? `/login?${params}` : "/login");
      const end = await browser.post("/login");
      expect(warningsOf([start, page, end])).toEqual([warning]);
      expect(countedOf([start, page, end])).toEqual(["assignment exp_Page", "auth exp_Page s", "exposure exp_Page"]);
    }
  });
});

describe("a flag that is served by its rollout", () => {
  const all = { all_users: { percentage: 100, weights: { c: 1 } } };
  const rolledOut = { id: "-", flag: "page", variation: "var_c", control: false, method: "rollout" };

  it.each(["draft", "paused", "completed", "archived"] as const)(
    "is the forced %s experiment's until the login ends",
    async (status) => {
      stage = createStage();
      answerAsProvider(stage);
      await publish({ feature_flags: [flag({ rollout: all })], experiments: [experiment({ status })] });
      const browser = createLoginBrowser(stage);
      const steps = [
        await browser.fromOutside(authorizePath(newState(), `&${query}`)),
        await browser.within("/login"),
        await browser.post("/login"),
      ];
      expect(steps.map(({ stamped }) => stamped)).toEqual(steps.map(() => [forced]));
      const next = [await browser.fromOutside(authorizePath(newState())), await browser.within("/login")];
      expect(next.map(({ stamped }) => stamped)).toEqual([[rolledOut], [rolledOut]]);
      // In mid-login, and out again.
      expect((await browser.within(`/login?${query}`)).stamped).toEqual([forced]);
      expect((await browser.within("/login?experiment_id=")).stamped).toEqual([rolledOut]);
      expect((await browser.post("/login")).stamped).toEqual([rolledOut]);
      expect(stage.queued.filter(({ kind }) => kind === "event")).toEqual([]);
    },
  );

  it("gives way to a forced experiment beside other rollouts, which stay", async () => {
    stage = createStage();
    answerAsProvider(stage);
    await publish({
      feature_flags: [
        flag({ rollout: all }),
        flag({
          id: "flg_Other",
          key: "other",
          name: "Other",
          rollout: { all_users: { percentage: 100, weights: { y: 1 } } },
        }),
      ],
      variations: [
        ...variations,
        variation("x", { feature_flag_id: "flg_Other" }),
        variation("y", { feature_flag_id: "flg_Other" }),
      ],
      experiments: [experiment({ status: "draft" })],
    });
    const browser = createLoginBrowser(stage);
    const other = { id: "-", flag: "other", variation: "var_y", control: false, method: "rollout" };
    const steps = [
      await browser.fromOutside(authorizePath(newState(), `&${query}`)),
      await browser.within("/login"),
      await browser.post("/login"),
    ];
    expect(steps.map(({ stamped }) => stamped)).toEqual(steps.map(() => [other, forced]));
  });

  it("of which the gate serves none may be forced all the same", async () => {
    stage = createStage();
    answerAsProvider(stage);
    await publish({ feature_flags: [flag({ deployments: [] })] });
    const browser = createLoginBrowser(stage);
    expect((await browser.fromOutside(authorizePath(newState()))).stamped).toEqual([]);
    expect((await browser.fromOutside(authorizePath(newState(), `&${query}`))).stamped).toEqual([forced]);
    expect((await browser.within("/login")).stamped).toEqual([forced]);
  });
});
