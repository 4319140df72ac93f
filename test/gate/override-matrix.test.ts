/**
 * Design §6 and §7: a forced variation takes its flag, whatever the state of its experiment, and nothing of a forced visit is
 * counted. Each cell is a whole login, and the logins after it.
 */
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { Experiment } from "../../src/model/experiment.ts";
import type { ExperimentStatus } from "../../src/model/snapshot.ts";
import { experiment, flag, segment, share, variation, variations } from "../model/resources.ts";
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
import { clearStores, createStage, publish, type Stage } from "./stage.ts";

const statuses: ExperimentStatus[] = ["draft", "active", "paused", "completed", "archived"];
const others = ["same flag", "another flag", "none"] as const;
const subjects = ["device", "user"] as const;
/** Where the override stands, and by what it names the variation. */
const ways = ["authorize", "page", "segment"] as const;
const browsers = ["fresh", "assigned before"] as const;

interface Cell {
  status: ExperimentStatus;
  other: (typeof others)[number];
  subject: (typeof subjects)[number];
  way: (typeof ways)[number];
  browser: (typeof browsers)[number];
}
const cells: Cell[] = statuses.flatMap((status) =>
  others.flatMap((other) =>
    subjects.flatMap((subject) =>
      ways.flatMap((way) => browsers.map((browser) => ({ status, other, subject, way, browser }))),
    ),
  ),
);

const forcedId = "exp_Page";
const otherId = "exp_Other";

const bySegment: Partial<Experiment> = {
  allocation_strategy: "segment",
  allocations: [
    { variation_id: "var_b", segment_id: "seg_Nowhere", priority: 1, is_control: false },
    { variation_id: "var_a", is_fallback: true, is_control: true },
  ],
};

function resourcesOf({ status, other, subject, way }: Omit<Cell, "browser">) {
  const assignment_config = { subject };
  const isSame = other === "same flag";
  const forcible = experiment({ status, assignment_config, ...(way === "segment" ? bySegment : {}) });
  const beside = experiment({
    id: otherId,
    name: "Other",
    assignment_config,
    feature_flag_id: isSame ? "flg_Page" : "flg_Other",
    allocations: isSame ? [share("a", 50, true), share("c", 50)] : [share("x", 50, true), share("y", 50)],
  });
  return {
    feature_flags: [flag(), flag({ id: "flg_Other", key: "other", name: "Other" })],
    variations: [
      ...variations,
      variation("x", { feature_flag_id: "flg_Other" }),
      variation("y", { feature_flag_id: "flg_Other" }),
    ],
    segments: [segment("Nowhere", [{ match: { country: ["zz"] } }])],
    experiments: other === "none" ? [forcible] : [forcible, beside],
  };
}

/** The experiments that assign a visitor without an override. */
function usualOf({ status, other }: Pick<Cell, "status" | "other">): string[] {
  const own = status === "active" ? [forcedId] : [];
  if (other === "none" || (other === "same flag" && own.length > 0)) return own;
  return [...own, otherId];
}

const byId = (stamped: readonly Stamped[]) => stamped.map(({ id }) => id).sort();
const all = (steps: readonly Step[]) => steps.flatMap(({ events }) => events);
const warningsOf = (steps: readonly Step[]) => steps.flatMap(({ warnings }) => warnings);
const eventsOf = (type: string, ids: readonly string[], outcome = "") =>
  ids.map((id) => `${type} ${id}${outcome && ` ${outcome}`}`).sort();

/** A login without an override is assigned, exposed and counted, by a decision that holds to its end. */
async function expectUsualLogin(browser: LoginBrowser, usual: readonly string[]): Promise<Stamped[]> {
  const state = newState();
  const start = await browser.fromOutside(authorizePath(state));
  const page = await browser.within("/login");
  const form = await browser.post("/login");
  return expectUsual([start, page, form], state, usual);
}

function expectUsual([start, page, form]: [Step, Step, Step], state: string, usual: readonly string[]): Stamped[] {
  expect(byId(start.stamped)).toEqual([...usual].sort());
  for (const { method, variation: id, control } of start.stamped) {
    expect(method).toBe("auto");
    expect(control).toBe(["var_a", "var_x"].includes(id));
  }
  const later = start.stamped.map((one) => ({ ...one, method: "session" }));
  expect([page.stamped, form.stamped]).toEqual([later, later]);
  expect(briefly(start.events)).toEqual(eventsOf("assignment", usual));
  expect(briefly(page.events)).toEqual(eventsOf("exposure", usual));
  expect(briefly(form.events)).toEqual(eventsOf("auth", usual, "s"));
  expect(form.response.headers.get("location")).toBe(`https://app.example.com/cb?code=c&state=${state}`);
  return start.stamped;
}

let users: Awaited<ReturnType<typeof createUsers>>;
let token: string;
beforeAll(async () => {
  users = await createUsers();
  token = await users.tokenOf("ada");
});

let stage: Stage;
beforeEach(() => clearStores());
afterEach(() => vi.unstubAllGlobals());

const tokenCookie = (subject: Cell["subject"]) => (subject === "user" ? { id_token: token } : {});
const queryOf = (way: Cell["way"]) =>
  `experiment_id=${forcedId}&${way === "segment" ? "segment_id=seg_Nowhere" : "variation_id=var_b"}`;

/** The first page of a login in which the variation is forced; the rest of it follows, or does not. */
async function beginForced(browser: LoginBrowser, way: Cell["way"]) {
  const state = newState();
  const query = queryOf(way);
  const onPage = way === "page";
  const start = await browser.fromOutside(authorizePath(state, onPage ? "" : `&${query}`));
  const pagePath = onPage ? `/login?${query}` : "/login";
  const page = await browser.within(pagePath);
  return { state, pagePath, start, page };
}

describe.each(cells)("$status, another on $other, $subject, forced by $way, browser $browser", (cell) => {
  const { status, other, subject, way } = cell;
  const usual = usualOf(cell);
  const beside = other === "another flag" ? [otherId] : [];
  const forced: Stamped = {
    id: forcedId,
    variation: "var_b",
    control: false,
    method: "forced",
    ...(way === "segment" ? { segment: "seg_Nowhere" } : {}),
  };

  it("is stamped alone on its flag to the login's end, counts nothing, and leaves the next login as usual", async () => {
    stage = createStage({ tenant: users.tenant });
    answerAsProvider(stage, users.jwks);
    const browser = createLoginBrowser(stage, tokenCookie(subject));
    const wasAssigned = cell.browser === "assigned before";
    let before: Stamped[] = [];
    if (wasAssigned) {
      await publish(resourcesOf({ ...cell, status: "active" }), 1);
      before = await expectUsualLogin(browser, usualOf({ status: "active", other }));
      stage.clock.nowMs += 2 * 3600_000;
    }
    await publish(resourcesOf(cell), 2);

    // The stamp.
    const { state, pagePath, start, page } = await beginForced(browser, way);
    const form = await browser.post(pagePath);
    const withOthers = (steps: Step[], firstMethod: string) => {
      for (const [at, { stamped }] of steps.entries()) {
        expect(stamped.filter(({ id }) => id === forcedId)).toEqual([forced]);
        const rest = stamped.filter(({ id }) => id !== forcedId);
        expect(byId(rest)).toEqual(beside);
        for (const { method } of rest) expect(method).toBe(at === 0 ? firstMethod : "session");
      }
    };
    const isAuthorized = way === "page";
    if (isAuthorized) {
      expect(byId(start.stamped)).toEqual([...usual].sort());
      withOthers([page, form], "session");
    } else withOthers([start, page, form], "auto");
    expect(form.response.headers.get("location")).toBe(`https://app.example.com/cb?code=c&state=${state}`);
    expect(browser.cookies.has("__Host-vst_ses")).toBe(false);
    expect([start, page, form].map(({ failedOpen }) => failedOpen)).toEqual([null, null, null]);
    expect(warningsOf([start, page, form])).toEqual([]);

    // The counts: assignments from before the override, and that these units are out.
    const isUnitKnown = subject === "user" || wasAssigned || beside.length > 0 || (isAuthorized && usual.length > 0);
    const onFlag = other === "same flag" ? [otherId] : [];
    const pinned = isAuthorized ? usual : [];
    const concerned = isUnitKnown ? [...new Set([forcedId, ...onFlag, ...pinned])] : [];
    const override = isAuthorized ? page : start;
    expect(briefly(override.events)).toEqual(eventsOf("forced", concerned));
    if (isAuthorized) expect(briefly(start.events)).toEqual(eventsOf("assignment", usual));
    else expect(all([page])).toEqual([]);
    expect(form.events).toEqual([]);
    for (const event of override.events) {
      expect(event).toMatchObject({ method: "forced", subject_kind: subject });
      if (event.experiment_id === forcedId) expect(event.variation_id).toBe("var_b");
    }

    // The next login from outside is not forced, and neither is one that begins in the middle of a forced one.
    const next = await expectUsualLogin(browser, usual);
    for (const { id, variation: shown } of next) {
      const earlier = before.find((one) => one.id === id);
      if (earlier) expect(shown).toBe(earlier.variation);
    }
    await beginForced(browser, way);
    expect(await expectUsualLogin(browser, usual)).toEqual(next);

    // An empty experiment_id ends it at once.
    const again = await beginForced(browser, way);
    const ended = await browser.within("/login?experiment_id=");
    expect(ended.stamped).toEqual(next);
    expect(briefly(ended.events)).toEqual([...eventsOf("assignment", usual), ...eventsOf("exposure", usual)].sort());
    const last = await browser.post("/login?experiment_id=");
    expect(last.stamped).toEqual(next.map((one) => ({ ...one, method: "session" })));
    expect(briefly(last.events)).toEqual(eventsOf("auth", usual, "s"));
    expect(last.response.headers.get("location")).toContain(again.state);
    expect(warningsOf([again.start, again.page, ended, last])).toEqual([]);

    // One browser is one unit all along.
    const units = stage.queued.flatMap((one) =>
      one.kind === "event" && one.event.subject_kind === subject && one.event.type !== "identity"
        ? [one.event.unit]
        : [],
    );
    expect(new Set(units).size).toBeLessThanOrEqual(1);
    // An experiment that is not active counts nothing.
    if (status !== "active" && !wasAssigned) {
      const counted = stage.queued.flatMap((one) =>
        one.kind === "event" && one.event.experiment_id === forcedId ? [one.event.type] : [],
      );
      expect(counted.filter((type) => type !== "forced")).toEqual([]);
    }
  });
});
