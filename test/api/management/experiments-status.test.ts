import { beforeEach, describe, expect, it } from "vitest";
import { type Client, createClient } from "../client.ts";
import {
  bodyOf,
  createExperiment,
  createFlag,
  createSegment,
  type FlagStage,
  type Status,
  segmentBodyOf,
  shares,
  statuses,
} from "../experiment-stage.ts";

let client: Client;
let flag: FlagStage;
beforeEach(async () => {
  client = createClient();
  flag = await createFlag(client);
});

const move = (id: string, status: string) => client.send("POST", `/experiments/${id}/status`, { status });
const targets = ["active", "paused", "completed", "archived"] as const;
const allowed: Record<Status, string[]> = {
  draft: ["active", "archived"],
  active: ["paused", "completed"],
  paused: ["active", "completed"],
  completed: ["archived"],
  archived: [],
};

describe.each(statuses)("from %s", (from) => {
  it.each(targets)("to %s", async (to) => {
    const { id } = await createExperiment(client, from, bodyOf(flag));
    const before = await client.get(`/experiments/${id}`);
    const answer = await move(id, to);
    if (allowed[from].includes(to)) {
      expect(answer.status).toBe(200);
      expect(answer.body).toMatchObject({ id, status: to });
      expect(await client.get(`/experiments/${id}`)).toEqual(answer.body);
      return;
    }
    const isOver = to === "active" && (from === "completed" || from === "archived");
    expect(answer.body).toEqual({
      statusCode: 400,
      error: "Bad Request",
      message: expect.stringMatching(
        isOver ? /^Completed experiments cannot be reactivated\./ : /^Status transition is not allowed\./,
      ),
      errorCode: isOver ? "experiment_completed" : "invalid_status_transition",
    });
    expect(await client.get(`/experiments/${id}`)).toEqual(before);
  });

  it("says what may be edited, and may be deleted unless it is active", async () => {
    const { id } = await createExperiment(client, from, bodyOf(flag));
    const { editable_fields: fields } = await client.get(`/experiments/${id}`);
    const values: Record<string, unknown> = {
      name: "Warmer login",
      description: "Why not",
      authentication_flow: "authentication",
      assignment_config: { subject: "device" },
      allocations: shares(flag),
      levels: [100],
      bucketing_salt: "salt",
    };
    for (const [field, value] of Object.entries(values)) {
      const { status } = await client.send("PATCH", `/experiments/${id}`, { [field]: value });
      expect([field, status]).toEqual([field, fields.includes(field) ? 200 : 400]);
    }
    const deleted = await client.send("DELETE", `/experiments/${id}`);
    if (from !== "active") {
      expect(deleted.status).toBe(204);
      return;
    }
    expect(deleted.body).toEqual({
      statusCode: 400,
      error: "Bad Request",
      message: "Active experiments cannot be deleted. Pause or complete the experiment first.",
      errorCode: "experiment_is_active",
    });
    expect(await client.get(`/experiments/${id}`)).toMatchObject({ status: "active" });
  });
});

it.each([{ status: "draft" }, { status: "started" }, {}, { status: "active", force: true }, []])(
  "refuses the body %j",
  async (body) => {
    const { id } = await client.post("/experiments", bodyOf(flag));
    expect((await client.send("POST", `/experiments/${id}/status`, body)).body).toMatchObject({
      statusCode: 400,
      errorCode: "invalid_body",
    });
  },
);

it("remembers when it first started and when it ended", async () => {
  const draft = await client.post("/experiments", bodyOf(flag));
  expect(draft).not.toHaveProperty("started_at");
  const active = (await move(draft.id, "active")).body;
  expect(active).toMatchObject({ started_at: active.updated_at });
  expect(active).not.toHaveProperty("ended_at");
  await move(draft.id, "paused");
  const again = (await move(draft.id, "active")).body;
  expect(again.started_at).toBe(active.started_at);
  const completed = (await move(draft.id, "completed")).body;
  expect(completed).toMatchObject({ started_at: active.started_at, ended_at: completed.updated_at });
  expect((await move(draft.id, "archived")).body).toMatchObject({ ended_at: completed.ended_at });
});

describe("activation", () => {
  it("freezes what the experiment refers to, until the next one", async () => {
    const segmentId = await createSegment(client);
    const draft = await client.post("/experiments", segmentBodyOf(flag, segmentId));
    expect(draft).not.toHaveProperty("feature_flag_snapshot");
    expect(draft.allocations[0]).not.toHaveProperty("segment_snapshot");
    const [control, treatment] = await Promise.all(
      flag.variations.map((id) => client.get(`/feature-flags/${flag.id}/variations/${id}`)),
    );
    const frozen = {
      feature_flag_snapshot: await client.get(`/feature-flags/${flag.id}`),
      allocations: [
        { variation_snapshot: treatment, segment_snapshot: await client.get(`/segments/${segmentId}`) },
        { variation_snapshot: control },
      ],
    };
    const active = (await move(draft.id, "active")).body;
    expect(active).toMatchObject(frozen);
    expect(active.allocations[1]).not.toHaveProperty("segment_snapshot");

    await client.patch(`/segments/${segmentId}`, { name: "Small screens" });
    await client.patch(`/feature-flags/${flag.id}`, { name: "Front page" });
    expect(await client.get(`/experiments/${draft.id}`)).toMatchObject(frozen);
    await move(draft.id, "paused");
    expect((await move(draft.id, "active")).body).toMatchObject({
      feature_flag_snapshot: { name: "Front page" },
      allocations: [{ segment_snapshot: { name: "Small screens" } }, {}],
    });
  });

  it("is refused with one message, and the one code if there is one", async () => {
    const weights = { allocations: shares(flag, [50, 49]) };
    const { id } = await client.post("/experiments", bodyOf(flag, weights));
    const one = await move(id, "active");
    expect(one.body).toEqual({
      statusCode: 400,
      error: "Bad Request",
      message:
        "Experiment cannot be activated: validation failed. experiment_invalid_allocation_weights: allocations: the weights of all allocations must total 100, not 99.",
      errorCode: "experiment_invalid_allocation_weights",
    });
    await client.patch(`/experiments/${id}`, {
      allocations: shares(flag, [50, 49]).map((share) => ({ ...share, is_control: false })),
    });
    const two = await move(id, "active");
    expect(two.body.errorCode).toBe("experiment_validation_failed");
    expect(two.body.message).toMatch(
      /^Experiment cannot be activated: validation failed\. experiment_missing_control: .*; experiment_invalid_allocation_weights: /,
    );
    expect(await client.get(`/experiments/${id}`)).toMatchObject({ status: "draft", is_valid: false });
  });

  it.each(["draft", "archived"])("is refused on a flag that is %s", async (status) => {
    const other = await createFlag(client, { name: "Other page", status: "draft" });
    const { id } = await client.post("/experiments", bodyOf(other));
    if (status === "archived") await client.post(`/feature-flags/${other.id}/status`, { status });
    expect((await move(id, "active")).body).toMatchObject({
      statusCode: 400,
      message: expect.stringMatching(/^Experiment cannot be activated: validation failed\. feature_flag_not_active: /),
      errorCode: "feature_flag_not_active",
    });
  });

  it("is refused with its own title where the code has another meaning elsewhere", async () => {
    const other = await createFlag(client, { name: "Other page" });
    const { id } = await client.post("/experiments", bodyOf(flag, { allocations: shares(other) }));
    expect((await move(id, "active")).body).toMatchObject({
      statusCode: 400,
      message: expect.stringMatching(/^Experiment cannot be activated: validation failed\. variation_not_from_flag: /),
      errorCode: "variation_not_from_flag",
    });
  });

  it("lets one of twenty at the same moment through", async () => {
    const drafts = [];
    for (let index = 0; index < 20; index++)
      drafts.push(await client.post("/experiments", bodyOf(flag, { name: `No ${index}` })));
    const answers = await Promise.all(drafts.map(({ id }) => move(id, "active")));
    const refused = answers.filter(({ status }) => status === 400);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(refused).toHaveLength(19);
    for (const { body } of refused) expect(body.errorCode).toBe("experiment_active_limit_exceeded");
    expect((await client.get("/experiments?status=active")).experiments).toHaveLength(1);
  });

  it("lets as many through as the tenant may have, each on its own flag", async () => {
    client = createClient({ tenant: { active_experiment_limit: 3 } });
    const ids: string[] = [];
    for (let index = 0; index < 5; index++) {
      const own = await createFlag(client, { name: `Page ${index}` });
      ids.push((await client.post("/experiments", bodyOf(own, { name: `No ${index}` }))).id);
    }
    const answers = await Promise.all(ids.map((id) => move(id, "active")));
    const refused = answers.filter(({ status }) => status !== 200);
    expect(refused.map(({ body }) => body.errorCode)).toEqual([
      "experiment_active_limit_exceeded",
      "experiment_active_limit_exceeded",
    ]);
  });
});
