import { beforeAll, describe, expect, it, vi } from "vitest";
import type { Flag } from "../../../src/engine/flag.ts";
import type { CohortIndex } from "../../../src/model/snapshot.ts";
import { cohort, experiment, flag, holdout, segment, variation, variations } from "../../model/resources.ts";
import { createFetchStage, everywhere, type FetchStage, keys } from "../serving/stage.ts";

const path = "/sdk/v2/flags";
const rolledOut = (name: string, conditions: string[] | null, changes: Parameters<typeof flag>[0] = {}) =>
  flag({
    id: `flg_${name}`,
    key: name,
    name,
    deployments: everywhere,
    rollout:
      conditions === null
        ? { all_users: { percentage: 100, weights: { on: 1 } } }
        : { targeting: [{ name, segment_id: `seg_${name}`, percentage: 100, weights: { on: 1 } }] },
    ...changes,
  });
const ofFlags = (names: string[]) =>
  names.flatMap((name) =>
    ["on", "not"].map((key) => variation(key, { id: `var_${name}${key}`, feature_flag_id: `flg_${name}` })),
  );
const names = ["users", "devices", "unready", "base", "leaf"];
const of = {
  feature_flags: [
    flag({
      deployments: everywhere,
      rollout: { inclusions: { a: { user_ids: ["vip@example.com"], device_ids: [] } } },
    }),
    rolledOut("users", ["coh_U"]),
    rolledOut("devices", ["coh_D"]),
    rolledOut("unready", ["coh_N"]),
    rolledOut("base", null, { deployments: [] }),
    rolledOut("leaf", null, {
      rollout: { dependencies: { base: ["on"] }, all_users: { percentage: 100, weights: { on: 1 } } },
    }),
  ],
  variations: [...variations, ...ofFlags(names)],
  experiments: [experiment({ epoch: 3 })],
  groups: [holdout()],
  cohorts: [cohort("U", { id_type: "user" }), cohort("D"), cohort("N", { id_type: "user" })],
  segments: [
    segment("users", [{ match: { cohort: ["coh_U"] } }]),
    segment("devices", [{ match: { cohort: ["coh_U", "coh_D"] } }]),
    segment("unready", [{ not_match: { cohort: ["coh_N"] } }]),
  ],
};
const refreshed_at = "2025-01-31T12:00:00.000Z";
const cohorts: CohortIndex = {
  bits: 0,
  generations: [1],
  ready: {
    coh_U: { id_type: "user", size: 1, refreshed_at },
    coh_D: { id_type: "device", size: 1, refreshed_at },
  },
};

let stage: FetchStage;
beforeAll(async () => {
  stage = createFetchStage();
  await stage.publish(of, { cohorts });
});
const flagsOf = async (key: string, address = path) => (await stage.ask(address, { key })).json<Flag[]>();

describe("flags", () => {
  it("are whole for a server, after what they depend on", async () => {
    const flags = await flagsOf(keys.server);
    // Those of devices' cohorts, and of a cohort without members yet, nobody can evaluate elsewhere.
    expect(flags.map(({ key }) => key)).toEqual(["holdout-everyone", "page", "users", "base", "leaf"]);
    const byKey = Object.fromEntries(flags.map((each) => [each.key, each]));
    expect(byKey.page).toMatchObject({
      dependencies: ["holdout-everyone"],
      metadata: {
        deployed: true,
        evaluationMode: "local",
        experimentKey: "exp_Page",
        epoch: 3,
        flagType: "experiment",
        flagVersion: 1,
      },
    });
    expect(JSON.stringify(byKey.page)).toContain("vip@example.com");
    for (const key of ["holdout-everyone", "base"]) expect(byKey[key]?.metadata?.deployed).toBe(false);
    expect(JSON.stringify(flags)).not.toContain("null");
    expect(await flagsOf(keys.server, "/v1/flags")).toEqual(flags);
  });

  it("are stubs for everybody else, without a word of whom they are for", async () => {
    const response = await stage.ask(`${path}?delivery_method=web`);
    const text = await response.text();
    const flags: Flag[] = JSON.parse(text);
    expect(flags.map(({ key }) => key)).toEqual(["page", "users", "devices", "unready", "leaf"]);
    expect(flags[0]).toEqual({
      key: "page",
      variants: { off: { key: "off", metadata: { default: true } } },
      segments: [{ metadata: { segmentName: "default" }, variant: "off" }],
      metadata: {
        deployed: true,
        evaluationMode: "remote",
        experimentKey: "exp_Page",
        epoch: 3,
        flagType: "experiment",
        flagVersion: 1,
      },
    });
    expect(text).not.toMatch(/vip|coh_|salt/);
  });

  it("of a deployment without any are none", async () => {
    expect(await flagsOf(keys.empty)).toEqual([]);
  });

  it("need not be sent again to who has them", async () => {
    const response = await stage.ask(path, { key: keys.server });
    const etag = response.headers.get("etag") ?? "";
    expect(etag).toMatch(/^".+"$/);
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`, "*"]) {
      const again = await stage.ask(path, { key: keys.server, headers: { "if-none-match": known } });
      expect([again.status, await again.text(), again.headers.get("etag")]).toEqual([304, "", etag]);
    }
    const others = await stage.ask(path, { headers: { "if-none-match": etag } });
    expect(others.status).toBe(200);
    // Whoever is set up anew counts versions from one again.
    const anew = createFetchStage();
    await anew.publish({ ...of, feature_flags: of.feature_flags.slice(1) });
    expect((await anew.ask(path, { key: keys.server, headers: { "if-none-match": etag } })).status).toBe(200);
  });

  it.each([keys.server, keys.client])("give everybody the variation that QA asks for: %s", async (key) => {
    const response = await stage.ask(`${path}?experiment_id=exp_Page&variation_id=var_c`, { key });
    const flags: Flag[] = await response.json();
    expect(flags.find(({ key }) => key === "page")).toEqual({
      key: "page",
      variants: { c: { key: "c", value: "c", payload: { title: "Hello", wide: true } } },
      segments: [{ variant: "c", metadata: { segmentName: "forced" } }],
      metadata: expect.objectContaining({ evaluationMode: "local", experimentKey: "exp_Page", trackExposure: false }),
    });
    expect(response.headers.get("etag")).toBeNull();
    stage.takeWarnings();
    const none = await stage.ask(`${path}?experiment_id=exp_None&variation_id=var_c`, { key });
    expect(stage.takeWarnings()).toEqual(["experiment_not_found"]);
    expect(none.headers.get("x-vestibule-warning")).toBe("experiment_not_found");
    expect(await none.json()).toEqual(await flagsOf(key));
  });

  it("are refused as variants are, but may be asked for again where nobody can read them", async () => {
    expect((await stage.ask(path, { key: "nobody's" })).status).toBe(401);
    expect((await stage.ask(path, { key: null })).status).toBe(401);
    const posted = await stage.ask(path, { method: "POST", body: "{}" });
    expect([posted.status, posted.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
    vi.spyOn(console, "warn").mockImplementation(() => {});
    const down = createFetchStage();
    down.restart({ isDown: true });
    expect((await down.ask(path)).status).toBe(503);
    vi.restoreAllMocks();
  });

  it("are not streamed", async () => {
    expect((await stage.ask("/sdk/stream/v1/flags", { key: keys.server })).status).toBe(501);
  });
});
