import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { devices, publishCohorts } from "./cohort-stage.ts";
import {
  breakCache,
  breakCohorts,
  breakKv,
  breakQueue,
  callFaults,
  expectFailedOpen,
  faults,
  sendSafely,
  timed,
} from "./faults.ts";
import { clearStores, createBrowser, createStage, navigation, publish, realStores, type Stage } from "./stage.ts";

let stage: Stage;
let browser: ReturnType<typeof createBrowser>;
let variation: string | null;

beforeEach(async () => {
  await clearStores();
  await publish();
  stage = createStage();
  browser = createBrowser(stage);
  variation = (await browser.open("/login")).stamp("variation-id");
});
afterEach(() => {
  vi.unstubAllGlobals();
});

const cookie = () => [...browser.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
const bytes = (length: number) => crypto.getRandomValues(new Uint8Array(length));
/** The newcomer's page, the known visitor's page, and the form that the visitor posts. */
const newcomer = () => navigation("/login?a=%7E&b=+&&=c%00");
const page = () => navigation("/login?state=%2f", { cookie: cookie() });
const form = () =>
  new Request("https://login.example.com/login?x='%22", {
    method: "POST",
    body: bytes(60_000),
    redirect: "manual",
    headers: { cookie: cookie(), "content-type": "application/octet-stream", origin: "https://login.example.com" },
  });
const shortMs = 100;

/** What an isolate has in memory when the fault comes. */
const states = {
  cold: () => stage.restart(),
  warm: () => {},
  stale: () => {
    stage.clock.nowMs += 31_000;
  },
} as const;

async function expectSameVariation(): Promise<void> {
  expect((await sendSafely(stage, page())).stamp("variation-id")).toBe(variation);
  expect((await sendSafely(stage, form())).stamp("variation-id")).toBe(variation);
  expect((await sendSafely(stage, newcomer())).stamp("id")).toBe("exp_Page");
}

async function emptyCache(): Promise<void> {
  await caches.default.delete("https://snapshot.vestibule.invalid/acme");
}

describe.each(faults)("KV: %s", timed, (fault) => {
  it("cold: fails open where the cache has no copy", async () => {
    await emptyCache();
    stage.restart(shortMs);
    await breakKv(stage, fault);
    for (const request of [page(), form(), newcomer()]) expectFailedOpen(await sendSafely(stage, request));
  });

  it("cold: serves the cache's copy", async () => {
    states.cold();
    await breakKv(stage, fault);
    await expectSameVariation();
  });

  it.each(["warm", "stale"] as const)("%s: serves from memory", async (state) => {
    await emptyCache();
    states[state]();
    await breakKv(stage, fault);
    await expectSameVariation();
  });

  it("asleep for hours: serves from memory", async () => {
    await emptyCache();
    stage.clock.nowMs += 3 * 3600_000;
    await breakKv(stage, fault);
    expect((await sendSafely(stage, newcomer())).stamp("id")).toBe("exp_Page");
  });
});

describe.each(faults)("cache: %s", timed, (fault) => {
  it.each(["cold", "warm", "stale"] as const)("%s: nobody notices", async (state) => {
    states[state]();
    await breakCache(stage, fault);
    await expectSameVariation();
  });
});

describe("KV and cache", timed, () => {
  const pairs = (["hang", "error", "throw", "garbage"] as const).flatMap((kv) =>
    (["hang", "error", "huge"] as const).map((cache) => [kv, cache] as const),
  );
  it.each(pairs)("%s and %s", async (kv, cache) => {
    await breakKv(stage, kv);
    await breakCache(stage, cache);
    await expectSameVariation();
    states.stale();
    await expectSameVariation();
    stage.restart(shortMs);
    expectFailedOpen(await sendSafely(stage, newcomer()));
    expectFailedOpen(await sendSafely(stage, form()));
  });
});

describe.each(Object.keys(callFaults) as (keyof typeof callFaults)[])("queue: %s", timed, (fault) => {
  it.each(["cold", "warm", "stale"] as const)("%s: nobody notices", async (state) => {
    states[state]();
    breakQueue(stage, fault);
    await expectSameVariation();
  });
});

it("everything at once, cold", timed, async () => {
  stage.restart(shortMs);
  await breakKv(stage, "hang");
  await breakCache(stage, "throw");
  breakQueue(stage, "error");
  expectFailedOpen(await sendSafely(stage, newcomer()));
});

it("25 MiB in KV itself, cold", timed, async () => {
  await emptyCache();
  await stage.stores.kv.put("snapshot:acme", new Uint8Array(25 * 1024 * 1024).fill(0x20));
  stage.restart();
  expect((await sendSafely(stage, newcomer())).stamp("failed-open")).toBe("error");
});

describe.each(faults.filter((fault) => fault !== "schema"))("cohorts' shards: %s", timed, (fault) => {
  const member = () => navigation("/login?a=%7E&b=+&&=c%00", { cookie: "did=in" });
  const both = "var_b,var_y";

  beforeEach(async () => {
    vi.unstubAllGlobals();
    await clearStores();
    stage = createStage({ tenant: { device_cookie: "did" } });
    await publishCohorts({ coh_In: devices("in"), coh_Out: devices() });
  });

  it("cold: the experiment on cohorts is left out, and no other", async () => {
    stage.restart(shortMs);
    await breakCohorts(stage, fault);
    const visit = await sendSafely(stage, member());
    expect(visit.stamp("id")).toBe("exp_Plain");
    const session = visit.response.headers.getSetCookie().find((line) => line.startsWith("__Host-vst_ses="));
    stage.stores.kv = realStores.kv;
    const next = navigation("/login", { cookie: `did=in; ${session?.split(";")[0]}` });
    expect((await sendSafely(stage, next)).stamp("id")).toBe("exp_Plain");
  });

  it("warm snapshot, cold shard: likewise", async () => {
    stage.restart(shortMs);
    await sendSafely(stage, navigation("/login?experiment_id=exp_Page&variation_id=var_b", { cookie: "did=in" }));
    await breakCohorts(stage, fault);
    expect((await sendSafely(stage, member())).stamp("id")).toBe("exp_Plain");
  });

  it("warm: nobody notices", async () => {
    expect((await sendSafely(stage, member())).stamp("variation-id")).toBe(both);
    await breakCohorts(stage, fault);
    expect((await sendSafely(stage, member())).stamp("variation-id")).toBe(both);
  });
});

it.each(["error", "throw"] as const)("cohorts' shards: %s again and again opens KV's circuit", timed, async (fault) => {
  vi.unstubAllGlobals();
  await clearStores();
  stage = createStage({ tenant: { device_cookie: "did" } });
  await publishCohorts({ coh_In: devices("in"), coh_Out: devices() });
  await breakCohorts(stage, fault);
  const open = (did: number) => sendSafely(stage, navigation("/login", { cookie: `did=${did}` }));
  for (let did = 0; did < 22; did++) expect((await open(did)).stamp("id")).toBe("exp_Plain");
  expect(stage.sources.health().circuits.kv).toBe("open");
  await breakCohorts(stage, "hang");
  const visit = await open(100);
  expect(visit.stamp("id")).toBe("exp_Plain");
  expect(visit.elapsedMs).toBeLessThan(stage.budgetMs / 2);
});
