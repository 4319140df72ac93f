/** Design §6, Rollouts: how a flag's rollout, the experiments on it and those beside it take turns, and what fits into a stamp. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { experiment, flag, share, variation, variations } from "../model/resources.ts";
import { breakKv } from "./faults.ts";
import { authorizePath, briefly, createLoginBrowser, type LoginBrowser, newState, type Step } from "./login-browser.ts";
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
import { clearStores, realStores, type Stage } from "./stage.ts";

let stage: Stage;
beforeEach(() => clearStores());
afterEach(() => vi.unstubAllGlobals());

/** The gate's memory is a minute old at most. */
const later = (ms: number) => {
  stage.clock.nowMs += ms;
};

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
    stage = setUpProvider();
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
    stage = setUpProvider();
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
    stage = setUpProvider();
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
    stage = setUpProvider();
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
    stage = setUpProvider();
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
    stage = setUpProvider();
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
    stage = setUpProvider();
    const other = otherFlag();
    await enable({
      feature_flags: [flag(), other],
      variations: allVariations,
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
    stage = setUpProvider();
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
  const other = otherFlag();
  const world = {
    feature_flags: [flag(), other],
    variations: allVariations,
  };

  it.each([
    ["a prerendered page", { headers: { "sec-purpose": "prefetch;prerender" } }],
    ["the answer to a form of another site", { method: "POST", headers: { "sec-fetch-site": "cross-site" } }],
  ])("shows no rollout on any page: %s", async (_, options) => {
    stage = setUpProvider();
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
    stage = setUpProvider();
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
