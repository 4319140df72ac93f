import { beforeEach, describe, expect, it, vi } from "vitest";
import { compileFlags } from "../../../src/engine/compile.ts";
import { type Client, createClient } from "../client.ts";
import { expectRefusal } from "./refusal.ts";

const parameters = { title: { type: "string", value: "Hello" } };
const country = ["context", "user", "country"];
const half = { percentage: 50, weights: { control: 1, treatment: 1 } };
const everything = {
  bucketing_key: "user_id",
  bucketing_salt: "salt",
  dependencies: { first_page: ["control"] },
  inclusions: { control: { user_ids: ["ada"], device_ids: [] } },
  sticky_bucketing: true,
  targeting: [
    { name: "Germans", conditions: [[{ selector: country, op: "is", values: ["DE"] }]], ...half },
    { name: "Wide", conditions: [[{ selector: country, op: "glob match", values: ["D*"] }]], ...half },
  ],
  all_users: half,
};

/** KV takes one write a second. */
const published = { timeout: 4_000 };

let client: Client;
let flag: { id: string; key: string };
beforeEach(async () => {
  client = createClient();
  await makeFlag("First page");
  flag = await makeFlag("Login page");
});

async function makeFlag(name: string, body: object = {}) {
  const made = await client.post("/feature-flags", { name, parameters, ...body });
  for (const variation of ["Control", "Treatment"]) {
    await client.post(`/feature-flags/${made.id}/variations`, { name: variation, overrides: {} });
  }
  return client.post(`/feature-flags/${made.id}/status`, { status: "active" });
}
const set = (rollout: unknown) => client.patch(`/feature-flags/${flag.id}`, { rollout });
const refuse = (rollout: unknown) => client.send("PATCH", `/feature-flags/${flag.id}`, { rollout });

it("is kept whole, replaced whole and taken away", async () => {
  expect((await set(everything)).rollout).toEqual(everything);
  expect((await client.get(`/feature-flags/${flag.id}`)).rollout).toEqual(everything);
  expect((await client.patch(`/feature-flags/${flag.id}`, { name: "Renamed" })).rollout).toEqual(everything);
  expect((await set({ sticky_bucketing: false })).rollout).toEqual({ sticky_bucketing: false });
  expect((await set({})).rollout).toEqual({});
  expect(await set(null)).not.toHaveProperty("rollout");
});

it("includes a device by its cookie's value", async () => {
  const id = "AbCdEfGhIjKlMnOpQrSt_w";
  const cookie = `${id}${(20_500).toString(36)}.k1.${"m".repeat(43)}`;
  const including = (device: string) => ({ inclusions: { control: { user_ids: [], device_ids: ["qa", device] } } });
  expect((await set(including(cookie))).rollout).toEqual(including(id));
  const message = /rollout\.inclusions\.control\.device_ids\[1\]: must be the vst_did cookie's value/;
  expectRefusal(await refuse(including(cookie.slice(0, 40))), 400, "invalid_body", message);
});

it("may be made with the flag, as far as it needs no variations", async () => {
  const rollout = { sticky_bucketing: true, dependencies: { first_page: ["control"] } };
  expect((await makeFlag("Other page", { rollout })).rollout).toEqual(rollout);
  const body = { name: "Third page", parameters, rollout: { all_users: half } };
  const answer = await client.send("POST", "/feature-flags", body);
  expectRefusal(answer, 400, "invalid_rollout", /rollout\.all_users\.weights: .*control.*has no variations yet/);
});

describe("refused", () => {
  const target = (changes: object) => ({ targeting: [{ ...everything.targeting[0], ...changes }] });
  const matching = (op: string, values: string[]) => target({ conditions: [[], [{ selector: country, op, values }]] });

  it.each<[string, object, RegExp]>([
    [
      "an unknown flag",
      { dependencies: { none: ["control"] } },
      /rollout\.dependencies\.none: no feature flag with key none/,
    ],
    [
      "an unknown variation of another flag",
      { dependencies: { first_page: ["warm"] } },
      /rollout\.dependencies\.first_page: .*warm.*only: control, treatment/,
    ],
    [
      "the flag itself",
      { dependencies: { login_page: ["control"] } },
      /rollout\.dependencies\.login_page: .*depends on login_page/,
    ],
    [
      "an unknown variation in weights",
      { all_users: { percentage: 1, weights: { warm: 1 } } },
      /rollout\.all_users\.weights: .*warm/,
    ],
    [
      "an unknown variation included",
      { inclusions: { warm: { user_ids: [], device_ids: [] } } },
      /rollout\.inclusions: .*warm/,
    ],
    [
      "no weight above 0",
      { all_users: { percentage: 1, weights: { control: 0 } } },
      /rollout\.all_users\.weights: at least one/,
    ],
    ["no weight at all", target({ weights: {} }), /rollout\.targeting\[0\]\.weights/],
    ["neither conditions nor segment", target({ conditions: undefined }), /rollout\.targeting\[0\]: must have either/],
    [
      "conditions and segment",
      target({ segment_id: "seg_none" }),
      /rollout\.targeting\[0\]: .*rollout\.targeting\[0\]\.segment_id: no segment seg_none/,
    ],
    ["an invalid expression", matching("regex match", ["DE", "(("]), /rollout\.targeting\[0\]\.conditions: \(\(: /],
    [
      "an expression that needs backtracking",
      matching("regex does not match", ["(a)\\1"]),
      /rollout\.targeting\[0\]\.conditions: \(a\)\\1: .*refused/,
    ],
    [
      "an expression that is too large",
      matching("regex match", ["(a{99}){99}"]),
      /rollout\.targeting\[0\]\.conditions: .*too large/,
    ],
    [
      "a glob that is too large",
      matching("glob match", [`${"x".repeat(2000)}*y`]),
      /rollout\.targeting\[0\]\.conditions: x.*longer than/,
    ],
    ["too many expressions", matching("glob match", Array(51).fill("a*")), /rollout\.targeting: .*at most 50.*not 51/],
  ])("%s", async (_, rollout, says) => {
    expectRefusal(await refuse(rollout), 400, "invalid_rollout", says);
    expect(await client.get(`/feature-flags/${flag.id}`)).not.toHaveProperty("rollout");
  });

  it.each<[string, unknown, RegExp]>([
    ["a list", [], /rollout/],
    ["text", "all", /rollout/],
    ["an unknown field", { percentage: 1 }, /rollout.*percentage/],
    ["a share above 100", { all_users: { ...half, percentage: 101 } }, /rollout\.all_users\.percentage/],
    ["half a percent", { all_users: { ...half, percentage: 0.5 } }, /rollout\.all_users\.percentage/],
    [
      "a negative weight",
      { all_users: { percentage: 1, weights: { control: -1 } } },
      /rollout\.all_users\.weights\.control/,
    ],
    [
      "an endless weight",
      { all_users: { percentage: 1, weights: { control: 1e300 } } },
      /rollout\.all_users\.weights\.control/,
    ],
    [
      "a key of a prototype",
      { all_users: { percentage: 1, weights: JSON.parse('{"__proto__":1}') } },
      /rollout\.all_users\.weights/,
    ],
    ["a key of a prototype in dependencies", { dependencies: { constructor: ["a"] } }, /rollout\.dependencies/],
    ["a key of a prototype in inclusions", { inclusions: { constructor: {} } }, /rollout\.inclusions/],
    ["no variation let through", { dependencies: { first_page: [] } }, /rollout\.dependencies\.first_page/],
    [
      "a missing id included",
      { inclusions: { control: { user_ids: ["(none)"], device_ids: [] } } },
      /rollout\.inclusions\.control\.user_ids/,
    ],
    ["an operator nobody knows", matching("glob", ["x"]), /rollout\.targeting\.?\[?0.*op/],
    [
      "a number to compare",
      { targeting: [{ ...everything.targeting[0], conditions: [[{ selector: country, op: "less", values: [1] }]] }] },
      /values/,
    ],
    ["too many targets", { targeting: Array(101).fill(everything.targeting[0]) }, /rollout\.targeting: .*100/],
    [
      "too many weights",
      target({ weights: Object.fromEntries(Array.from({ length: 21 }, (_, n) => [`v${n}`, 1])) }),
      /rollout\.targeting\[0\]\.weights: .*20/,
    ],
    [
      "a selector of results",
      target({ conditions: [[{ selector: ["result", "a", "key"], op: "is", values: ["a"] }]] }),
      /selector/,
    ],
  ])("%s, by the shape of the body", async (_, rollout, says) => {
    expectRefusal(await refuse(rollout), 400, "invalid_body", says);
  });

  it("a cycle through other flags", async () => {
    const first = (await client.get("/feature-flags")).feature_flags[0];
    const middle = await makeFlag("Middle page", { rollout: { dependencies: { login_page: ["control"] } } });
    await client.patch(`/feature-flags/${first.id}`, { rollout: { dependencies: { [middle.key]: ["treatment"] } } });
    const says = /rollout\.dependencies\.first_page: .*depends on login_page in turn/;
    expectRefusal(await refuse({ dependencies: { first_page: ["control"] } }), 400, "invalid_rollout", says);
  });
});

it("may use a segment, which then stays", async () => {
  const segment = await client.post("/segments", { name: "Phones", rules: [{ match: { device_type: ["mobile"] } }] });
  await set({ targeting: [{ name: "Phones", segment_id: segment.id, ...half }] });
  expect((await client.send("DELETE", `/segments/${segment.id}`)).status).toBe(409);
});

it("serves by globs", async () => {
  const conditions = [[{ selector: country, op: "glob match", values: ["D?", "*land", "F.*"] }]];
  const all = { percentage: 100, weights: { treatment: 1 } };
  await set({ targeting: [{ name: "Some", conditions, ...all }] });
  const served = await vi.waitFor(async () => {
    const { flags } = await client.published();
    const found = flags.find(({ key }: { key: string }) => key === "login_page");
    expect(found?.segments).toHaveLength(2);
    return found;
  }, published);
  expect(JSON.stringify(served)).not.toContain("glob");
  const variantOf = (value?: string) =>
    compileFlags([served]).evaluate({ user: value === undefined ? {} : { country: value } }).login_page?.key;
  for (const value of ["DE", "Finland", "land", "F.", "F.rance"]) expect(variantOf(value), value).toBe("treatment");
  for (const value of ["D", "DEU", "de", "Finlandia", "France", undefined]) expect(variantOf(value), value).toBe("off");
});

describe("sticky bucketing", () => {
  const start = async (changes: object = {}) => {
    const { variations } = await client.get(`/feature-flags/${flag.id}/variations`);
    return client.post("/experiments", {
      name: "Headline",
      feature_flag_id: flag.id,
      authentication_flow: "authentication",
      allocation_strategy: "percentage",
      assignment_config: { subject: "device" },
      allocations: variations.map(({ id }: { id: string }, index: number) => ({
        variation_id: id,
        weight: 50,
        is_control: index === 0,
      })),
      ...changes,
    });
  };
  const become = (id: string, status: string) => client.post(`/experiments/${id}/status`, { status });
  const epochOf = async (id: string) => (await client.get(`/experiments/${id}`)).epoch;

  it("starts an epoch of an experiment that runs, when it changes", async () => {
    const { id } = await start();
    await set({ sticky_bucketing: true });
    await set(null);
    expect(await epochOf(id)).toBe(1);

    const { started_at } = await become(id, "active");
    await set({ sticky_bucketing: true });
    expect(await client.get(`/experiments/${id}`)).toMatchObject({ epoch: 2, status: "active", started_at });
    await set({ sticky_bucketing: true, bucketing_salt: "other" });
    await client.patch(`/feature-flags/${flag.id}`, { name: "Renamed" });
    expect(await epochOf(id)).toBe(2);
    await become(id, "paused");
    await set(null);
    expect(await epochOf(id)).toBe(3);
    await set({ sticky_bucketing: false });
    expect(await epochOf(id)).toBe(3);
    await become(id, "completed");
    await set({ sticky_bucketing: true });
    expect(await epochOf(id)).toBe(3);
  });

  it("leaves an experiment alone that is sticky by itself", async () => {
    const { id } = await start({ is_stateful: true });
    await become(id, "active");
    await set({ sticky_bucketing: true });
    expect(await epochOf(id)).toBe(1);
  });

  it("leaves experiments of other flags alone", async () => {
    const { id } = await start();
    await become(id, "active");
    const other = await makeFlag("Other page");
    await client.patch(`/feature-flags/${other.id}`, { rollout: { sticky_bucketing: true } });
    expect(await epochOf(id)).toBe(1);
  });
});
