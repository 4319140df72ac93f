import { beforeAll, describe, expect, it } from "vitest";
import { experiment, flag } from "../../model/resources.ts";
import { ask, type Json, ofApps, send, shown } from "../serving/app-flags.ts";
import { createFetchStage, everywhere, keys } from "../serving/stage.ts";

const stage = createFetchStage();
const path = "/_vestibule/v1/exposures";
const tell = (body: unknown, query = "", key = keys.client) => send(stage, `${path}${query}`, body, { key });

/** An assignment as the app gets it, and its event. */
async function assigned(device: string, query = "") {
  stage.takeEvents();
  const answer = await ask(stage, `/_vestibule/v1/assignments?device_id=${device}&flag_keys=page${query}`);
  const [event] = stage.takeEvents();
  return { page: shown(answer, "page"), event };
}

const drafted = experiment({ id: "exp_Draft", name: "Draft", status: "draft" });
const over = experiment({ id: "exp_Over", name: "Over", status: "completed", epoch: 3 });
const ofUsers = experiment({
  id: "exp_Users",
  name: "Of users",
  feature_flag_id: "flg_Users",
  assignment_config: { subject: "user" },
  allocations: [],
  status: "paused",
});
const usersFlag = flag({ id: "flg_Users", key: "users", name: "Users", deployments: everywhere });
const hidden = experiment({ id: "exp_Hidden", name: "Hidden", feature_flag_id: "flg_Other", status: "paused" });

beforeAll(() =>
  stage.publish({
    ...ofApps,
    feature_flags: [...ofApps.feature_flags, usersFlag],
    variations: [
      ...ofApps.variations,
      ...ofApps.variations.slice(0, 2).map((each) => ({ ...each, id: `${each.id}U`, feature_flag_id: "flg_Users" })),
    ],
    experiments: [...ofApps.experiments, drafted, over, ofUsers, hidden],
  }),
);

describe("POST /_vestibule/v1/exposures", () => {
  it("takes an assignment by its id alone, and counts it as the very unit that was assigned", async () => {
    const { page, event } = await assigned("by-id");
    const { status, body } = await tell({ assignment_id: page.assignment_id });
    expect([status, body]).toEqual([200, { accepted: 1, ignored: [], errors: [] }]);
    const [exposure] = stage.takeEvents();
    const { id: _, type: __, at: ___, ...said } = event ?? {};
    expect(exposure).toMatchObject({ ...said, type: "exposure", source: "native" });
  });

  it("takes one that is spelled out, in each way", async () => {
    const { event } = await assigned("spelled");
    const at = new Date(Date.now() - 3_600_000).toISOString();
    const ways = [
      { experiment_id: "exp_Page", variation_id: "var_b" },
      { flag_key: "page", variation: "b" },
      { experiment_id: "exp_Page", flag_key: "page", variation_id: "var_b", variation: "b", user_id: null },
    ];
    for (const [index, way] of ways.entries()) {
      const { body } = await tell({ device_id: "spelled", ...way, id: `way-${index}`, at });
      expect(body.accepted).toBe(1);
    }
    const events = stage.takeEvents();
    expect(events).toHaveLength(3);
    for (const each of events) {
      expect(each).toMatchObject({ unit: event?.unit, variation_id: "var_b", epoch: 1, at, subject_kind: "device" });
    }
  });

  it("takes those of users, and of what is over", async () => {
    await tell({ device_id: "d", user_id: "u", experiment_id: "exp_Users", variation: "a" });
    await tell({ device_id: "d", experiment_id: "exp_Over", variation: "a" });
    await tell({ user_id: "u", flag_key: "users", variation: "b" });
    expect(stage.takeEvents().map((each) => [each.experiment_id, each.subject_kind, each.epoch])).toEqual([
      ["exp_Users", "user", 1],
      ["exp_Over", "device", 3],
      ["exp_Users", "user", 1],
    ]);
  });

  it("takes an event of the app's own as its source", async () => {
    await tell({ device_id: "own", flag_key: "page", variation: "a", event: "Login Page Viewed" });
    expect(stage.takeEvents()).toMatchObject([{ type: "exposure", source: "ingest" }]);
  });

  it("is idempotent: by its id for ever, and without one within the day", async () => {
    const exposure = { device_id: "again", flag_key: "page", variation: "a" };
    for (let count = 0; count < 2; count++) await tell({ ...exposure, id: "of-mine" });
    const ids = stage.takeEvents().map(({ id }) => id);
    expect(ids).toHaveLength(2);
    expect(new Set(ids).size).toBe(1);
    await tell({ ...exposure, id: "of-mine" }, "", keys.server);
    expect(stage.takeEvents()[0]?.id).not.toBe(ids[0]);
    const { body } = await tell({ exposures: [exposure, exposure] });
    expect(body.accepted).toBe(2);
    expect((await tell(exposure)).body.accepted).toBe(1);
    expect(stage.takeEvents()).toHaveLength(1);
  });

  it("counts nothing that was forced", async () => {
    const forced = "&experiment_id=exp_Page&variation_id=var_c";
    const { page } = await assigned("forced", forced);
    const answer = await tell({ assignment_id: page.assignment_id });
    expect(answer.body).toEqual({ accepted: 0, ignored: [{ index: 0, reason: "forced" }], errors: [] });
    const spelled = { device_id: "forced", flag_key: "page", variation: "c" };
    const others = { user_id: "forced", experiment_id: "exp_Users", variation: "a" };
    const { body } = await tell({ exposures: [spelled, others] }, `?${forced}`);
    const ignored = [0, 1].map((index) => ({ index, reason: "forced" }));
    expect(body).toEqual({ accepted: 0, ignored, errors: [] });
    expect(stage.takeEvents()).toEqual([]);
  });

  it("takes what is right of a batch, and says of the rest what would be", async () => {
    const { page } = await assigned("batch");
    const [payload, kid, mac] = page.assignment_id.split(".");
    const ofAnother = payload.slice(0, -4) + payload.slice(-4).split("").reverse().join("");
    const device = { device_id: "batch" };
    const exposures: [object | string | null, string, string][] = [
      [{ assignment_id: `${ofAnother}.${kid}.${mac}` }, "assignment_id", "fetched with this key"],
      [{ assignment_id: "x" }, "assignment_id", "fetched with this key"],
      [{ assignment_id: 5 }, "assignment_id", "must be text"],
      [{ ...device }, "assignment_id", "experiment_id or flag_key"],
      [{ ...device, experiment_id: "exp_None", variation: "a" }, "experiment_id", "this key may fetch"],
      [{ ...device, experiment_id: "exp_Hidden", variation: "a" }, "experiment_id", "this key may fetch"],
      [{ ...device, experiment_id: "exp_Draft", variation: "a" }, "experiment_id", "a draft"],
      [{ ...device, flag_key: "elsewhere", variation: "a" }, "flag_key", "active experiment"],
      [{ ...device, flag_key: "rolled", variation: "on" }, "flag_key", "active experiment"],
      [{ ...device, flag_key: "rolled", experiment_id: "exp_Page", variation: "a" }, "flag_key", "must be page"],
      [{ ...device, flag_key: "page" }, "variation_id", "var_a (a), var_b (b), var_c (c)"],
      [{ ...device, flag_key: "page", variation: "off" }, "variation", "var_a (a)"],
      [{ ...device, flag_key: "page", variation_id: "var_a", variation: "b" }, "variation_id", "var_a (a)"],
      [{ user_id: "u", flag_key: "page", variation: "a" }, "device_id", "exp_Page assigns devices"],
      [{ device_id: "d", experiment_id: "exp_Users", variation: "a" }, "user_id", "exp_Users assigns users"],
      [{ ...device, flag_key: "page", variation: "a", at: "yesterday" }, "at", "must be a time such as"],
      [{ ...device, flag_key: "page", variation: "a", at: "2020-01-01T00:00:00Z" }, "at", "the last 30 days"],
      [{ ...device, flag_key: "page", variation: "a", at: "2999-01-01T00:00:00Z" }, "at", "the last 30 days"],
      [{ ...device, flag_key: "page", variation: "a", id: "" }, "id", "must not be empty"],
      [{ ...device, flag_key: "page", variation: "a", method: "auto" }, "method", "is not known here"],
      ["page", "", "must be an object"],
      [null, "", "must be an object"],
    ];
    const good = { ...device, flag_key: "page", variation: "a" };
    const { status, body } = await tell({ exposures: [...exposures.map(([exposure]) => exposure), good] });
    expect([status, body.accepted, body.errors.length]).toEqual([200, 1, exposures.length]);
    for (const [index, [, field, message]] of exposures.entries()) {
      expect(body.errors[index]).toEqual({ index, field, message: expect.stringContaining(message) });
    }
    expect(stage.takeEvents()).toHaveLength(1);
  });

  it.each<[string, unknown, number, string, string]>([
    ["one that is wrong", { device_id: "d" }, 400, "invalid_exposure", "assignment_id: must be given"],
    [
      "all that are wrong",
      { exposures: [{ device_id: "d" }] },
      400,
      "invalid_exposure",
      "exposures[0].assignment_id: ",
    ],
    ["an empty batch", { exposures: [] }, 400, "invalid_body", "exposures: must hold at least one"],
    ["too many", { exposures: Array(501).fill({}) }, 400, "invalid_body", "exposures: must hold at most 500"],
    ["no list", { exposures: {} }, 400, "invalid_body", "exposures: must be a list"],
    ["a bare list", [{}], 400, "invalid_body", "must be an object, not a list"],
    ["something beside", { exposures: [{}], device_id: "d" }, 400, "invalid_body", "device_id: is not known here"],
    ["no JSON", "{", 400, "invalid_body", "must be JSON"],
  ])("refuses %s", async (_, sent, status, errorCode, message) => {
    const answer = await tell(sent);
    expect([answer.status, answer.body.errorCode]).toEqual([status, errorCode]);
    expect(answer.body.message).toContain(message);
    expect(stage.takeEvents()).toEqual([]);
  });

  it("says so when nothing can be recorded, so that the app sends it again", async () => {
    let isDown = true;
    const sent: Json[] = [];
    const sendBatch = async (batch: Json[]) => {
      if (isDown) throw new Error("the queue is down");
      sent.push(...batch);
    };
    const own = createFetchStage({ vars: { EVENTS: { sendBatch } } });
    await own.publish(ofApps);
    const exposure = { device_id: "d", flag_key: "page", variation: "a" };
    const refused = await send(own, path, exposure);
    expect([refused.status, refused.body.errorCode]).toEqual([503, "events_unavailable"]);
    expect(refused.response.headers.get("retry-after")).toBe("5");
    isDown = false;
    expect((await send(own, path, exposure)).status).toBe(200);
    expect(sent).toHaveLength(1);
  });
});

describe("POST /_vestibule/v1/identify", () => {
  const identify = (body: unknown, query = "") => send(stage, `/_vestibule/v1/identify${query}`, body);

  it("links a device with a user in the experiments that the device is in, once", async () => {
    const { event } = await assigned("mine");
    const { status, body } = await identify({ device_id: "mine", user_id: "me" });
    expect([status, body]).toEqual([200, { linked: ["exp_Page"] }]);
    const [identity, ...others] = stage.takeEvents();
    expect(others).toEqual([]);
    expect(identity).toMatchObject({
      type: "identity",
      source: "native",
      unit: event?.unit,
      experiment_id: "exp_Page",
      variation_id: event?.variation_id,
      subject_kind: "device",
      linked_unit: expect.stringMatching(/^[\w-]{22}$/),
    });
    expect(identity?.linked_unit).not.toBe(event?.unit);
    await identify({ device_id: "mine", user_id: "me" });
    expect(stage.takeEvents()).toEqual([]);
  });

  it("links nothing in a forced variation", async () => {
    const { body } = await identify({ device_id: "qa", user_id: "qa" }, "?experiment_id=exp_Page&variation_id=var_c");
    expect([body, stage.takeEvents()]).toEqual([{ linked: [] }, []]);
  });

  it.each([
    [{ device_id: "d" }, "user_id: must be given"],
    [{ user_id: "u" }, "device_id: must be given"],
    [{ device_id: "d", user_id: "" }, "user_id: must not be empty"],
    [{ device_id: "d", user_id: "u", anonymous_id: "x" }, "anonymous_id: is not known here"],
  ])("refuses %j", async (sent, message) => {
    const { status, body } = await identify(sent);
    expect([status, body.errorCode]).toEqual([400, "invalid_body"]);
    expect(body.message).toContain(message);
  });
});
