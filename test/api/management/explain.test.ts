import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import worker from "../../../src/worker.ts";
import { adminHost, type Client, createClient } from "../client.ts";
import {
  bodyOf,
  createFlag,
  createSegment,
  type FlagStage,
  segmentBodyOf,
  verifiedUsers,
} from "../experiment-stage.ts";

const loginHost = "login.example.com";
const agents = {
  mobile:
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari/604.1",
  desktop: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/149.0.0.0 Safari/537.36",
};

let client: Client;
let flag: FlagStage;
beforeEach(async () => {
  client = createClient({
    tenant: { user: verifiedUsers, hosts: [adminHost, loginHost], device_cookie: "did", active_experiment_limit: 5 },
  });
  flag = await createFlag(client);
});
afterEach(() => {
  vi.unstubAllGlobals();
});

async function start(body: object): Promise<string> {
  const { id } = await client.post("/experiments", body);
  await client.post(`/experiments/${id}/status`, { status: "active" });
  return id;
}

/** What is said of the one flag there is. */
async function explain(query: string) {
  const { flags } = await client.get(`/explain?${query}`);
  expect(flags).toHaveLength(1);
  return flags[0];
}

const published = () =>
  vi.waitFor(async () => expect((await client.get("/snapshot")).pending).toBeNull(), { timeout: 4_000 });

/** What the gate stamps for a device. */
async function stampOf(deviceId: string, agent: string, query = "") {
  const stamps: Record<string, string | null>[] = [];
  vi.stubGlobal("fetch", async (input: RequestInfo, init?: RequestInit) => {
    const { headers } = new Request(input, init);
    const stamp = (name: string) => headers.get(`x-experiment-${name}`);
    const [variation_id, segment_id, method] = [stamp("variation-id"), stamp("segment-id"), stamp("method")];
    stamps.push({ variation_id, segment_id: segment_id || null, method });
    return new Response("<!doctype html>", { headers: { "content-type": "text/html" } });
  });
  const headers = { cookie: `did=${deviceId}`, accept: "text/html", "user-agent": agent };
  const navigation = { "sec-fetch-dest": "document", "sec-fetch-mode": "navigate" };
  const request = new Request(`https://${loginHost}/login${query}`, { headers: { ...headers, ...navigation } });
  const ctx = createExecutionContext();
  await worker.fetch(request as Parameters<typeof worker.fetch>[0], client.env, ctx);
  await waitOnExecutionContext(ctx);
  return stamps[0];
}

const shownOf = ({ variation_id, segment_id, method }: Record<string, unknown>) => ({
  variation_id,
  segment_id,
  method,
});

describe("agrees with the gate", () => {
  it("on a split, and on who takes no part", async () => {
    await start(bodyOf(flag, { levels: [50, 100] }));
    await published();
    const seen = new Set<unknown>();
    for (let number = 0; number < 80; number++) {
      const explained = await explain(`device_id=device-${number}`);
      expect(shownOf(explained)).toEqual(await stampOf(`device-${number}`, agents.desktop));
      seen.add(explained.variation_id);
      expect(explained.reason).toBe(explained.variation_id === null ? "not_allocated" : "all_users");
    }
    expect(seen).toEqual(new Set([...flag.variations, null]));
  });

  it("on segments, by device and by what the query tells", async () => {
    const segment = await client.post("/segments", {
      name: "Phones of an app",
      rules: [{ match: { device_type: ["mobile"], client_id: ["app"] } }],
    });
    await start(segmentBodyOf(flag, segment.id));
    await published();
    for (const device_type of ["mobile", "desktop"] as const) {
      for (const client_id of ["app", "web"]) {
        const explained = await explain(`device_id=d&device_type=${device_type.toUpperCase()}&client_id=${client_id}`);
        expect(shownOf(explained)).toEqual(await stampOf("d", agents[device_type], `?client_id=${client_id}`));
        const isTargeted = device_type === "mobile" && client_id === "app";
        expect(explained).toMatchObject(
          isTargeted
            ? { reason: "segment", segment_id: segment.id, variation_id: flag.variations[1] }
            : { reason: "all_users", segment_id: null, variation_id: flag.variations[0] },
        );
      }
    }
  });

  it("on inclusions", async () => {
    await start(bodyOf(flag));
    const inclusions = { number_1: { user_ids: [], device_ids: ["guest"] } };
    await client.patch(`/feature-flags/${flag.id}`, { rollout: { inclusions } });
    await published();
    const explained = await explain("device_id=guest");
    expect(explained).toMatchObject({ reason: "inclusion", method: "inclusion", variation_id: flag.variations[1] });
    expect(shownOf(explained)).toEqual(await stampOf("guest", agents.desktop));
  });

  it("on an experiment of users: a device alone is not asked, not even where it is included", async () => {
    const inclusions = { number_1: { user_ids: [], device_ids: ["guest"] } };
    await client.patch(`/feature-flags/${flag.id}`, { rollout: { inclusions } });
    await start(bodyOf(flag, { assignment_config: { subject: "user" } }));
    await published();
    const explained = await explain("device_id=guest");
    expect(explained).toMatchObject({ reason: "no_subject", variation_id: null, trace: null });
    expect(explained.explanation).toContain("user_id");
    expect(await stampOf("guest", agents.desktop)).toMatchObject({ variation_id: null });
    expect((await explain("user_id=u")).reason).toBe("all_users");
  });
});

describe("on cohorts", () => {
  let cohort: string;
  beforeEach(async () => {
    cohort = (await client.post("/cohorts", { name: "Testers", id_type: "device", source: { type: "push" } })).id;
    const others = { name: "Customers", id_type: "user", source: { type: "push" } };
    const customers = (await client.post("/cohorts", others)).id;
    await client.send("PUT", `/cohorts/${customers}/members`, ["anna"]);
    const segment = await client.post("/segments", { name: "Testers", rules: [{ match: { cohort: [cohort] } }] });
    await start(segmentBodyOf(flag, segment.id));
  });
  const indexed = () =>
    vi.waitFor(async () => expect(await client.published()).toMatchObject({ cohorts: { ready: { [cohort]: {} } } }), {
      timeout: 10_000,
      interval: 50,
    });

  it("looks up which the subject is in, unless it is told, and agrees with the gate", async () => {
    await client.send("PUT", `/cohorts/${cohort}/members`, ["anna", "bert"]);
    await indexed();
    for (const device of ["anna", "bert", "nobody"]) {
      const isMember = device !== "nobody";
      const answer = await client.get(`/explain?device_id=${device}&user_id=bert`);
      expect(answer).toMatchObject({
        cohorts: isMember ? [cohort] : [],
        cohorts_explanation: expect.stringContaining("as the members are now"),
        context: { user: { cohort_ids: isMember ? [cohort] : [] } },
      });
      expect(answer.flags[0]).toMatchObject({
        reason: isMember ? "segment" : "all_users",
        variation_id: flag.variations[isMember ? 1 : 0],
      });
      expect(shownOf(answer.flags[0])).toEqual(await stampOf(device, agents.desktop));
    }
    expect((await client.get("/explain?user_id=anna&device_id=x")).cohorts).toHaveLength(1);
    const told = await client.get("/explain?device_id=anna&cohort_ids=");
    expect(told).toMatchObject({ cohorts: [], cohorts_explanation: "as the query says in cohort_ids" });
    expect(told.flags[0].reason).toBe("all_users");
    expect((await explain(`device_id=nobody&cohort_ids=${cohort}`)).reason).toBe("segment");
  });

  it("does not guess before their members are published, nor does the gate", async () => {
    await published();
    const explained = await explain("device_id=anna");
    expect(explained).toMatchObject({ reason: "no_cohorts", method: null, trace: null });
    expect(explained.explanation).toBe('members are not published yet of cohort "Testers": nobody is newly assigned');
    expect(shownOf(explained)).toEqual(await stampOf("anna", agents.desktop));
  });

  it.each<[string, () => Promise<unknown>]>([
    ["is gone", () => Promise.reject(new Error("gone"))],
    ["hangs", () => new Promise(() => {})],
  ])("says so while the cohort object %s, and explains the rest", async (_, memberships) => {
    await createFlag(client, { name: "Other page" });
    const COHORTS = { idFromName: () => "", get: () => ({ memberships }) };
    const cut = createClient({ vars: { ...client.env, COHORTS } });
    const { cohorts, cohorts_explanation, flags } = await cut.get("/explain?device_id=anna");
    expect([cohorts, cohorts_explanation]).toEqual([null, expect.stringContaining("cannot be reached")]);
    expect(flags).toMatchObject([
      { flag_key: "login_page", reason: "no_cohorts", explanation: expect.stringContaining("nobody can tell now") },
      { flag_key: "other_page", reason: "not_served" },
    ]);
    expect((await cut.get(`/explain?device_id=anna&cohort_ids=${cohort}`)).flags[0].reason).toBe("segment");
  });
});

it("takes the whole device cookie, and refuses another one", async () => {
  await start(bodyOf(flag, { levels: [50, 100] }));
  const id = "AbCdEfGhIjKlMnOpQrSt_w";
  const cookie = `${id}${(20_500).toString(36)}.k1.${"m".repeat(43)}`;
  const byId = await client.get(`/explain?device_id=${id}`);
  expect(byId.context.user.device_id).toBe(id);
  expect(await client.get(`/explain?device_id=${cookie}`)).toEqual(byId);
  const { status, body } = await client.send("GET", `/explain?device_id=vst_ses%3D${cookie}`);
  expect([status, body.errorCode]).toEqual([400, "invalid_query_string"]);
  expect(body.message).toContain("device_id: must be the vst_did cookie's value");
  expect(body.message).toContain("this is the vst_ses cookie");
});

it("tells the trace as data and in words, and the context it was told", async () => {
  const id = await start(bodyOf(flag));
  const { version, context, flags } = await client.get(
    "/explain?device_id=d&country=ch&plan=pro&cohort_ids=a,%20b&flag_key=login_page",
  );
  expect(version).toBe((await client.get("/snapshot")).version);
  expect(context).toEqual({
    user: { country: "CH", cohort_ids: ["a", "b"], device_id: "d", user_id: null, user_properties: { plan: "pro" } },
  });
  const [explained] = flags;
  expect(explained).toEqual({
    flag_key: "login_page",
    feature_flag_id: flag.id,
    experiment_id: id,
    variation_id: expect.stringMatching(/^var_/),
    variation_key: expect.stringMatching(/^number_[01]$/),
    segment_id: null,
    method: "auto",
    reason: "all_users",
    explanation: expect.stringMatching(/^variation "Number [01]": all other users, by hash \d+$/),
    trace: {
      flag: "login_page",
      variant: explained.variation_key,
      fault: null,
      segments: [
        {
          index: 0,
          name: "All Other Users",
          groups: [],
          matched: true,
          variant: explained.variation_key,
          bucket: {
            selector: ["context", "user", "device_id"],
            input: `${id}/d`,
            hash: expect.any(Number),
            allocation: expect.any(Number),
            distribution: expect.any(Number),
            allocation_range: [0, 100],
            distribution_range: [expect.any(Number), expect.any(Number)],
          },
        },
      ],
    },
    words: expect.arrayContaining([`The variant is "${explained.variation_key}".`]),
    depends_on: [],
  });
});

it("keeps to an earlier choice, where the experiment is stateful", async () => {
  await start(bodyOf(flag, { is_stateful: true }));
  for (const number of [0, 1]) {
    const explained = await explain(`device_id=d&${encodeURIComponent("[Experiment] login_page")}=number_${number}`);
    expect(explained).toMatchObject({ reason: "sticky", method: "sticky", variation_id: flag.variations[number] });
  }
});

it("tells which group holds a subject out, and what that group says of it", async () => {
  await start(bodyOf(flag));
  await client.post("/groups", { type: "holdout", name: "Held out", percentage: 100, feature_flag_ids: [flag.id] });
  const explained = await explain("device_id=d");
  expect(explained).toMatchObject({ reason: "dependency", variation_id: null });
  expect(explained.explanation).toBe('flag "holdout-held_out" must give one of on, and gives holdout');
  expect(explained.depends_on).toMatchObject([
    { flag_key: "holdout-held_out", variation_key: "holdout", trace: { variant: "holdout" } },
  ]);
});

it("explains a rollout", async () => {
  const all_users = { percentage: 100, weights: { number_1: 1 } };
  await client.patch(`/feature-flags/${flag.id}`, { rollout: { all_users } });
  expect(await explain("user_id=u")).toMatchObject({
    reason: "all_users",
    experiment_id: null,
    variation_id: flag.variations[1],
  });
});

describe("says why nobody is assigned", () => {
  const line = async () => {
    const explained = await explain("device_id=d");
    expect(explained).toMatchObject({ reason: "not_served", variation_id: null, method: null, trace: null, words: [] });
    return explained.explanation;
  };

  it("without an experiment or a rollout", async () => {
    expect(await line()).toBe("there is no active experiment and no rollout");
  });

  it("in a draft, a paused and a completed experiment", async () => {
    const { id } = await client.post("/experiments", bodyOf(flag));
    expect(await line()).toBe('experiment "Warmer login" is draft: nobody is newly assigned');
    for (const status of ["active", "paused", "active", "completed"]) {
      await client.post(`/experiments/${id}/status`, { status });
      if (status !== "active") {
        expect(await line()).toBe(`experiment "Warmer login" is ${status}: nobody is newly assigned`);
      }
    }
  });

  it("in an active experiment that is no longer valid", async () => {
    await start(bodyOf(flag));
    await client.post(`/feature-flags/${flag.id}/status`, { status: "archived" });
    expect(await line()).toMatch(
      /^feature flag "Login page" is archived: .*; .* is active but not valid, .*feature_flag_not_active: /,
    );
  });
});

describe("of one experiment", () => {
  it("tells apart the one that is served and others on its flag", async () => {
    const other = (await client.post("/experiments", bodyOf(flag, { name: "Older" }))).id;
    const id = await start(bodyOf(flag));
    expect(await explain(`device_id=d&experiment_id=${id}`)).toMatchObject({ experiment_id: id, reason: "all_users" });
    expect(await explain(`device_id=d&experiment_id=${other}`)).toMatchObject({
      experiment_id: other,
      reason: "not_served",
      explanation: 'experiment "Older" is draft: nobody is newly assigned',
    });
  });

  it.each([
    ["an experiment", "experiment_id=exp_1", "experiment_not_found"],
    ["a flag", "flag_key=nowhere", "feature_flag_not_found"],
    ["a flag by a name of objects", "flag_key=__proto__", "feature_flag_not_found"],
  ])("knows when there is no such thing: %s", async (_, query, code) => {
    expect(await client.send("GET", `/explain?device_id=d&${query}`)).toMatchObject({
      status: 404,
      body: { errorCode: code },
    });
  });

  it("knows when the experiment is not on the flag", async () => {
    const id = await start(bodyOf(flag));
    await createFlag(client, { name: "Another page" });
    const { status, body } = await client.send("GET", `/explain?device_id=d&flag_key=another_page&experiment_id=${id}`);
    expect([status, body.errorCode]).toEqual([404, "experiment_not_found"]);
  });
});

it.each(["", "?country=CH", "?device_id=", "?user_id="])("asks for a subject: %s", async (query) => {
  const { status, body } = await client.send("GET", `/explain${query}`);
  expect([status, body.errorCode]).toEqual([400, "invalid_query_string"]);
  expect(body.message).toMatch(/device_id|user_id/);
});

it("survives names that objects have already, and makes nothing of them", async () => {
  await createSegment(client);
  await start(bodyOf(flag));
  const explained = await explain("device_id=d&__proto__=a&constructor=b&toString=c&hasOwnProperty=d&device_id2=e");
  expect(explained.reason).toBe("all_users");
});
