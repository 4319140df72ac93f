import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createKeyring } from "../../../src/assignment/keyring.ts";
import { signSession } from "../../../src/assignment/session.ts";
import { createDelivery } from "../../../src/ledger/delivery.ts";
import { countsOf } from "../../../src/ledger/reader.ts";
import { snapshotKey } from "../../../src/model/snapshot.ts";
import { readSettings } from "../../../src/settings.ts";
import { bindings } from "../../all-workers.ts";
import { experiment, flag } from "../../model/resources.ts";
import { ask, type Json, ofApps, send, shown } from "../serving/app-flags.ts";
import { createFetchStage, everywhere, type FetchStage, keys } from "../serving/stage.ts";

const stage = createFetchStage();
const path = "/_vestibule/v1/outcomes";
const report = (body: unknown, query = "", headers: Record<string, string> = {}) =>
  send(stage, `${path}${query}`, body, { key: keys.client, headers });

const dayMs = 24 * 3600_000;
const ago = (ms: number) => new Date(Date.now() - ms).toISOString();

const page = experiment();
const ofUsers = experiment({
  id: "exp_Users",
  name: "Of users",
  feature_flag_id: "flg_Users",
  assignment_config: { subject: "user" },
  allocations: [],
  status: "paused",
});
const atGate = experiment({ id: "exp_Gate", name: "At the gate", feature_flag_id: "flg_Gate", status: "paused" });
const inOther = experiment({ id: "exp_Hidden", name: "Hidden", feature_flag_id: "flg_Other", status: "paused" });
const drafted = experiment({ id: "exp_Draft", name: "Draft", status: "draft" });
const justOver = experiment({ id: "exp_Over", name: "Over", status: "completed", ended_at: ago(3_600_000) });
const longOver = experiment({ id: "exp_Old", name: "Old", status: "completed", ended_at: ago(10 * dayMs) });

const configuration = {
  ...ofApps,
  feature_flags: [
    ...ofApps.feature_flags.map((each) => (each.id === "flg_Other" ? { ...each, deployments: [] } : each)),
    flag({ id: "flg_Users", key: "users", name: "Users", deployments: everywhere }),
    flag({ id: "flg_Gate", key: "at-gate", name: "At the gate", deployments: ["gate"] }),
  ],
  variations: [
    ...ofApps.variations,
    ...["Users", "Gate"].flatMap((name) =>
      ofApps.variations
        .slice(0, 2)
        .map((each) => ({ ...each, id: `${each.id}${name}`, feature_flag_id: `flg_${name}` })),
    ),
  ],
  experiments: [page, ofUsers, atGate, inOther, drafted, justOver, longOver],
};

/** Of devices: all that an outcome of a device counts for. */
const ofDevices = ["exp_Gate", "exp_Over", "exp_Page"];
const experimentIds = (events: readonly { experiment_id?: string }[]) =>
  events.map(({ experiment_id = "" }) => experiment_id).sort();

/** An assignment as the app gets it, and its event. */
async function assigned(device: string, query = "") {
  stage.takeEvents();
  const answer = await ask(stage, `/_vestibule/v1/assignments?device_id=${device}&flag_keys=page${query}`);
  const [event] = stage.takeEvents();
  return { page: shown(answer, "page"), event };
}

async function signedDevice({ env, tenant }: FetchStage, payload: string): Promise<string> {
  const keyring = createKeyring(readSettings(env).cookieKeys, (call) => call());
  return keyring.sign("did", tenant, payload);
}

beforeAll(() => stage.publish(configuration));
beforeEach(() => void stage.takeEvents());

describe("POST /_vestibule/v1/outcomes", () => {
  it.each([
    ["login", "s"],
    ["signup", "ss"],
    ["failure", "f"],
  ])("counts a %s of a device for every experiment that assigns devices", async (outcome, type) => {
    const { status, body, response } = await report({ outcome, device_id: `of-${outcome}` });
    expect([status, body]).toEqual([200, { accepted: 1, ignored: [], errors: [] }]);
    expect(response.headers.get("cache-control")).toBe("no-store");
    const events = stage.takeEvents();
    expect(experimentIds(events)).toEqual(ofDevices);
    for (const event of events) {
      expect(event).toMatchObject({ type: "auth", outcome: type, source: "native", deployment: "dep_Client" });
      expect(event).toMatchObject({ subject_kind: "device", unit: expect.stringMatching(/^[\w-]{22}$/) });
      // Nobody is assigned by it, and no id leaves in the clear.
      expect(event).not.toHaveProperty("variation_id");
      expect(JSON.stringify(event)).not.toContain(`of-${outcome}`);
    }
  });

  it("counts for users, and for both where both are named", async () => {
    await report({ outcome: "login", user_id: "u" });
    expect(experimentIds(stage.takeEvents())).toEqual(["exp_Users"]);
    await report({ outcome: "login", user_id: "u2", device_id: "d2", assignment_id: null });
    const events = stage.takeEvents();
    expect(experimentIds(events)).toEqual([...ofDevices, "exp_Users"]);
    expect(events.every(({ type }) => type === "auth")).toBe(true);
  });

  it("counts the very unit that was assigned, by the device's id and by the assignment's", async () => {
    const { page, event } = await assigned("same");
    await report({ outcome: "login", device_id: "same", experiment_id: "exp_Page" });
    await report({ outcome: "signup", assignment_id: page.assignment_id });
    const [byDevice, byAssignment, ...others] = stage.takeEvents();
    expect(others).toEqual([]);
    expect(byDevice).toMatchObject({ type: "auth", outcome: "s", unit: event?.unit, experiment_id: "exp_Page" });
    expect(byAssignment).toMatchObject({
      type: "auth",
      outcome: "ss",
      unit: event?.unit,
      variation_id: event?.variation_id,
      epoch: event?.epoch,
    });
  });

  it("counts an assignment once, beside the experiments of the subject that is named with it", async () => {
    const { page } = await assigned("beside");
    await report({ outcome: "login", assignment_id: page.assignment_id, device_id: "beside", user_id: "beside" });
    expect(experimentIds(stage.takeEvents())).toEqual([...ofDevices, "exp_Users"]);
    const only = { outcome: "signup", assignment_id: page.assignment_id, device_id: "beside" };
    await report({ ...only, experiment_id: "exp_Page" });
    expect(experimentIds(stage.takeEvents())).toEqual(["exp_Page"]);
    const { body } = await report({ ...only, experiment_id: "exp_Users" });
    expect(body.errors).toEqual([{ index: 0, field: "experiment_id", message: expect.stringContaining("exp_Page") }]);
  });

  it("counts for a completed experiment what happened until a day after its end, and what names it", async () => {
    await report({ outcome: "login", device_id: "late", at: ago(11 * dayMs) });
    expect(experimentIds(stage.takeEvents())).toEqual(["exp_Gate", "exp_Old", "exp_Over", "exp_Page"]);
    await report({ outcome: "login", device_id: "late", experiment_id: "exp_Old" });
    expect(experimentIds(stage.takeEvents())).toEqual(["exp_Old"]);
  });

  it("counts for all flags' experiments where the snapshot does not say which are enabled at the gate", async () => {
    const older = createFetchStage();
    await older.publish(configuration);
    const key = snapshotKey(older.tenant);
    const { value, metadata } = await bindings.SNAPSHOTS.getWithMetadata(key);
    const { gate: _, ...snapshot } = JSON.parse(value ?? "{}");
    await bindings.SNAPSHOTS.put(key, JSON.stringify(snapshot), { metadata });
    await send(older, path, { outcome: "login", device_id: "d" });
    expect(experimentIds(older.takeEvents())).toEqual(["exp_Gate", "exp_Hidden", "exp_Over", "exp_Page"]);
  });

  it("is one event by its id, whichever isolate hears it, and without one said once a day", async () => {
    const outcome = { outcome: "login", device_id: "again", experiment_id: "exp_Page" };
    await report({ ...outcome, id: "of-mine" });
    stage.restart();
    await report({ ...outcome, id: "of-mine" });
    const ids = stage.takeEvents().map(({ id }) => id);
    expect(ids).toHaveLength(2);
    expect(new Set(ids).size).toBe(1);
    await report({ ...outcome, id: "of-mine", outcome: "login", experiment_id: null });
    expect(new Set(stage.takeEvents().map(({ id }) => id)).size).toBe(ofDevices.length);
    await send(stage, path, { ...outcome, id: "of-mine" }, { key: keys.server });
    expect(ids).not.toContain(stage.takeEvents()[0]?.id);
    const { body } = await report({ outcomes: [outcome, outcome, { ...outcome, outcome: "failure" }] });
    expect(body.accepted).toBe(3);
    expect(stage.takeEvents().map((event) => event.outcome)).toEqual(["s", "f"]);
  });

  it("takes when it happened, and never counts what is to come", async () => {
    const at = ago(3_600_000);
    await report({ outcome: "login", device_id: "then", experiment_id: "exp_Page", at });
    await report({ outcome: "failure", device_id: "then", experiment_id: "exp_Page", at: ago(-60_000) });
    const [then, ahead] = stage.takeEvents();
    expect(then?.at).toBe(at);
    expect(Date.parse(ahead?.at ?? "")).toBeLessThanOrEqual(Date.now());
  });

  it("counts nothing that was forced", async () => {
    const forced = "experiment_id=exp_Page&variation_id=var_c";
    const { page } = await assigned("forced", `&${forced}`);
    const answer = await report({ outcome: "login", assignment_id: page.assignment_id });
    expect(answer.body).toEqual({ accepted: 0, ignored: [{ index: 0, reason: "forced" }], errors: [] });
    await report({ outcome: "login", assignment_id: page.assignment_id, device_id: "forced" });
    const only = { outcome: "login", device_id: "forced-too", experiment_id: "exp_Page" };
    const displaced = { outcome: "login", device_id: "forced-too", experiment_id: "exp_Over" };
    const { body } = await report({ outcomes: [only, displaced, { outcome: "login", user_id: "u" }] }, `?${forced}`);
    const ignored = [0, 1, 2].map((index) => ({ index, reason: "forced" }));
    expect(body).toEqual({ accepted: 0, ignored, errors: [] });
    expect(stage.takeEvents()).toEqual([]);
  });

  it("says so where there is no experiment that it could count for", async () => {
    const own = createFetchStage();
    await own.publish({ ...configuration, experiments: [page] });
    const { status, body } = await send(own, path, { outcome: "login", user_id: "u" });
    expect([status, body]).toEqual([
      200,
      { accepted: 0, ignored: [{ index: 0, reason: "no_experiment" }], errors: [] },
    ]);
    expect(own.takeEvents()).toEqual([]);
  });

  describe("by the device cookie", () => {
    const id = "AbCdEfGhIjKlMnOpQrSt_w";
    const payload = `${id}${Math.floor(Date.now() / dayMs).toString(36)}`;
    const unitOf = async (body: object, headers: Record<string, string> = {}) => {
      const answer = await report(
        { outcome: "login", experiment_id: "exp_Page", id: crypto.randomUUID(), ...body },
        "",
        headers,
      );
      expect(answer.body.errors ?? [], JSON.stringify(answer.body)).toEqual([]);
      const [event] = stage.takeEvents();
      return event?.unit;
    };

    it("counts a page's fetch, which names no subject", async () => {
      const cookie = `other=1; __Host-vst_did=${await signedDevice(stage, payload)}`;
      expect(await unitOf({}, { cookie })).toBe(await unitOf({ device_id: id }));
      const { body } = await report({ outcomes: [{ outcome: "login" }, { outcome: "failure" }] }, "", { cookie });
      expect(body.accepted).toBe(2);
      expect(stage.takeEvents()).toHaveLength(2 * ofDevices.length);
    });

    it("takes an old cookie, and every form of the id in the body", async () => {
      const unit = await unitOf({ device_id: id });
      const old = await signedDevice(stage, `${id}${(20_300).toString(36)}`);
      expect(await unitOf({}, { cookie: `__Host-vst_did=${old}` })).toBe(unit);
      for (const device_id of [old, `vst_did=${old}`, payload]) expect(await unitOf({ device_id })).toBe(unit);
    });

    it("is not used where the body names a subject", async () => {
      const cookie = `__Host-vst_did=${await signedDevice(stage, payload)}`;
      await report({ outcome: "login", user_id: "named" }, "", { cookie });
      expect(experimentIds(stage.takeEvents())).toEqual(["exp_Users"]);
    });

    it("is refused where it is not genuine", async () => {
      const other = createFetchStage();
      const values = [`${payload}.k1.${"m".repeat(43)}`, await signedDevice(other, payload), id];
      for (const value of values) {
        const { status, body } = await report({ outcome: "login" }, "", { cookie: `__Host-vst_did=${value}` });
        expect([status, body.errorCode]).toEqual([400, "invalid_outcome"]);
        expect(body.message).toContain("device_id: must be given, or else user_id or assignment_id");
      }
      expect(stage.takeEvents()).toEqual([]);
    });

    it("counts nothing of a login that was forced at the gate", async () => {
      const did = `__Host-vst_did=${await signedDevice(stage, payload)}`;
      const sessionOf = async (deviceId: string, isForced: boolean) => {
        const keyring = createKeyring(readSettings(stage.env).cookieKeys, (call) => call());
        const value = await signSession(keyring, stage.tenant, {
          ...{ deviceId, userUnit: null, issuedAtSeconds: Date.now() / 1000, pins: [], decided: [], login: null },
          ...{ redirect: null, hasPage: true, isSignup: false, isForced, hasSucceeded: false },
        });
        return `__Host-vst_ses=${value}`;
      };
      const acceptedWith = async (cookie: string, body: object = {}) =>
        (await report({ outcome: "login", ...body }, "", { cookie })).body.accepted;
      expect(await acceptedWith(`${did}; ${await sessionOf(id, false)}`)).toBe(1);
      expect(await acceptedWith(`${did}; ${await sessionOf("another device", true)}`)).toBe(1);
      stage.takeEvents();
      for (const body of [{}, { device_id: id }, { user_id: "u" }]) {
        expect(await acceptedWith(`${did}; ${await sessionOf(id, true)}`, body)).toBe(0);
      }
      expect(await acceptedWith(await sessionOf("", true), { user_id: "u" })).toBe(0);
      expect(stage.takeEvents()).toEqual([]);
    });

    it("is the tenant's own where it has one, as at the gate", async () => {
      const own = createFetchStage({ tenant: { device_cookie: "shop" } });
      await own.publish({ ...configuration, experiments: [page] });
      await send(own, path, { outcome: "login" }, { headers: { cookie: "shop=mine" } });
      await send(own, path, { outcome: "failure", device_id: "mine" });
      const units = own.takeEvents().map(({ unit }) => unit);
      expect(units).toHaveLength(2);
      expect(new Set(units).size).toBe(1);
    });
  });

  it("takes what is right of a batch, and says of the rest what would be", async () => {
    const device = { outcome: "login", device_id: "batch" };
    const cookie = `AbCdEfGhIjKlMnOpQrSt_w${(20_500).toString(36)}.k1.${"m".repeat(43)}`;
    const outcomes: [object | string | null, string, string][] = [
      [{ device_id: "batch" }, "outcome", "must be given"],
      [{ ...device, outcome: "success" }, "outcome", "must be login, signup or failure"],
      [{ ...device, outcome: null }, "outcome", "must be login, signup or failure"],
      [{ outcome: "login" }, "device_id", "must be given, or else user_id or assignment_id"],
      [{ ...device, device_id: "" }, "device_id", "must not be empty"],
      [{ ...device, device_id: 5 }, "device_id", "must be text"],
      [{ ...device, device_id: "x".repeat(513) }, "device_id", "at most 512 characters"],
      [{ ...device, device_id: `vst_ses=${cookie}` }, "device_id", "this is the vst_ses cookie"],
      [{ ...device, device_id: cookie.slice(0, 50) }, "device_id", "part of the vst_did cookie"],
      [{ ...device, user_id: "" }, "user_id", "must not be empty"],
      [{ outcome: "login", assignment_id: "x" }, "assignment_id", "fetched with this key"],
      [{ ...device, assignment_id: "x" }, "assignment_id", "fetched with this key"],
      [{ ...device, experiment_id: "exp_None" }, "experiment_id", "enabled in this key's deployment or at the gate"],
      [{ ...device, experiment_id: "exp_Hidden" }, "experiment_id", "enabled in this key's deployment or at the gate"],
      [{ ...device, experiment_id: "exp_Draft" }, "experiment_id", "this one is draft"],
      [{ ...device, experiment_id: "exp_Users" }, "user_id", "exp_Users assigns users"],
      [{ outcome: "login", user_id: "u", experiment_id: "exp_Page" }, "device_id", "exp_Page assigns devices"],
      [{ ...device, at: "yesterday" }, "at", "must be a time such as"],
      [{ ...device, at: ago(31 * dayMs) }, "at", "the last 30 days"],
      [{ ...device, at: ago(-2 * dayMs) }, "at", "the last 30 days"],
      [{ ...device, id: "" }, "id", "must not be empty"],
      [{ ...device, variation: "a" }, "variation", "is not known here"],
      ["login", "", "must be an object"],
      [null, "", "must be an object"],
    ];
    const { status, body } = await report({ outcomes: [...outcomes.map(([outcome]) => outcome), device] });
    for (const [index, [, field, message]] of outcomes.entries()) {
      expect(body.errors[index]).toEqual({ index, field, message: expect.stringContaining(message) });
    }
    expect([status, body.accepted, body.errors.length]).toEqual([200, 1, outcomes.length]);
    expect(experimentIds(stage.takeEvents())).toEqual(ofDevices);
  });

  it.each<[string, unknown, number, string, string]>([
    ["one that is wrong", { outcome: "login" }, 400, "invalid_outcome", "device_id: must be given"],
    ["all that are wrong", { outcomes: [{}] }, 400, "invalid_outcome", "outcomes[0].outcome: must be given"],
    ["an empty batch", { outcomes: [] }, 400, "invalid_body", "outcomes: must hold at least one outcome"],
    ["too many", { outcomes: Array(501).fill({}) }, 400, "invalid_body", "outcomes: must hold at most 500 outcomes"],
    ["no list", { outcomes: {} }, 400, "invalid_body", "outcomes: must be a list"],
    ["a bare list", [{}], 400, "invalid_body", "must be an object, not a list"],
    ["no JSON", "{", 400, "invalid_body", "must be JSON"],
  ])("refuses %s", async (_, sent, status, errorCode, message) => {
    const answer = await report(sent);
    expect([answer.status, answer.body.errorCode]).toEqual([status, errorCode]);
    expect(answer.body.message).toContain(message);
    expect(stage.takeEvents()).toEqual([]);
  });

  it("asks for a key, and for POST", async () => {
    expect((await send(stage, path, { outcome: "login", device_id: "d" }, { key: null })).status).toBe(401);
    const { status, response } = await ask(stage, path);
    expect([status, response.headers.get("allow")]).toEqual([405, "POST"]);
  });

  it("says so when nothing can be recorded, so that it is sent again", async () => {
    let isDown = true;
    const sent: Json[] = [];
    const sendBatch = async (batch: Json[]) => {
      if (isDown) throw new Error("the queue is down");
      sent.push(...batch);
    };
    const own = createFetchStage({ vars: { EVENTS: { sendBatch } } });
    await own.publish({ ...configuration, experiments: [page] });
    const outcome = { outcome: "login", device_id: "d" };
    const refused = await send(own, path, outcome);
    expect([refused.status, refused.body.errorCode]).toEqual([503, "events_unavailable"]);
    isDown = false;
    expect((await send(own, path, outcome)).status).toBe(200);
    expect(sent).toHaveLength(1);
  });
});

it("shows in the ledger: of who was assigned alone, each once", async () => {
  const own = createFetchStage();
  await own.publish({ ...configuration, experiments: [page] });
  const assign = (device: string, query = "") =>
    ask(own, `/_vestibule/v1/assignments?device_id=${device}&flag_keys=page${query}`);
  const devices = ["one", "two", "three", "four"];
  for (const device of devices) await assign(device);
  const first = shown(await assign("one"), "page");
  const outcomes = [
    { outcome: "failure", device_id: "one" },
    { outcome: "login", assignment_id: first.assignment_id, id: "first" },
    { outcome: "login", assignment_id: first.assignment_id, id: "first" },
    { outcome: "signup", device_id: "two" },
    { outcome: "failure", device_id: "three" },
    { outcome: "login", device_id: "never assigned" },
  ];
  const { body } = await send(own, path, { outcomes });
  expect(body).toEqual({ accepted: outcomes.length, ignored: [], errors: [] });
  await createDelivery(own.env)(own.tenant, own.takeEvents());
  const { cells } = (await countsOf(own.env, own.tenant, "exp_Page")).counts;
  const sum = (field: "assigned" | "exposed" | "logins" | "signups" | "failures" | "finished") =>
    cells.reduce((total, cell) => total + cell[field], 0);
  expect([sum("assigned"), sum("exposed")]).toEqual([4, 0]);
  expect([sum("logins"), sum("signups"), sum("failures"), sum("finished")]).toEqual([1, 1, 2, 3]);
});
