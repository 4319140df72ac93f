import { beforeEach, describe, expect, it } from "vitest";
import { type Client, createClient } from "../client.ts";
import {
  bodyOf,
  createExperiment,
  createFlag,
  createSegment,
  type FlagStage,
  segmentBodyOf,
  shares,
  verifiedUsers,
} from "../experiment-stage.ts";

let client: Client;
let flag: FlagStage;
beforeEach(async () => {
  client = createClient();
  flag = await createFlag(client, { count: 3 });
});

async function codesOf(id: string): Promise<string[]> {
  const { is_valid, errors } = await client.post(`/experiments/${id}/validate`);
  const shown = await client.get(`/experiments/${id}`);
  expect([is_valid, shown.is_valid]).toEqual([errors.length === 0, errors.length === 0]);
  for (const error of errors)
    expect(error).toEqual({ code: expect.any(String), message: expect.stringMatching(/.{10}/) });
  return errors.map(({ code }: { code: string }) => code);
}

it("answers nothing but that all is well", async () => {
  const { id } = await client.post("/experiments", bodyOf(flag));
  expect(await client.send("POST", `/experiments/${id}/validate`)).toMatchObject({
    status: 200,
    body: { is_valid: true, errors: [] },
  });
});

it("changes nothing, ignores a body, and needs to read only", async () => {
  const { id } = await client.post("/experiments", bodyOf(flag, { allocations: shares(flag, [1]) }));
  const before = await client.get(`/experiments/${id}`);
  const { token } = await client.post("/tokens", { name: "Reader", scopes: ["read:experimentation"] });
  const authorization = `Bearer ${token}`;
  expect((await client.send("PATCH", `/experiments/${id}`, { name: "Written" }, { authorization })).status).toBe(403);
  for (const body of [undefined, "{not json", { status: "active" }, new Uint8Array([255])]) {
    const answer = await client.send("POST", `/experiments/${id}/validate`, body, { authorization });
    expect(answer.status).toBe(200);
    expect(Object.keys(answer.body)).toEqual(["is_valid", "errors", "warnings"]);
  }
  expect(await client.get(`/experiments/${id}`)).toEqual(before);
});

describe("of a percentage experiment, finds", () => {
  const [first = {}, second = {}, third = {}] = [0, 1, 2].map((index) => ({ index }));
  const allocations = (...parts: { index?: number; weight?: number; is_control?: boolean }[]) => ({
    allocations: parts.map(({ index = 0, ...rest }) => ({
      variation_id: flag.variations[index],
      is_control: false,
      ...rest,
    })),
  });
  it.each<[string, () => object, string[]]>([
    [
      "no control",
      () => allocations({ ...first, weight: 50 }, { ...second, weight: 50 }),
      ["experiment_missing_control"],
    ],
    [
      "two controls",
      () => allocations({ ...first, weight: 50, is_control: true }, { ...second, weight: 50, is_control: true }),
      ["experiment_missing_control"],
    ],
    [
      "weights of 99",
      () => allocations({ ...first, weight: 50, is_control: true }, { ...second, weight: 49 }),
      ["experiment_invalid_allocation_weights"],
    ],
    [
      "weights of 101",
      () => allocations({ ...first, weight: 50, is_control: true }, { ...second, weight: 50 }, { ...third, weight: 1 }),
      ["experiment_invalid_allocation_weights"],
    ],
    [
      "no weights",
      () => allocations({ ...first, is_control: true }, second),
      ["experiment_invalid_allocation_weights"],
    ],
    [
      "a variation twice",
      () => allocations({ ...first, weight: 50, is_control: true }, { ...first, weight: 50 }),
      ["experiment_duplicate_allocation"],
    ],
    ["falling levels", () => ({ levels: [50, 5] }), ["experiment_invalid_levels"]],
    ["a level twice", () => ({ levels: [5, 5] }), ["experiment_invalid_levels"]],
    ["a level above 100", () => ({ levels: [5, 101] }), ["experiment_invalid_levels"]],
    ["a level below 0", () => ({ levels: [-1, 5] }), ["experiment_invalid_levels"]],
    [
      "several things at once",
      () => ({ ...allocations({ ...first, weight: 1 }, { ...first, weight: 1 }), levels: [2, 1] }),
      [
        "experiment_missing_control",
        "experiment_invalid_allocation_weights",
        "experiment_duplicate_allocation",
        "experiment_invalid_levels",
      ],
    ],
    ["nothing in a ramp from 0", () => ({ levels: [0, 1, 100] }), []],
    [
      "nothing in a weight of 0",
      () => allocations({ ...first, weight: 0, is_control: true }, { ...second, weight: 100 }),
      [],
    ],
  ])("%s", async (_, changes, codes) => {
    const { id } = await client.post("/experiments", bodyOf(flag, changes()));
    expect(await codesOf(id)).toEqual(codes);
  });
});

describe("of a segment experiment, finds", () => {
  const targeted = { index: 1, is_control: false, priority: 1 };
  const fallback = { index: 0, is_control: true, is_fallback: true };
  it.each<[string, object[], string[]]>([
    ["nothing", [{ ...targeted, on: 0 }, fallback], []],
    ["no fallback", [{ ...targeted, on: 0, is_control: true }], ["experiment_missing_default"]],
    ["two fallbacks", [fallback, { ...fallback, index: 1, is_control: false }], ["experiment_multiple_defaults"]],
    ["no segment", [targeted, fallback], ["experiment_incomplete_allocation"]],
    ["no priority", [{ index: 1, is_control: false, on: 0 }, fallback], ["experiment_incomplete_allocation"]],
    [
      "a segment twice",
      [{ ...targeted, on: 0 }, { ...targeted, on: 0, priority: 2 }, fallback],
      ["experiment_duplicate_allocation"],
    ],
    [
      "a priority twice",
      [{ ...targeted, on: 0 }, { ...targeted, on: 1 }, fallback],
      ["experiment_duplicate_allocation"],
    ],
    [
      "a variation for two segments is fine",
      [{ ...targeted, on: 0 }, { ...targeted, on: 1, priority: 2 }, fallback],
      [],
    ],
  ])("%s", async (_, parts, codes) => {
    const segments = [await createSegment(client, "Phones"), await createSegment(client, "Tablets")];
    const allocations = (parts as { index: number; on?: number }[]).map(({ index, on, ...rest }) => ({
      variation_id: flag.variations[index],
      ...(on === undefined ? {} : { segment_id: segments[on] }),
      ...rest,
    }));
    const { id } = await client.post("/experiments", segmentBodyOf(flag, segments[0] ?? "", { allocations }));
    expect(await codesOf(id)).toEqual(codes);
  });

  it("levels, which are for percentages", async () => {
    const segmentId = await createSegment(client);
    const { id } = await client.post("/experiments", segmentBodyOf(flag, segmentId, { levels: [5, 100] }));
    expect(await codesOf(id)).toEqual(["experiment_invalid_levels"]);
  });
});

describe("of what it refers to, finds", () => {
  it("a flag in draft, then archived", async () => {
    const other = await createFlag(client, { name: "Other page", status: "draft" });
    const { id } = await client.post("/experiments", bodyOf(other));
    expect(await codesOf(id)).toEqual(["feature_flag_not_active"]);
    await client.post(`/feature-flags/${other.id}/status`, { status: "active" });
    expect(await codesOf(id)).toEqual([]);
    await client.post(`/feature-flags/${other.id}/status`, { status: "archived" });
    expect(await codesOf(id)).toEqual(["feature_flag_not_active"]);
  });

  it("a variation of another flag, and one that is nowhere", async () => {
    const other = await createFlag(client, { name: "Other page" });
    const allocations = [
      { variation_id: other.variations[0], weight: 50, is_control: true },
      { variation_id: "var_Nowhere", weight: 50, is_control: false },
    ];
    const { id } = await client.post("/experiments", bodyOf(flag, { allocations }));
    expect(await codesOf(id)).toEqual(["variation_not_from_flag", "variation_not_from_flag"]);
  });

  it("another active experiment, while it is", async () => {
    const rival = await createExperiment(client, "active", bodyOf(flag));
    const other = await createFlag(client, { name: "Other page" });
    const { id } = await client.post("/experiments", bodyOf(other, { name: "Second" }));
    expect(await codesOf(rival.id)).toEqual([]);
    expect(await codesOf(id)).toEqual(["experiment_active_limit_exceeded"]);
    await client.post(`/experiments/${rival.id}/status`, { status: "paused" });
    expect(await codesOf(id)).toEqual([]);
  });

  it("another active experiment on the same flag", async () => {
    client = createClient({ tenant: { active_experiment_limit: 2 } });
    const shared = await createFlag(client);
    await createExperiment(client, "active", bodyOf(shared));
    const { id } = await client.post("/experiments", bodyOf(shared, { name: "Second" }));
    expect(await codesOf(id)).toEqual(["feature_flag_shared"]);
  });

  it("nothing left of an archived experiment's flag and segment", async () => {
    const segmentId = await createSegment(client);
    const first = await createExperiment(client, "archived", segmentBodyOf(flag, segmentId));
    await client.delete(`/segments/${segmentId}`);
    expect(await codesOf(first.id)).toEqual(["segment_not_found"]);
    await client.delete(`/feature-flags/${flag.id}`);
    expect(await codesOf(first.id)).toEqual(["feature_flag_not_found"]);
  });

  it("a dependency that is gone or goes round", async () => {
    const path = `/feature-flags/${flag.id}`;
    const other = await createFlag(client, { name: "Gate" });
    const { id } = await client.post("/experiments", bodyOf(flag));
    await client.patch(path, { rollout: { dependencies: { gate: ["number_0"] } } });
    expect(await codesOf(id)).toEqual([]);
    const answer = await client.send("PATCH", `/feature-flags/${other.id}`, {
      rollout: { dependencies: { login_page: ["number_0"] } },
    });
    expect(answer.status).toBe(400);
    expect(await codesOf(id)).toEqual([]);
  });
});

describe("is_valid of an active experiment follows", () => {
  it("its flag's parameters", async () => {
    const { id } = await createExperiment(client, "active", bodyOf(flag));
    const path = `/feature-flags/${flag.id}`;
    await client.patch(path, { parameters: { heading: { type: "string", value: "Hello" } } });
    expect(await codesOf(id)).toEqual(["variation_unknown_parameter", "variation_unknown_parameter"]);
    expect((await client.get("/experiments?status=active")).experiments).toMatchObject([{ id, is_valid: false }]);
    await client.patch(path, { parameters: { title: { type: "number", value: 1 } } });
    expect(await codesOf(id)).toEqual(["variation_override_type_mismatch", "variation_override_type_mismatch"]);
    await client.patch(path, { parameters: { title: { type: "string", value: "Hello 1" } } });
    expect(await codesOf(id)).toEqual([]);
  });

  it("its flag's status", async () => {
    const { id } = await createExperiment(client, "active", bodyOf(flag));
    await client.post(`/feature-flags/${flag.id}/status`, { status: "archived" });
    expect(await codesOf(id)).toEqual(["feature_flag_not_active"]);
    expect(await client.get(`/experiments/${id}`)).toMatchObject({ status: "active", is_valid: false });
  });

  it("the variations that are left", async () => {
    const own = await createFlag(client, { name: "Other page" });
    const [only, other] = own.variations;
    const allocations = [{ variation_id: only, weight: 100, is_control: true }];
    const { id } = await createExperiment(client, "active", bodyOf(own, { allocations }));
    await client.delete(`/feature-flags/${own.id}/variations/${other}`);
    expect(await codesOf(id)).toEqual(["feature_flag_too_few_variations"]);
  });
});

it("warns of what the tenant's settings make of it, which keeps nothing from running", async () => {
  client = createClient({ tenant: { provider: "oidc" } });
  const { id: flagId, variations } = await createFlag(client);
  const deployment = await client.post("/deployments", { name: "App", type: "client" });
  await client.patch(`/feature-flags/${flagId}`, { deployments: ["gate", deployment.id] });
  const changes = {
    authentication_flow: "password_reset",
    assignment_config: { subject: "user" },
    allocations: [{ variation_id: variations[0], weight: 100, is_control: true }],
  };
  const { id } = await client.post("/experiments", bodyOf({ id: flagId, variations }, changes));
  const { is_valid, errors, warnings } = await client.post(`/experiments/${id}/validate`);
  expect([is_valid, errors]).toEqual([true, []]);
  expect(warnings.map(({ code, path }: { code: string; path: string }) => [code, path])).toEqual([
    ["experiment_user_not_verifiable", "assignment_config.subject"],
    ["authentication_flow_without_pages", "authentication_flow"],
    ["experiment_single_variation", "allocations"],
  ]);
  expect(warnings[1].message).toContain("choose one of authentication, all");
  expect((await client.post(`/experiments/${id}/status`, { status: "active" })).status).toBe("active");
});

it("refuses users that no one verifies, until the tenant's settings say how", async () => {
  const onUsers = { assignment_config: { subject: "user" } };
  const { id } = await client.post("/experiments", bodyOf(flag, onUsers));
  expect(await codesOf(id)).toEqual(["experiment_user_not_verifiable"]);
  const refused = await client.send("POST", `/experiments/${id}/status`, { status: "active" });
  expect([refused.status, refused.body.errorCode]).toEqual([400, "experiment_user_not_verifiable"]);
  client = createClient({ tenant: { user: verifiedUsers } });
  const other = await client.post("/experiments", bodyOf(await createFlag(client), onUsers));
  expect(await codesOf(other.id)).toEqual([]);
});
