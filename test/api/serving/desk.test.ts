import { createExecutionContext } from "cloudflare:test";
import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createDesk, type Desk, type Visit } from "../../../src/api/serving/desk.ts";
import { createSources, type Sources } from "../../../src/assignment/sources.ts";
import { buildSnapshot } from "../../../src/model/compile/build-snapshot.ts";
import type { Resources } from "../../../src/model/resources.ts";
import { type CohortIndex, snapshotKey } from "../../../src/model/snapshot.ts";
import { bindings as real } from "../../all-workers.ts";
import { publishIndex } from "../../cohorts/published.ts";
import { tenantOf } from "../../gate/tenant.ts";
import { cohort, flag, resources, segment, variation } from "../../model/resources.ts";

const times = { created_at: "2025-01-01T00:00:00Z", updated_at: "2025-01-01T00:00:00Z" };
const deployed = (id: string, key: string) => ({
  ...times,
  id,
  name: id,
  type: "client" as const,
  key_hash: createHash("sha256").update(key).digest("base64url"),
});

let run = 0;
let tenants: Visit["tenants"];
let kv: { getWithMetadata: unknown; get: unknown };
let nowMs: number;
let sources: Sources;
let desk: Desk;
beforeEach(() => {
  run++;
  tenants = ["one", "two"].map((name) => ({ ...tenantOf(), id: `desk-${run}-${name}` }));
  kv = real.SNAPSHOTS as unknown as typeof kv;
  nowMs = Date.parse("2026-01-01T00:00:00Z");
  vi.spyOn(console, "warn").mockImplementation(() => {});
  restart();
});
afterEach(() => vi.restoreAllMocks());

function restart(budgetMs = 1_000): void {
  const now = () => nowMs;
  sources = createSources({
    decisionBudgetMs: budgetMs,
    snapshotFreshMs: 30_000,
    cookieKeys: [],
    unitKey: new Uint8Array(32),
    now,
    random: () => 0.5,
  });
  desk = createDesk({ sources, ratePerSecond: 2, budgetMs, now });
}

const visit = (whose = tenants): Visit => ({
  tenants: whose,
  bindings: { ...real, SNAPSHOTS: kv as unknown as KVNamespace } as unknown as Visit["bindings"],
  ctx: createExecutionContext(),
});

async function publish(place: number, of: Partial<Resources>, cohorts?: CohortIndex): Promise<void> {
  const { id: tenant = "" } = tenants[place] ?? {};
  const snapshot = buildSnapshot(resources(of), {
    tenant,
    version: 1,
    publishedAt: "2025-01-31T12:00:00.000Z",
    cohorts,
  });
  await real.SNAPSHOTS.put(snapshotKey(tenant), JSON.stringify(snapshot), { metadata: { version: 1 } });
}

async function admitted(key: string | null, to = visit()) {
  const client = await desk.admit(key, to);
  return "refused" in client ? client.refused : `${client.tenant.id.split("-")[2]} ${client.deployment.id}`;
}

describe("admit", () => {
  it("finds whose key it is, among the tenants that it may be of alone", async () => {
    await publish(0, { deployments: [deployed("dep_One", "key of one"), deployed("dep_Both", "key of both")] });
    await publish(1, { deployments: [deployed("dep_Two", "key of two"), deployed("dep_Both", "key of both")] });
    expect(await admitted("key of one")).toBe("one dep_One");
    expect(await admitted("key of two")).toBe("two dep_Two");
    expect(await admitted("key of two", visit(tenants.slice(0, 1)))).toBe("unknown_key");
    expect(await admitted("key of both")).toBe("one dep_Both");
    expect(await admitted("key of both", visit(tenants.toReversed()))).toBe("two dep_Both");
    for (const key of ["key of nobody", "", null]) expect(await admitted(key)).toBe("unknown_key");
  });

  it("knows no key before anything is published", async () => {
    expect(await admitted("key of one")).toBe("unknown_key");
  });

  it.each([
    ["fails", async () => Promise.reject(new Error("down"))],
    ["hangs", () => new Promise(() => {})],
    [
      "throws",
      () => {
        throw new Error("down");
      },
    ],
    ["lies", async () => ({ value: new Response("{").body, metadata: null })],
  ])("says within its budget that nobody can tell, while a store that has never answered %s", async (_, answer) => {
    restart(50);
    kv = { getWithMetadata: answer, get: answer };
    const sinceMs = performance.now();
    expect(await admitted("key of one")).toBe("unavailable");
    expect(performance.now() - sinceMs).toBeLessThan(1_000);
  });

  it("goes by what it has read before, and says so, while a store is down", async () => {
    await publish(0, { deployments: [deployed("dep_One", "key of one")] });
    const only = tenants.slice(0, 1);
    expect(await desk.admit("key of one", visit(only))).toMatchObject({ isConfirmed: true });
    kv = { getWithMetadata: async () => Promise.reject(new Error("down")), get: undefined };
    nowMs += 10 * 60_000;
    expect(await desk.admit("key of one", visit(only))).toMatchObject({ isConfirmed: false });
    expect(await admitted("key of nobody", visit(only))).toBe("unknown_key");
  });

  it("lets each key ask so often, and more once it has waited", async () => {
    await publish(0, { deployments: [deployed("dep_One", "key of one")] });
    for (let count = 0; count < 20; count++) expect(await admitted("key of one")).toBe("one dep_One");
    expect(await desk.admit("key of one", visit())).toMatchObject({
      refused: "too_many_requests",
      rate: { retryAfter: 1 },
    });
    expect(await admitted("another")).toBe("unknown_key");
    nowMs += 500;
    expect([await admitted("key of one"), await admitted("key of one")]).toEqual(["one dep_One", "too_many_requests"]);
  });
});

describe("answer", () => {
  const of: Partial<Resources> = {
    feature_flags: [
      flag({
        id: "flg_M",
        key: "members",
        name: "Members",
        deployments: ["dep_One"],
        rollout: { targeting: [{ name: "M", segment_id: "seg_M", percentage: 100, weights: { on: 1 } }] },
      }),
    ],
    variations: ["on", "other"].map((key) => variation(key, { feature_flag_id: "flg_M" })),
    experiments: [],
    segments: [segment("M", [{ match: { cohort: ["coh_A"] } }])],
    cohorts: [cohort("A")],
    deployments: [deployed("dep_One", "key of one")],
  };

  async function given(deviceId: string) {
    const client = await desk.admit("key of one", visit());
    if ("refused" in client) throw new Error(client.refused);
    const subject = { deviceId, userId: null };
    const asked = { flagKeys: ["members"], user: { device_id: deviceId }, override: null, subject };
    const { flags, withheld } = await desk.answer(client, asked, visit());
    return [...flags.map(({ variant }) => variant.key), ...withheld.values()];
  }

  it("looks up the cohorts that an answer hangs on, and guesses none", async () => {
    const tenant = tenants[0]?.id ?? "";
    const index = await publishIndex(real.SNAPSHOTS, { coh_A: { type: "device", members: ["d-1"] } }, { tenant });
    await publish(0, of, index);
    expect([await given("d-1"), await given("d-2")]).toEqual([["on"], ["off"]]);
    restart();
    kv = {
      getWithMetadata: (...asked: Parameters<KVNamespace["getWithMetadata"]>) =>
        real.SNAPSHOTS.getWithMetadata(...asked),
      get: async () => Promise.reject(new Error("down")),
    };
    expect(await given("d-1")).toEqual(["cohort_unavailable"]);
  });
});
