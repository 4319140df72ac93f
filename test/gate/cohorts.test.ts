import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { cohortShardKey } from "../../src/model/snapshot.ts";
import { experiment, flag, variation } from "../model/resources.ts";
import { devices, publishCohorts, tenantOnCohorts } from "./cohort-stage.ts";
import { clearStores, createStage, navigation, realStores, type Seen, type Stage } from "./stage.ts";

const issuer = "https://issuer.example.com/";
let stage: Stage;
/** Keys of the shards that KV was asked for. */
let read: string[];

beforeEach(async () => {
  await clearStores();
  stage = createStage({
    tenant: {
      device_cookie: "did",
      user: { issuer, jwks_uri: "https://issuer.example.com/jwks", token: "cookie:id_token" },
    },
  });
  read = [];
  const { kv } = realStores;
  stage.stores.kv = {
    getWithMetadata: kv.getWithMetadata.bind(kv),
    get(key: string, options: { type: "stream" }) {
      read.push(key);
      return kv.get(key, options);
    },
  } as unknown as KVNamespace;
});
afterEach(() => {
  vi.unstubAllGlobals();
});

/** A browser of this device, with its session. */
function browserOf(did: string, more = "") {
  let session = "";
  return async (path = "/login") => {
    const visit = await stage.send(navigation(path, { cookie: `did=${did}${more}${session}` }));
    for (const line of visit.response.headers.getSetCookie()) {
      const [pair = ""] = line.split(";");
      if (pair.startsWith("__Host-vst_ses=")) session = `; ${pair}`;
    }
    return visit;
  };
}
const authorize = "/auth?client_id=a&response_type=code";
const warnings = () =>
  stage.queued.flatMap((message) =>
    message.kind === "log" && message.entry.type === "w" ? [message.entry.description] : [],
  );

describe("an experiment on cohorts", () => {
  it.each([
    ["a member", "in", "var_b,var_y"],
    ["a stranger", "nobody", "var_a,var_y"],
    ["a member of one that must not match", "both", "var_a,var_y"],
    ["a member of that one alone", "out", "var_a,var_y"],
  ])("gives %s what is theirs", async (_, did, expected) => {
    await publishCohorts({ coh_In: devices("in", "both"), coh_Out: devices("both", "out") });
    const visit = await browserOf(did)();
    expect(visit.stamp("id")).toBe("exp_Page,exp_Plain");
    expect(visit.stamp("variation-id")).toBe(expected);
    expect(warnings()).toEqual([]);
  });

  it("looks once, and never again in the session, nor for the next visitor of the shard", async () => {
    await publishCohorts({ coh_In: devices("in"), coh_Out: devices() });
    const open = browserOf("in");
    for (const path of [authorize, "/login", "/login?again", "/mfa", authorize]) {
      expect((await open(path)).stamp("variation-id")).toBe("var_b,var_y");
    }
    expect(read).toHaveLength(1);
    expect((await browserOf("in")()).stamp("variation-id")).toBe("var_b,var_y");
    expect(read).toHaveLength(1);
  });

  it("is forced without a look", async () => {
    await publishCohorts({ coh_In: devices("in"), coh_Out: devices() });
    const open = browserOf("in");
    const visit = await open("/login?experiment_id=exp_Page&variation_id=var_a");
    expect(visit.stamp("method")).toBe("forced,auto");
    expect(visit.stamp("variation-id")).toBe("var_a,var_y");
    expect(read).toEqual([]);
    expect((await open(authorize)).stamp("variation-id")).toBe("var_b,var_y");
    expect(read).toHaveLength(1);
  });

  it("of another state than active costs no look", async () => {
    await publishCohorts({ coh_In: devices("in") }, { of: tenantOnCohorts({ status: "paused" }) });
    expect((await browserOf("in")()).stamp("id")).toBe("exp_Plain");
    expect(read).toEqual([]);
    expect(warnings()).toEqual([]);
  });

  it("sees a new index in the next session, and none before", async () => {
    await publishCohorts({ coh_In: devices("early"), coh_Out: devices() });
    const [early, late] = [browserOf("early"), browserOf("late")];
    expect((await early()).stamp("variation-id")).toBe("var_b,var_y");
    expect((await late()).stamp("variation-id")).toBe("var_a,var_y");
    await publishCohorts({ coh_In: devices("late"), coh_Out: devices() }, { version: 2 });
    stage.clock.nowMs += 61_000;
    expect((await early()).stamp("variation-id")).toBe("var_b,var_y");
    expect((await late()).stamp("variation-id")).toBe("var_a,var_y");
    stage.clock.nowMs += 61_000;
    expect((await browserOf("early")()).stamp("variation-id")).toBe("var_a,var_y");
    expect((await browserOf("late")()).stamp("variation-id")).toBe("var_b,var_y");
  });

  it("tells nobody which cohorts a visitor is in", async () => {
    await publishCohorts({ coh_In: devices("in"), coh_Out: devices() });
    stage.origin.answer = () => new Response("<p>", { headers: { "content-type": "text/html" } });
    const { seen, response, stamp } = await browserOf("in")();
    expect(stamp("segment-id")).toBe("seg_In,");
    const decoded = [...seen.headers, ...response.headers]
      .flatMap(([, value]) => [value, ...value.split(/[.=;,]/).map(fromBase64url)])
      .join("\n");
    expect(decoded).toContain("exp_Page");
    expect(decoded).not.toContain("coh_");
    expect(stage.queued.length).toBeGreaterThan(1);
    expect(JSON.stringify(stage.queued)).not.toContain("coh_");
  });
});

function fromBase64url(text: string): string {
  try {
    return atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  } catch {
    return "";
  }
}

describe("a cohort that is not ready", () => {
  it("keeps its experiment out of the session, and no other", async () => {
    await publishCohorts({ coh_In: devices("in") });
    const open = browserOf("in");
    expect((await open(authorize)).stamp("id")).toBe("exp_Plain");
    expect(read).toEqual([]);
    expect(warnings()).toEqual([
      "not assigned in this session, because its cohorts cannot be read: exp_Page: coh_Out not ready yet",
    ]);
    await publishCohorts({ coh_In: devices("in"), coh_Out: devices() }, { version: 2 });
    stage.clock.nowMs += 61_000;
    for (const path of ["/login", authorize]) {
      await open(path);
      expect((await open(path)).stamp("variation-id")).toBe("var_y");
    }
    expect((await browserOf("in")()).stamp("variation-id")).toBe("var_b,var_y");
  });

  it("keeps out what depends on a flag that asks about it", async () => {
    const target = {
      name: "Members",
      conditions: [
        [{ selector: ["context", "user", "cohort_ids"], op: "set contains any" as const, values: ["coh_In"] }],
      ],
      percentage: 100,
      weights: { m: 1, n: 0 },
    };
    const of = tenantOnCohorts({ status: "draft" });
    const [page, plain] = of.feature_flags;
    if (!page || !plain) throw new Error("two flags");
    const gateFlag = flag({
      id: "flg_Gate",
      key: "gate",
      name: "Gate",
      deployments: [],
      rollout: { targeting: [target] },
    });
    const tenant = {
      ...of,
      feature_flags: [page, { ...plain, rollout: { dependencies: { gate: ["m"] } } }, gateFlag],
      variations: [...of.variations, ...["m", "n"].map((key) => variation(key, { feature_flag_id: "flg_Gate" }))],
    };
    await publishCohorts({}, { of: tenant });
    expect((await browserOf("in")()).stamp("id")).toBeNull();
    expect(warnings()).toHaveLength(1);

    await publishCohorts({ coh_In: devices("in") }, { of: tenant, version: 2 });
    stage.clock.nowMs += 61_000;
    await browserOf("in")();
    const before = warnings().length;
    expect((await browserOf("in")()).stamp("id")).toBe("exp_Plain");
    expect((await browserOf("nobody")()).stamp("id")).toBeNull();
    expect(warnings()).toHaveLength(before);
  });

  it("is no reason to look for another's members", async () => {
    await publishCohorts({ coh_Out: devices("in") });
    await browserOf("in")();
    expect(read).toEqual([]);
  });
});

it("of users is asked about by the verified user id, whatever the subject of the experiment", async () => {
  const { publicKey, privateKey } = await generateKeyPair("ES256");
  const jwks = { keys: [{ ...(await exportJWK(publicKey)), alg: "ES256", kid: "1" }] };
  const token = (sub: string) =>
    new SignJWT({ sub })
      .setProtectedHeader({ alg: "ES256", kid: "1" })
      .setIssuer(issuer)
      .setExpirationTime("5m")
      .sign(privateKey);
  stage.origin.answer = ({ url }: Seen) => (url.endsWith("/jwks") ? Response.json(jwks) : new Response("page"));
  await publishCohorts({ coh_In: { type: "user", members: ["ann"] }, coh_Out: devices("in") });
  const variationOf = async (did: string, cookie = "") => {
    const before = stage.origin.seen.length;
    await browserOf(did, cookie)("/mfa");
    const page = stage.origin.seen.slice(before).find(({ url }) => !url.endsWith("/jwks"));
    return page?.headers.get("x-experiment-variation-id");
  };
  expect(await variationOf("d")).toBe("var_a,var_y");
  expect(await variationOf("ann")).toBe("var_a,var_y");
  expect(await variationOf("d", "; id_token=garbage")).toBe("var_a,var_y");
  for (const header of [{ alg: "HS256" }, { alg: "HS256", kid: "1" }]) {
    const forged = await new SignJWT({ sub: "ann" }).setProtectedHeader(header).sign(new Uint8Array(32));
    expect(await variationOf("d", `; id_token=${forged}`)).toBe("var_a,var_y");
  }
  expect(await variationOf("d", `; id_token=${await token("ann")}`)).toBe("var_b,var_y");
  expect(await variationOf("d", `; id_token=${await token("bob")}`)).toBe("var_a,var_y");
  expect(await variationOf("in", `; id_token=${await token("ann")}`)).toBe("var_a,var_y");
});

describe("while the issuer's keys cannot be had", () => {
  const token = "eyJhbGciOiJFUzI1NiIsImtpZCI6IjEifQ.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl";
  beforeEach(() => {
    stage.origin.answer = ({ url }: Seen) =>
      url.endsWith("/jwks") ? new Response("down", { status: 503 }) : new Response("page");
  });
  const pageOf = async (cookie: string) => {
    const before = stage.origin.seen.length;
    const browser = browserOf("d", cookie);
    await browser(authorize);
    await browser("/login");
    const pages = stage.origin.seen.slice(before).filter(({ url }) => !url.endsWith("/jwks"));
    return pages.map(({ headers }) => headers.get("x-experiment-variation-id"));
  };

  it("nobody knows the cohorts of a user with a token: the experiment is left out of the session, and no other", async () => {
    await publishCohorts({ coh_In: { type: "user", members: ["ann"] }, coh_Out: devices("in") });
    expect(await pageOf(`; id_token=${token}`)).toEqual(["var_y", "var_y"]);
    expect(warnings()).toEqual([
      expect.stringMatching(/^not assigned in this session.*: exp_Page: the user cannot be verified: .*503/),
    ]);
    expect(read).toEqual([]);
  });

  it("who has none, or none that is a token, is in no user's cohort", async () => {
    await publishCohorts({ coh_In: { type: "user", members: ["ann"] }, coh_Out: devices("in") });
    expect(await pageOf("")).toEqual(["var_a,var_y", "var_a,var_y"]);
    expect(await pageOf("; id_token=garbage")).toEqual(["var_a,var_y", "var_a,var_y"]);
    expect(warnings()).toEqual([]);
  });

  it("cohorts of devices are told all the same", async () => {
    await publishCohorts({ coh_In: devices("d"), coh_Out: devices() });
    expect(await pageOf(`; id_token=${token}`)).toEqual(["var_b,var_y", "var_b,var_y"]);
  });
});

it("a missing shard is a failure, not a stranger", async () => {
  const { bits } = await publishCohorts({ coh_In: devices("in"), coh_Out: devices() });
  for (let shard = 0; shard < 2 ** bits; shard++) await realStores.kv.delete(cohortShardKey("acme", 1, shard));
  const visit = await browserOf("in")();
  expect(visit.stamp("id")).toBe("exp_Plain");
  expect(warnings()).toEqual([expect.stringMatching(/exp_Page: cohorts:acme:1:\d: it is not there$/)]);
  expect(stage.sources.health().circuits.kv).toBe("closed");
});

it("an index that cannot be read takes nothing else down", async () => {
  const index = await publishCohorts({ coh_In: devices("in"), coh_Out: devices() });
  const text = (await realStores.kv.get("snapshot:acme")) ?? "";
  const broken = { ...JSON.parse(text), cohorts: { ...index, generations: [1] } };
  await realStores.kv.put("snapshot:acme", JSON.stringify(broken), { metadata: { version: 2 } });
  expect((await browserOf("in")()).stamp("id")).toBe("exp_Plain");
  expect(stage.logged.join("\n")).toContain("must name a generation of every shard");
});

it("a tenant without cohorts is served as ever, whatever is published of them", async () => {
  const of = tenantOnCohorts();
  await publishCohorts({ coh_In: devices("in") }, { of: { ...of, experiments: [experiment()], segments: [] } });
  expect((await browserOf("in")()).stamp("id")).toBe("exp_Page");
  expect(read).toEqual([]);
});
