import { beforeEach, describe, expect, it, vi } from "vitest";
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
  client = createClient({ tenant: { user: verifiedUsers } });
  flag = await createFlag(client);
});

it("keeps an experiment, shows it as the Experiment Center does, changes it and lets go of it", async () => {
  const body = bodyOf(flag, {
    description: "A warmer greeting",
    is_stateful: true,
    levels: [5, 50, 100],
    bucketing_salt: "greeting",
  });
  const made = await client.send("POST", "/experiments", body);
  expect(made.status).toBe(201);
  expect(made.body).toEqual({
    ...body,
    id: expect.stringMatching(/^exp_[A-HJ-NP-Za-km-z1-9]+$/),
    status: "draft",
    current_level: 5,
    epoch: 1,
    is_valid: true,
    editable_fields: [
      "name",
      "description",
      "authentication_flow",
      "assignment_config",
      "allocations",
      "levels",
      "bucketing_salt",
    ],
    created_at: expect.any(String),
    updated_at: made.body.created_at,
  });
  const path = `/experiments/${made.body.id}`;
  expect(await client.get(path)).toEqual(made.body);
  expect(await client.get("/experiments")).toEqual({ experiments: [made.body] });
  const patch = {
    name: "Colder login",
    description: null,
    authentication_flow: "password_reset",
    assignment_config: { subject: "user" },
    allocations: shares(flag, [10, 90]),
    levels: [1, 2],
    bucketing_salt: null,
  };
  const { description: _, bucketing_salt: __, ...kept } = made.body;
  const changed = await client.patch(path, patch);
  const { description: ___, bucketing_salt: ____, ...changes } = patch;
  expect(changed).toEqual({ ...kept, ...changes, current_level: 1, updated_at: changed.updated_at });
  expect(await client.get(path)).toEqual(changed);
  expect((await client.send("DELETE", path)).status).toBe(204);
  expect((await client.send("DELETE", path)).status).toBe(204);
  for (const [method, under, sent] of [
    ["GET", ""],
    ["PATCH", "", { name: "Gone" }],
    ["POST", "/status", { status: "active" }],
    ["POST", "/validate"],
    ["POST", "/advance-ramp", { target_level: 1 }],
  ] as const) {
    expect((await client.send(method, path + under, sent)).body).toEqual({
      statusCode: 404,
      error: "Not Found",
      message: "Experiment not found.",
      errorCode: "experiment_not_found",
    });
  }
});

it("keeps allocations in the order and the words they were sent in", async () => {
  const segmentId = await createSegment(client);
  const body = segmentBodyOf(flag, segmentId);
  expect((await client.post("/experiments", body)).allocations).toEqual(body.allocations);
  const inert = shares(flag).map((share) => ({ ...share, is_fallback: false }));
  const made = await client.post("/experiments", bodyOf(flag, { name: "Inert", allocations: inert }));
  expect(made.allocations).toEqual(inert);
});

describe("create refuses", () => {
  it.each<[string, object, string, string]>([
    ["no strategy", { allocation_strategy: undefined }, "experiment_incomplete", "Missing: allocation_strategy."],
    [
      "none of the three",
      { allocation_strategy: undefined, assignment_config: undefined, allocations: undefined },
      "experiment_incomplete",
      "Beta path requires allocation_strategy, assignment_config, and allocations. Missing: allocation_strategy, assignment_config, allocations.",
    ],
    ["no name", { name: undefined }, "invalid_body", "name"],
    ["no flow", { authentication_flow: undefined }, "invalid_body", "authentication_flow"],
    ["an unknown flow", { authentication_flow: "signup" }, "invalid_body", "authentication_flow: must be one of"],
    ["a short name", { name: "ab" }, "invalid_body", "name: must have at least 3 characters"],
    ["a null description", { description: null }, "invalid_body", "description"],
    ["no allocation", { allocations: [] }, "invalid_body", "allocations: must hold at least one allocation"],
    ["a subject of another kind", { assignment_config: { subject: "session" } }, "invalid_body", "subject"],
    ["levels that are no whole numbers", { levels: [0.5] }, "invalid_body", "levels[0]: must be a whole number"],
    ["what only answers hold", { status: "active" }, "invalid_body", "status"],
    ["what only answers hold of ours", { current_level: 5 }, "invalid_body", "current_level"],
    ["an epoch", { epoch: 5 }, "invalid_body", "epoch"],
    ["an id of another kind", { feature_flag_id: "seg_1" }, "invalid_body", "feature_flag_id"],
  ])("%s", async (_, changes, errorCode, words) => {
    const answer = await client.send("POST", "/experiments", bodyOf(flag, changes));
    expect(answer.body).toMatchObject({ statusCode: 400, error: "Bad Request", errorCode });
    expect(answer.body.message).toContain(words);
  });

  it.each<[string, object, string]>([
    ["a segment", { segment_id: "seg_1" }, "segment_id: belongs to the segment strategy"],
    ["a priority", { priority: 1 }, "priority: belongs to the segment strategy"],
    ["a fallback", { is_fallback: true }, "is_fallback: belongs to the segment strategy"],
    ["a snapshot", { variation_snapshot: null }, "variation_snapshot"],
    ["a weight above 100", { weight: 101 }, "weight: must be at most 100"],
    ["a weight in text", { weight: "50" }, "weight: must be a number"],
    ["no variation", { variation_id: undefined }, "variation_id"],
    ["no word on control", { is_control: undefined }, "is_control"],
  ])("%s in a percentage allocation", async (_, changes, words) => {
    const [first, second] = shares(flag);
    const answer = await client.send(
      "POST",
      "/experiments",
      bodyOf(flag, { allocations: [first, { ...second, ...changes }] }),
    );
    expect(answer.body).toMatchObject({ statusCode: 400, errorCode: "invalid_body" });
    expect(answer.body.message).toContain(`Invalid request body. allocations[1].${words}`);
  });

  it("a weight in a segment allocation, and segments that are not there", async () => {
    const segmentId = await createSegment(client);
    const [first, fallback] = segmentBodyOf(flag, segmentId).allocations;
    const send = (changes: object) =>
      client.send(
        "POST",
        "/experiments",
        segmentBodyOf(flag, segmentId, { allocations: [{ ...first, ...changes }, fallback] }),
      );
    expect((await send({ weight: 0 })).body).toMatchObject({
      errorCode: "invalid_body",
      message: expect.stringContaining("allocations[0].weight: belongs to the percentage strategy"),
    });
    expect((await send({ priority: 0 })).body).toMatchObject({ errorCode: "invalid_body" });
    expect((await send({ segment_id: "seg_Gone" })).body).toEqual({
      statusCode: 400,
      error: "Bad Request",
      message: "Segment not found. allocations[0].segment_id: there is no seg_Gone.",
      errorCode: "unknown_segment",
    });
  });

  it("more than 20 allocations, a flag that is not there, a name that is taken", async () => {
    const many = Array.from({ length: 21 }, () => shares(flag)[0]);
    expect((await client.send("POST", "/experiments", bodyOf(flag, { allocations: many }))).body).toMatchObject({
      statusCode: 400,
      message: expect.stringMatching(/^Experiments may have at most 20 allocations\./),
      errorCode: "too_many_allocations",
    });
    expect((await client.send("POST", "/experiments", bodyOf(flag, { allocations: many.slice(1) }))).status).toBe(201);
    expect((await client.send("POST", "/experiments", bodyOf({ ...flag, id: "flg_Gone" }))).body).toEqual({
      statusCode: 404,
      error: "Not Found",
      message: "Feature flag not found.",
      errorCode: "feature_flag_not_found",
    });
    expect((await client.send("POST", "/experiments", bodyOf(flag))).body).toMatchObject({
      statusCode: 409,
      error: "Conflict",
      message: expect.stringMatching(/^An experiment with this name already exists\./),
      errorCode: "experiment_name_taken",
    });
  });

  it("a 101st draft, until one is archived", async () => {
    const create = (index: number) => client.send("POST", "/experiments", bodyOf(flag, { name: `Draft ${index}` }));
    const { id } = (await create(0)).body;
    for (let index = 1; index < 100; index++) expect((await create(index)).status).toBe(201);
    expect((await create(100)).body).toEqual({
      statusCode: 400,
      error: "Bad Request",
      message:
        "Experiment draft limit exceeded. A tenant may hold at most 100 experiments in draft status; archive or activate an existing draft to create another.",
      errorCode: "experiment_draft_limit_exceeded",
    });
    await client.post(`/experiments/${id}/status`, { status: "archived" });
    expect((await create(100)).status).toBe(201);
    expect((await create(101)).status).toBe(400);
  });
});

describe("update refuses", () => {
  const exact: Record<string, string> = {
    authentication_flow_locked: "Authentication flow cannot be modified once an experiment has been activated.",
    assignment_config_locked: "Assignment configuration cannot be modified once an experiment has been activated.",
    levels_locked: "Levels can only be modified on draft experiments.",
    experiment_requires_pause: "Cannot modify allocations on an active experiment",
  };

  it.each(["active", "paused", "completed"] as const)("what is fixed, when %s, changed or not", async (status) => {
    const { id } = await createExperiment(client, status, bodyOf(flag, { levels: [5, 100] }));
    const send = async (body: object) => (await client.send("PATCH", `/experiments/${id}`, body)).body;
    const expectCode = (body: object, errorCode: string) =>
      send(body).then((answer) =>
        expect(answer).toEqual({ statusCode: 400, error: "Bad Request", message: exact[errorCode], errorCode }),
      );
    await expectCode({ authentication_flow: "authentication" }, "authentication_flow_locked");
    await expectCode({ assignment_config: { subject: "device" } }, "assignment_config_locked");
    await expectCode({ levels: [5, 100] }, "levels_locked");
    await expectCode({ name: "Good name", levels: [] }, "levels_locked");
    if (status === "active") {
      await expectCode({ allocations: shares(flag) }, "experiment_requires_pause");
      expect(await send({ bucketing_salt: "new" })).toMatchObject({ errorCode: "experiment_requires_pause" });
    }
    if (status === "completed") {
      expect(await send({ allocations: shares(flag) })).toMatchObject({
        statusCode: 400,
        message: expect.stringContaining("allocations: only name, description may change."),
        errorCode: "experiment_locked",
      });
    }
    const { name, allocations, levels } = await client.get(`/experiments/${id}`);
    expect(name).toBe("Warmer login");
    expect(levels).toEqual([5, 100]);
    expect(allocations).toMatchObject(shares(flag));
    expect(await client.patch(`/experiments/${id}`, { name: "Free to change" })).toMatchObject({
      name: "Free to change",
    });
  });

  it.each([
    ["status", "paused", /status: cannot be sent: .*POST \/experiments\/\{id\}\/status/],
    ["feature_flag_id", "flg_Other", /feature_flag_id: cannot be changed: create another experiment\.$/],
    ["allocation_strategy", "segment", /allocation_strategy: cannot be changed/],
    ["is_stateful", true, /is_stateful: cannot be changed/],
    ["id", "exp_Other", /id: is not known here, only name, description, .*levels, bucketing_salt\.$/],
  ])("%s, and says what there is instead", async (field, value, message) => {
    const { id } = await client.post("/experiments", bodyOf(flag));
    const answer = await client.send("PATCH", `/experiments/${id}`, { [field]: value });
    expect(answer.body).toMatchObject({ statusCode: 400, errorCode: "invalid_body" });
    expect(answer.body.message).toMatch(message);
  });

  it("allocations that create would refuse", async () => {
    const { id } = await client.post("/experiments", bodyOf(flag));
    const send = async (body: object) => (await client.send("PATCH", `/experiments/${id}`, body)).body;
    const [first = {}] = shares(flag);
    const codes = [
      [{ allocations: Array.from({ length: 21 }, () => first) }, "too_many_allocations"],
      [{ allocations: [] }, "invalid_body"],
      [{ allocations: [{ ...first, segment_id: "seg_1" }] }, "invalid_body"],
      [{ allocations: [{ ...first, segment_snapshot: {} }] }, "invalid_body"],
      [{}, "invalid_body"],
      [{ status: "active" }, "invalid_body"],
      [{ is_stateful: true }, "invalid_body"],
      [{ feature_flag_id: flag.id }, "invalid_body"],
      [{ allocation_strategy: "segment" }, "invalid_body"],
      [{ name: null }, "invalid_body"],
      [{ levels: null }, "invalid_body"],
    ] as const;
    for (const [body, errorCode] of codes) expect(await send(body)).toMatchObject({ statusCode: 400, errorCode });
  });

  it("a name that is another's", async () => {
    await client.post("/experiments", bodyOf(flag));
    const { id } = await client.post("/experiments", bodyOf(flag, { name: "Another" }));
    expect((await client.send("PATCH", `/experiments/${id}`, { name: "Warmer login" })).body).toMatchObject({
      statusCode: 409,
      errorCode: "experiment_name_taken",
    });
    expect(await client.patch(`/experiments/${id}`, { name: "Another" })).toMatchObject({ name: "Another" });
  });

  it("a foreign variation, once the experiment has been active", async () => {
    const other = await createFlag(client, { name: "Other page" });
    const foreign = [...shares(flag).slice(0, 1), { variation_id: other.variations[0], weight: 50, is_control: false }];
    const { id } = await client.post("/experiments", bodyOf(flag, { allocations: foreign }));
    expect(await client.patch(`/experiments/${id}`, { allocations: foreign })).toMatchObject({ is_valid: false });
    await client.patch(`/experiments/${id}`, { allocations: shares(flag) });
    for (const status of ["active", "paused"]) await client.post(`/experiments/${id}/status`, { status });
    expect((await client.send("PATCH", `/experiments/${id}`, { allocations: foreign })).body).toMatchObject({
      statusCode: 400,
      message: expect.stringMatching(
        /^Variation does not belong to the referenced feature flag\. allocations\[1\]\.variation_id/,
      ),
      errorCode: "variation_not_from_flag",
    });
  });
});

describe("lists", () => {
  it("filter by status, flow and flag", async () => {
    const other = await createFlag(client, { name: "Other page" });
    await createExperiment(client, "active", bodyOf(flag, { name: "One" }));
    await client.post("/experiments", bodyOf(flag, { name: "Two", authentication_flow: "password_reset" }));
    await client.post("/experiments", bodyOf(other, { name: "Three" }));
    const names = async (query: string) =>
      (await client.get(`/experiments?${query}`)).experiments.map(({ name }: { name: string }) => name);
    expect(await names("")).toEqual(["One", "Two", "Three"]);
    expect(await names("status=active")).toEqual(["One"]);
    expect(await names("status=archived")).toEqual([]);
    expect(await names("authentication_flow=authentication")).toEqual(["One", "Three"]);
    expect(await names("authentication_flow=elsewhere")).toEqual([]);
    expect(await names(`feature_flag_id=${other.id}`)).toEqual(["Three"]);
    expect(await names(`feature_flag_id=${flag.id}&status=draft`)).toEqual(["Two"]);
  });

  it("come in pages, filters included", async () => {
    for (let index = 0; index < 6; index++) {
      const flow = index % 2 === 0 ? "authentication" : "password_reset";
      await client.post("/experiments", bodyOf(flag, { name: `Number ${index}`, authentication_flow: flow }));
    }
    const seen: string[] = [];
    let next: string | undefined = "";
    while (next !== undefined) {
      const from: string = next ? `&from=${next}` : "";
      const page = await client.get(`/experiments?take=2&authentication_flow=authentication${from}`);
      seen.push(...page.experiments.map(({ name }: { name: string }) => name));
      next = page.next;
    }
    expect(seen).toEqual(["Number 0", "Number 2", "Number 4"]);
  });

  it.each(["status=running", "take=0", "take=51", "take=two", "from=%20", "name=Number"])(
    "refuse ?%s",
    async (query) => {
      expect((await client.send("GET", `/experiments?${query}`)).body).toMatchObject({
        statusCode: 400,
        errorCode: "invalid_query_string",
      });
    },
  );
});

it("is published in every state", async () => {
  const { id } = await createExperiment(client, "active", bodyOf(flag));
  const expectStatus = (status: string) =>
    vi.waitFor(async () => {
      const { experiments } = await client.published();
      expect(experiments).toMatchObject([{ id, status }]);
    }, 5_000);
  await expectStatus("active");
  await client.post(`/experiments/${id}/status`, { status: "paused" });
  await expectStatus("paused");
});
