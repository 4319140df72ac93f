import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { experiment, flag, share, variation, variations } from "../../model/resources.ts";
import { clearStores, createStage, publish, type Visit } from "../stage.ts";
import { appCallback, authorize, countedOf, createJourney, eventsOf, page, redirect, warningsOf } from "./journey.ts";

beforeEach(() => clearStores());
afterEach(() => vi.unstubAllGlobals());

const drafted = experiment({ id: "exp_Draft", status: "draft" });
const elsewhere = experiment({
  id: "exp_Other",
  feature_flag_id: "flg_Other",
  allocations: [share("x", 50, true), share("y", 50)],
});
const both = {
  feature_flags: [flag(), flag({ id: "flg_Other", key: "other", name: "Other" })],
  variations: [
    ...variations,
    variation("x", { feature_flag_id: "flg_Other" }),
    variation("y", { feature_flag_id: "flg_Other" }),
  ],
  experiments: [experiment(), drafted, elsewhere],
};
const forcing = (path: string, id = "exp_Draft", variationId = "var_b") =>
  `${path}${path.includes("?") ? "&" : "?"}experiment_id=${id}&variation_id=${variationId}`;
const told = ({ stamp }: Visit) => [stamp("id"), stamp("variation-id"), stamp("method")];

describe("a forced variation", () => {
  it("takes its flag in every fresh browser, and nothing of the visit is counted", async () => {
    const stage = createStage();
    await publish({ experiments: [experiment(), drafted] });
    for (let index = 0; index < 12; index++) {
      const journey = createJourney(stage);
      const first = await journey.go(forcing(authorize), redirect("/login"));
      expect(told(first)).toEqual(["exp_Draft", "var_b", "forced"]);
      if (index % 2 === 0) stage.restart();
      expect(told(await journey.go("/login"))).toEqual(["exp_Draft", "var_b", "forced"]);
      await journey.post("/login", page(401));
      await journey.post("/login", redirect(appCallback));
    }
    expect(countedOf(stage)).toEqual([]);
  });

  it.each([
    ["paused", "exp_Page"],
    ["completed", "exp_Page"],
    ["archived", "exp_Page"],
  ] as const)("of an experiment that is %s holds, and is not counted", async (status, id) => {
    const stage = createStage();
    await publish({ experiments: [experiment({ status })] });
    const journey = createJourney(stage);
    expect(told(await journey.go(forcing("/login", id)))).toEqual([id, "var_b", "forced"]);
    await journey.post("/login", redirect(appCallback));
    expect(countedOf(stage)).toEqual([]);
  });

  it("holds when its experiment is activated meanwhile, and the next login is counted", async () => {
    const stage = createStage();
    await publish({ experiments: [experiment({ status: "draft" })] });
    const journey = createJourney(stage);
    await journey.go(forcing(authorize, "exp_Page"), redirect("/login"));
    await publish({}, 2);
    stage.clock.nowMs += 31_000;
    await journey.go("/login");
    expect(told(await journey.go("/login"))).toEqual(["exp_Page", "var_b", "forced"]);
    await journey.post("/login", redirect(appCallback));
    expect(countedOf(stage)).toEqual([]);
    await journey.go("/authorize?client_id=app&response_type=code&state=2");
    expect(countedOf(stage)).toEqual(["assignment", "exposure"]);
  });

  it("excludes the units of the experiment that it displaces, once they are known", async () => {
    const stage = createStage();
    await publish({ experiments: [experiment(), drafted] });
    const journey = createJourney(stage);
    await journey.go("/login");
    stage.queued.length = 0;
    await journey.go(forcing("/login"));
    expect(eventsOf(stage).map(({ type, method, experiment_id }) => [type, method, experiment_id])).toEqual([
      ["forced", "forced", "exp_Page"],
      ["forced", "forced", "exp_Draft"],
    ]);
  });

  it("leaves other flags served in its visit, uncounted, and counted in the next login", async () => {
    const stage = createStage();
    await publish(both);
    const journey = createJourney(stage);
    const forced = await journey.go(forcing(authorize), page());
    expect(forced.stamp("id")?.split(",").sort()).toEqual(["exp_Draft", "exp_Other"]);
    await journey.go("/login");
    await journey.post("/login", redirect(appCallback));
    expect(countedOf(stage).filter((each) => each !== "forced")).toEqual([]);
    stage.queued.length = 0;
    const next = await journey.go("/authorize?client_id=app&response_type=code&state=2");
    expect([next.stamp("id")?.split(",").sort(), next.stamp("method")]).toEqual([
      ["exp_Other", "exp_Page"],
      "auto,auto",
    ]);
    expect(countedOf(stage)).toEqual(["assignment", "assignment", "exposure", "exposure"]);
  });

  it("leaves no trace in sticky choices", async () => {
    const stage = createStage();
    const rollout = { sticky_bucketing: true };
    await publish({ ...both, feature_flags: both.feature_flags.map((each) => ({ ...each, rollout })) });
    const journey = createJourney(stage);
    await journey.go(forcing(authorize), page());
    await journey.post("/login", redirect(appCallback));
    expect([...journey.cookies.keys()]).toEqual(["__Host-vst_did"]);
  });

  it("ends by an empty experiment_id, and the visit is counted from then on", async () => {
    const stage = createStage();
    await publish({ experiments: [experiment(), drafted] });
    const journey = createJourney(stage);
    await journey.go(forcing("/login"));
    const { stamp } = await journey.go("/login?experiment_id=");
    expect([stamp("id"), stamp("method")]).toEqual(["exp_Page", "auto"]);
    expect(countedOf(stage)).toEqual(["assignment", "exposure"]);
  });
});

describe("the provider's own second authorization request", () => {
  it.each([
    ["a redirect with the same state", {}],
    ["a redirect, without fetch metadata", { "sec-fetch-dest": "", "sec-fetch-mode": "" }],
    ["a redirect of a cross-site chain", { "sec-fetch-site": "cross-site" }],
    ["a link of its own page", { "sec-fetch-site": "same-origin" }],
  ])("keeps what is forced: %s", async (_, extra) => {
    const headers = Object.fromEntries(Object.entries(extra).filter(([, value]) => value !== ""));
    const stage = createStage();
    await publish({ experiments: [experiment(), drafted] });
    const journey = createJourney(stage);
    await journey.go(forcing("/oauth2/authorize?client_id=a&response_type=code&state=2"), redirect("/login"));
    await journey.go("/login");
    const again = "/oauth2/authorize?response_type=code&client_id=a&state=2&continue";
    await journey.post("/login", redirect(again));
    stage.restart();
    const visit = await journey.go(again, redirect("https://app.example.com/cb?code=1&state=2"), { headers });
    expect(told(visit)).toEqual(["exp_Draft", "var_b", "forced"]);
    expect(countedOf(stage)).toEqual([]);
    expect(journey.cookies.has("__Host-vst_ses")).toBe(false);
  });

  it("of a brokered realm neither ends the login nor counts as one", async () => {
    const stage = createStage({ tenant: { provider: "keycloak" } });
    await publish();
    const journey = createJourney(stage);
    const realm = (name: string) => `/realms/${name}/protocol/openid-connect/auth`;
    await journey.go(`${realm("A")}?client_id=app&response_type=code&state=2`);
    const broker = `${realm("B")}?client_id=broker&response_type=code&state=s`;
    await journey.go("/realms/A/broker/B/login", redirect(broker));
    await journey.go(broker);
    await journey.post(
      "/realms/B/login-actions/authenticate",
      redirect("/realms/A/broker/B/endpoint?state=s&session_state=x&code=c"),
    );
    expect(countedOf(stage)).toEqual(["assignment", "exposure"]);
    await journey.go(
      "/realms/A/broker/B/endpoint?state=s&session_state=x&code=c",
      redirect("https://app.example.com/cb?code=1&state=2"),
    );
    expect(countedOf(stage)).toEqual(["assignment", "auth s", "exposure"]);
  });

  it("assigns no experiment that was activated between the two", async () => {
    const stage = createStage();
    await publish({ experiments: [experiment({ status: "draft" })] });
    const journey = createJourney(stage);
    await journey.go(authorize, redirect("/login"));
    await publish({}, 2);
    stage.clock.nowMs += 31_000;
    await journey.go("/login");
    await journey.post("/login", redirect(`${authorize}&resume`));
    expect(told(await journey.go(`${authorize}&resume`, redirect(appCallback)))).toEqual([null, null, null]);
  });

  it.each([
    ["another application's link", { "sec-fetch-site": "cross-site" }],
    ["an address that is typed", { "sec-fetch-site": "none" }],
    ["the same application on a sub-domain", { "sec-fetch-site": "same-site" }],
    ["a browser without fetch metadata", {}],
  ])("is told from a new login: %s", async (_, headers) => {
    const stage = createStage();
    await publish({ experiments: [experiment(), drafted] });
    const journey = createJourney(stage);
    await journey.go(forcing(authorize));
    const { stamp } = await journey.go("/authorize?client_id=app&response_type=code&state=2", page(), { headers });
    expect([stamp("id"), stamp("method")]).toEqual(["exp_Page", "auto"]);
  });
});

describe("an override that cannot apply", () => {
  it("is forced for a tool that accepts anything", async () => {
    const stage = createStage();
    await publish();
    const tool = { accept: "*/*", "user-agent": "curl/8.5.0", "sec-fetch-dest": "", "sec-fetch-mode": "" };
    const { response, stamp } = await stage.send(
      new Request("https://login.example.com/login?experiment_id=exp_Page&variation_id=var_b", {
        headers: { accept: tool.accept, "user-agent": tool["user-agent"] },
      }),
    );
    expect([response.status, stamp("variation-id"), stamp("method")]).toEqual([200, "var_b", "forced"]);
  });

  it.each([
    ["/login?experiment_id=exp_Page", "experiment_variation_missing"],
    ["/login?experiment_id=exp_Page&variation_id=", "experiment_variation_missing"],
    ["/login?experiment_id=exp_Page&variation_id=var_z", "experiment_variation_not_found"],
    ["/login?experiment_id=exp_Page&segment_id=seg_z", "experiment_segment_not_found"],
    ["/login?experiment_id=exp_None&variation_id=var_b", "experiment_not_found"],
    ["/login?variation_id=var_b", "experiment_orphaned_params"],
    ["/logout?experiment_id=exp_Page&variation_id=var_b", "experiment_override_not_applied"],
    [`${authorize}&prompt=none&experiment_id=exp_Page&variation_id=var_b`, "experiment_override_not_applied"],
  ])("says so in the log: %s", async (path, code) => {
    const stage = createStage();
    await publish();
    const { stamp } = await createJourney(stage).go(path);
    expect([stamp("method") === "forced", warningsOf(stage)]).toEqual([false, [code]]);
  });

  it.each<[string, Record<string, unknown>, string[]]>([
    ["experiment_id=exp_None&variation_id=var_b", {}, ["experiment_not_found"]],
    ["variation_id=var_b", {}, ["experiment_orphaned_params"]],
    ["experiment_id=", {}, []],
    ["experiment_id=exp_Page&variation_id=var_b", { overrides: "off" }, ["experiment_override_not_applied"]],
    ["experiment_id=exp_Page&variation_id=var_b", { overrides: "signed" }, ["experiment_override_refused"]],
  ])("assigns nothing to a login that is unassigned: %s, %j", async (query, tenant, warnings) => {
    const stage = createStage({ tenant });
    await publish();
    const journey = createJourney(stage);
    journey.cookies.set("__Host-vst_ses", "open");
    const visits = [await journey.go(`/login?${query}`), await journey.go("/forgot")];
    expect(visits.map(({ stamp }) => [stamp("id"), stamp("failed-open")])).toEqual([
      [null, "session"],
      [null, "session"],
    ]);
    expect([warningsOf(stage), countedOf(stage)]).toEqual([warnings, []]);
  });

  it.each([
    ["a HEAD", { method: "HEAD" }],
    ["a frame", { headers: { "sec-fetch-dest": "iframe" } }],
    ["a page that is fetched ahead", { headers: { "sec-purpose": "prefetch" } }],
    ["a form", { method: "POST" }],
  ])("says so in the log for %s", async (_, sending) => {
    const stage = createStage();
    await publish();
    const visit = await createJourney(stage).go(forcing("/login", "exp_Page"), page(), sending);
    expect([visit.stamp("id"), warningsOf(stage)]).toEqual([null, ["experiment_override_not_applied"]]);
  });
});
