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
} from "../experiment-stage.ts";

let client: Client;
let flag: FlagStage;
beforeEach(async () => {
  client = createClient();
  flag = await createFlag(client, { count: 3 });
});

const move = (id: string, status: string) => client.post(`/experiments/${id}/status`, { status });
const advance = (id: string, level: unknown) =>
  client.send("POST", `/experiments/${id}/advance-ramp`, { target_level: level });

describe("the ramp", () => {
  const levels = [5, 25, 100];

  it("goes up one level at a time and is published", async () => {
    const { id, current_level } = await createExperiment(client, "active", bodyOf(flag, { levels }));
    expect(current_level).toBe(5);
    const raised = await advance(id, 25);
    expect(raised).toMatchObject({ status: 200, body: { id, current_level: 25, epoch: 1 } });
    expect(await client.get(`/experiments/${id}`)).toEqual(raised.body);
    await vi.waitFor(async () => {
      const { flags, experiments } = await client.published();
      expect(experiments[0].epoch).toBe(1);
      const { bucket } = flags[0].segments.at(-1);
      expect(bucket.allocations[0].range).toEqual([0, 25]);
    }, 5_000);
    expect((await advance(id, 100)).body).toMatchObject({ current_level: 100, epoch: 1 });
  });

  it("stays where it is when told its level again", async () => {
    const { id } = await createExperiment(client, "active", bodyOf(flag, { levels }));
    const raised = await advance(id, 25);
    const again = await advance(id, 25);
    expect(again).toMatchObject({ status: 200, body: raised.body });
  });

  it("goes on where it was after a pause", async () => {
    const { id } = await createExperiment(client, "active", bodyOf(flag, { levels }));
    await advance(id, 25);
    await move(id, "paused");
    expect((await advance(id, 100)).body).toMatchObject({ status: "paused", current_level: 100 });
    expect(await move(id, "active")).toMatchObject({ current_level: 100, epoch: 1 });
  });

  it.each([
    [5, "the current level is 25, next is 100; not 5"],
    [50, "the current level is 25, next is 100; not 50"],
    [101, "the current level is 25, next is 100; not 101"],
    [-1, "the current level is 25, next is 100; not -1"],
  ])("goes to no %s", async (level, words) => {
    const { id } = await createExperiment(client, "active", bodyOf(flag, { levels }));
    await advance(id, 25);
    expect((await advance(id, level)).body).toEqual({
      statusCode: 400,
      error: "Bad Request",
      message: `The ramp goes up only, one level at a time. target_level: ${words}.`,
      errorCode: "invalid_ramp_level",
    });
    expect(await client.get(`/experiments/${id}`)).toMatchObject({ current_level: 25 });
  });

  it("skips no level, and ends at the last", async () => {
    const { id } = await createExperiment(client, "active", bodyOf(flag, { levels }));
    expect((await advance(id, 100)).body.message).toContain("the current level is 5, next is 25; not 100");
    await advance(id, 25);
    await advance(id, 100);
    expect((await advance(id, 25)).body.message).toContain("the current level is 100, the last one; not 25");
  });

  it.each(["draft", "completed", "archived"] as const)("is not for what is %s", async (status) => {
    const { id } = await createExperiment(client, status, bodyOf(flag, { levels }));
    expect((await advance(id, 25)).body).toMatchObject({
      statusCode: 400,
      message: expect.stringContaining(`The experiment is ${status}`),
      errorCode: "invalid_ramp_level",
    });
  });

  it("needs levels", async () => {
    for (const [index, changes] of [{}, { levels: [] }].entries()) {
      const { id } = await createExperiment(client, "active", bodyOf(flag, { name: `No ${index}`, ...changes }));
      expect((await advance(id, 100)).body).toMatchObject({ errorCode: "invalid_ramp_level" });
      await move(id, "completed");
    }
  });

  it.each(["25", 2.5, null, undefined])("refuses the target %j", async (level) => {
    const { id } = await createExperiment(client, "active", bodyOf(flag, { levels }));
    expect((await advance(id, level)).body).toMatchObject({
      statusCode: 400,
      message: expect.stringContaining("target_level"),
      errorCode: "invalid_body",
    });
  });

  it("begins anew with other levels in a draft", async () => {
    const { id } = await client.post("/experiments", bodyOf(flag, { levels }));
    expect(await client.patch(`/experiments/${id}`, { levels: [1, 2] })).toMatchObject({ current_level: 1 });
    expect(await client.patch(`/experiments/${id}`, { levels: [] })).not.toHaveProperty("current_level");
  });

  it("takes one step when many ask for it at once", async () => {
    const { id } = await createExperiment(client, "active", bodyOf(flag, { levels }));
    const answers = await Promise.all([25, 25, 25, 25].map((level) => advance(id, level)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(await client.get(`/experiments/${id}`)).toMatchObject({ current_level: 25 });
  });
});

describe("a new epoch", () => {
  const patch = (id: string, changes: object) => client.patch(`/experiments/${id}`, changes);

  it("begins with another split, once the experiment has been active, and is published", async () => {
    const { id } = await client.post("/experiments", bodyOf(flag));
    expect(await patch(id, { allocations: shares(flag, [40, 60]) })).toMatchObject({ epoch: 1 });
    const { started_at } = await move(id, "active");
    await move(id, "paused");
    expect(await patch(id, { allocations: shares(flag, [10, 90]) })).toMatchObject({ epoch: 2, started_at });
    expect(await move(id, "active")).toMatchObject({ epoch: 2, started_at });
    await vi.waitFor(async () => expect((await client.published()).experiments[0].epoch).toBe(2), 5_000);
  });

  it("begins with another variation and another salt, not with the same said again", async () => {
    const { id } = await createExperiment(client, "paused", bodyOf(flag));
    expect(await patch(id, { allocations: shares(flag, [50, 50]) })).toMatchObject({ epoch: 1 });
    expect(await patch(id, { allocations: shares(flag, [50, 50, 0]) })).toMatchObject({ epoch: 1 });
    expect(await patch(id, { bucketing_salt: id })).toMatchObject({ epoch: 1 });
    expect(await patch(id, { name: "Another name" })).toMatchObject({ epoch: 1 });
    expect(await patch(id, { allocations: shares(flag, [50, 0, 50]) })).toMatchObject({ epoch: 2 });
    expect(await patch(id, { bucketing_salt: "pepper" })).toMatchObject({ epoch: 3 });
    expect(await patch(id, { bucketing_salt: null })).toMatchObject({ epoch: 4 });
  });

  it("begins with another segment", async () => {
    const [phones, tablets] = [await createSegment(client), await createSegment(client, "Tablets")];
    const body = segmentBodyOf(flag, phones);
    const { id } = await createExperiment(client, "paused", body);
    const [targeted, fallback] = body.allocations;
    expect(await patch(id, { allocations: [fallback, { ...targeted, priority: 7 }] })).toMatchObject({ epoch: 1 });
    expect(await patch(id, { allocations: [{ ...targeted, segment_id: tablets }, fallback] })).toMatchObject({
      epoch: 2,
    });
  });

  it("begins when the flag becomes sticky", async () => {
    const { id, started_at } = await createExperiment(client, "active", bodyOf(flag));
    await client.patch(`/feature-flags/${flag.id}`, { rollout: { sticky_bucketing: true } });
    expect(await client.get(`/experiments/${id}`)).toMatchObject({ epoch: 2, started_at });
  });

  it("leaves no stale copies with allocations of the new one", async () => {
    const { id } = await createExperiment(client, "paused", bodyOf(flag));
    const { allocations } = await patch(id, { allocations: shares(flag, [10, 90]) });
    expect(allocations).toEqual(shares(flag, [10, 90]));
    expect((await move(id, "active")).allocations[0]).toMatchObject({ variation_snapshot: { id: flag.variations[0] } });
  });
});
