import { beforeEach, describe, expect, it, vi } from "vitest";
import { type Client, createClient } from "../client.ts";
import { bodyOf, createExperiment, createFlag, type FlagStage, type Status } from "../experiment-stage.ts";
import { expectRefusal } from "./refusal.ts";

/** KV is written once a second at most. */
const soon = { timeout: 10_000 };

let client: Client;
let page: FlagStage;
let other: FlagStage;
beforeEach(async () => {
  client = createClient();
  page = await createFlag(client, { name: "Page" });
  other = await createFlag(client, { name: "Other" });
});

const slot = (percentage: number, ...flags: FlagStage[]) => ({
  percentage,
  feature_flag_ids: flags.map(({ id }) => id),
});
const mutex = (slots: unknown, changes: object = {}) => ({
  type: "mutual_exclusion",
  name: "Log-in pages",
  slots,
  ...changes,
});
const holdout = (percentage: unknown, flags: FlagStage[], changes: object = {}) => ({
  type: "holdout",
  name: "Held out",
  percentage,
  feature_flag_ids: flags.map(({ id }) => id),
  ...changes,
});

describe("a group", () => {
  it("excludes mutually: made, shown, changed and let go of", async () => {
    const body = mutex([slot(40, page), slot(60, other)], {
      description: "One at a time",
      bucketing_key: "user_id",
      bucketing_salt: "salt",
    });
    const made = await client.send("POST", "/groups", body);
    expect(made.status).toBe(201);
    expect(made.body).toEqual({
      ...body,
      id: expect.stringMatching(/^grp_[A-HJ-NP-Za-km-z1-9]+$/),
      key: "log_in_pages",
      created_at: expect.any(String),
      updated_at: made.body.created_at,
    });
    const path = `/groups/${made.body.id}`;
    expect(await client.get(path)).toEqual(made.body);
    const patch = {
      name: "Pages",
      description: null,
      bucketing_key: null,
      bucketing_salt: null,
      slots: [slot(10), slot(20, page)],
    };
    const { description: _, bucketing_key: __, bucketing_salt: ___, ...kept } = made.body;
    const changed = await client.patch(path, patch);
    expect(changed).toEqual({ ...kept, name: "Pages", slots: patch.slots, updated_at: changed.updated_at });
    expect(await client.get(path)).toEqual(changed);
    expect((await client.send("DELETE", path)).status).toBe(204);
    expect((await client.send("DELETE", path)).status).toBe(204);
    expectRefusal(await client.send("GET", path), 404, "group_not_found");
    expectRefusal(await client.send("PATCH", path, patch), 404, "group_not_found");
  });

  it("holds out", async () => {
    const made = await client.send("POST", "/groups", holdout(5, [page], { key: "everyone" }));
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({ type: "holdout", key: "everyone", percentage: 5, feature_flag_ids: [page.id] });
    const changed = await client.patch(`/groups/${made.body.id}`, { percentage: 6, feature_flag_ids: [] });
    expect(changed).toMatchObject({ percentage: 6, feature_flag_ids: [] });
  });

  it("is listed by page and type", async () => {
    for (const name of ["First", "Second", "Third"]) await client.post("/groups", mutex([slot(10)], { name }));
    await client.post("/groups", holdout(5, []));
    const names = ({ groups }: { groups: { name: string }[] }) => groups.map(({ name }) => name);
    const first = await client.get("/groups?take=2&type=mutual_exclusion");
    expect(names(first)).toEqual(["First", "Second"]);
    const last = await client.get(`/groups?take=2&type=mutual_exclusion&from=${first.next}`);
    expect(names(last)).toEqual(["Third"]);
    expect(last).not.toHaveProperty("next");
    expect(names(await client.get("/groups?type=holdout"))).toEqual(["Held out"]);
    expect(names(await client.get("/groups"))).toHaveLength(4);
    expectRefusal(await client.send("GET", "/groups?type=slots"), 400, "invalid_query_string", /mutual_exclusion/);
  });

  it("shares a key with no group of its type", async () => {
    await client.post("/groups", mutex([slot(10)], { key: "pages" }));
    const second = mutex([slot(10)], { name: "Second", key: "pages" });
    expectRefusal(await client.send("POST", "/groups", second), 409, "group_key_taken", /pages/);
    expect(await client.post("/groups", mutex([slot(10)], { name: "Pages" }))).toMatchObject({ key: "pages_2" });
    expect(await client.post("/groups", holdout(5, [], { key: "pages" }))).toMatchObject({ key: "pages" });
    expect(await client.post("/groups", holdout(5, [], { name: "吉星高照" }))).toMatchObject({ key: "group" });
  });

  it("shares its name with no other", async () => {
    const { id } = await client.post("/groups", mutex([slot(10)]));
    const second = await client.post("/groups", holdout(5, []));
    const says = new RegExp(id);
    const made = await client.send("POST", "/groups", holdout(5, [], { name: "Log-in pages" }));
    expectRefusal(made, 409, "group_name_taken", says);
    const named = await client.send("PATCH", `/groups/${second.id}`, { name: "Log-in pages" });
    expectRefusal(named, 409, "group_name_taken", says);
  });

  it.each<[string, () => unknown, "invalid_body" | "invalid_group", RegExp]>([
    ["no type", () => ({ name: "None" }), "invalid_body", /type: must be mutual_exclusion or holdout/],
    ["slots in a holdout", () => holdout(5, [], { slots: [] }), "invalid_body", /slots/],
    ["a percentage beside slots", () => mutex([slot(5)], { percentage: 5 }), "invalid_body", /percentage/],
    ["no slot", () => mutex([]), "invalid_body", /slots: must hold at least one slot/],
    ["21 slots", () => mutex(Array.from({ length: 21 }, () => slot(1))), "invalid_body", /slots: .*at most 20/],
    ["a slot of 101%", () => mutex([slot(101)]), "invalid_body", /slots\[0\]\.percentage: must be at most 100/],
    ["a slot of half a percent", () => mutex([slot(0.5)]), "invalid_body", /slots\[0\]\.percentage: .*whole/],
    ["a holdout of -1%", () => holdout(-1, []), "invalid_body", /percentage: must be at least 0/],
    ["an empty salt", () => holdout(5, [], { bucketing_salt: "" }), "invalid_body", /bucketing_salt/],
    ["another id to hash", () => holdout(5, [], { bucketing_key: "session_id" }), "invalid_body", /bucketing_key/],
    ["a key of capitals", () => holdout(5, [], { key: "KEY" }), "invalid_body", /key/],
    ["slots of 101% together", () => mutex([slot(50), slot(51)]), "invalid_group", /slots: .*at most 100, not 101/],
    [
      "a flag that does not exist",
      () => holdout(5, [{ ...page, id: "flg_Gone" }]),
      "invalid_group",
      /feature_flag_ids\[0\]: no feature flag flg_Gone/,
    ],
    [
      "a flag in two slots",
      () => mutex([slot(50, page), slot(50, page)]),
      "invalid_group",
      /slots\[1\]\.feature_flag_ids\[0\]/,
    ],
  ])("is refused with %s", async (_, body, code, says) => {
    expectRefusal(await client.send("POST", "/groups", body()), 400, code, says);
    expect(await client.get("/groups")).toEqual({ groups: [] });
  });

  it("is not changed into what it may not be", async () => {
    await client.post("/groups", mutex([slot(50, page)], { name: "First" }));
    const group = await client.post("/groups", mutex([slot(50, other)]));
    const path = `/groups/${group.id}`;
    const patch = (body: unknown) => client.send("PATCH", path, body);
    expectRefusal(await patch({}), 400, "invalid_body", /at least one of/);
    expectRefusal(await patch({ key: "new" }), 400, "invalid_body", /key/);
    expectRefusal(await patch({ type: "holdout" }), 400, "invalid_body", /type/);
    expectRefusal(await patch({ name: null }), 400, "invalid_body", /name/);
    expectRefusal(await patch({ percentage: 5 }), 400, "invalid_body", /percentage: .* has slots instead/);
    expectRefusal(await patch({ slots: [slot(60), slot(60)] }), 400, "invalid_group", /slots/);
    expectRefusal(await patch({ slots: [slot(60, page)] }), 400, "invalid_group", /"First"/);
    expect(await client.get(path)).toEqual(group);
  });

  it("keeps its flags from being deleted", async () => {
    await client.post("/groups", holdout(5, [page]));
    const answer = await client.send("DELETE", `/feature-flags/${page.id}`);
    expectRefusal(answer, 409, "feature_flag_referenced", /Held out/);
  });
});

describe("publishing", () => {
  it("carries a group's flag once a member is served, and no longer than that", async () => {
    const experiment = await createExperiment(client, "active", bodyOf(page));
    const group = await client.post("/groups", mutex([slot(40, other), slot(60, page)]));
    await client.post("/groups", holdout(5, [other]));
    await vi.waitFor(async () => {
      const { flags } = await client.published();
      expect(flags.map(({ key }: { key: string }) => key)).toEqual(["mutex-log_in_pages", "page"]);
      expect(flags[0].segments[0].bucket.salt).toBe(group.id);
      expect(flags[1]).toMatchObject({
        dependencies: ["mutex-log_in_pages"],
        segments: [{ conditions: [[{ op: "is not", values: ["slot-2"] }]], variant: "off" }, {}],
      });
    }, soon);
    await client.post(`/experiments/${experiment.id}/status`, { status: "completed" });
    await vi.waitFor(async () => expect((await client.published()).flags).toEqual([]), soon);
  }, 25_000);
});

describe("epochs", () => {
  const epochOf = async ({ id }: { id: string }) => (await client.get(`/experiments/${id}`)).epoch;

  it("begin anew when a group's edit changes who may take part", async () => {
    const experiment = await createExperiment(client, "active", bodyOf(page));
    const steps: [epoch: number, edit: () => Promise<unknown>][] = [];
    let path = "";
    steps.push(
      [2, async () => (path = `/groups/${(await client.post("/groups", holdout(5, [page]))).id}`)],
      [3, () => client.patch(path, { percentage: 6 })],
      [4, () => client.patch(path, { bucketing_salt: "new" })],
      [4, () => client.patch(path, { name: "Another", description: "Nobody moves" })],
      [4, () => client.patch(path, { bucketing_key: "device_id" })],
      [5, () => client.patch(path, { bucketing_key: "user_id" })],
      [5, () => client.patch(path, { feature_flag_ids: [page.id, other.id] })],
      [6, () => client.patch(path, { feature_flag_ids: [other.id] })],
      [6, () => client.delete(path)],
    );
    for (const [epoch, edit] of steps) {
      await edit();
      expect(await epochOf(experiment)).toBe(epoch);
    }
    expect(await client.get(`/experiments/${experiment.id}`)).toMatchObject({ started_at: experiment.started_at });
  }, 15_000);

  it("begin anew when the group is deleted", async () => {
    const experiment = await createExperiment(client, "active", bodyOf(page));
    const group = await client.post("/groups", mutex([slot(50, page)]));
    await client.delete(`/groups/${group.id}`);
    expect(await epochOf(experiment)).toBe(3);
  });

  it.each<[Status, number]>([
    ["draft", 1],
    ["paused", 2],
    ["completed", 1],
    ["archived", 1],
  ])("of an experiment that is %s: %d", async (status, epoch) => {
    const experiment = await createExperiment(client, status, bodyOf(page));
    await client.post("/groups", holdout(5, [page]));
    expect(await epochOf(experiment)).toBe(epoch);
  });
});
