import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { forwardPlainly } from "../../../src/gate/gate.ts";
import { clearStores, createStage, navigation, publish } from "../stage.ts";
import { authorize, createJourney, page } from "./journey.ts";

beforeEach(async () => {
  await clearStores();
  await publish();
});
afterEach(() => vi.unstubAllGlobals());

const spoofed: Record<string, string> = Object.fromEntries(
  [
    ..."forwarded x-forwarded-for x-forwarded-host x-forwarded-proto x-forwarded-port x-forwarded-server".split(" "),
    ..."x-forwarded-prefix x-forwarded-ssl x-forwarded-scheme x_forwarded_host x_forwarded_proto x-real-ip".split(" "),
    ..."x-original-url x-original-host x-rewrite-url x-host proxy true-client-ip client-ip x-client-ip".split(" "),
    ..."cf_connecting_ip cf.connecting.ip cf-connecting_ip cf_visitor".split(" "),
    ..."x-cluster-client-ip x.forwarded.host x-forwarded_for front-end-https x-url-scheme x-scheme".split(" "),
  ].map((name) => [name, "evil.test"]),
);

describe("what a client says of its address", () => {
  it.each<[string, Record<string, unknown>]>([
    ["with an origin", {}],
    ["on a route", { origin: undefined }],
    ["of a tenant without experiments", { entitled: false }],
  ])("never reaches the origin: %s", async (_, tenant) => {
    const stage = createStage({ tenant });
    const journey = createJourney(stage);
    const headers = { ...spoofed, "cf-connecting-ip": "203.0.113.7" };
    for (const path of [authorize, "/login", "/app.js"]) {
      const { seen } = await journey.go(path, page(), { headers });
      expect([...seen.headers].filter(([, value]) => value.includes("evil"))).toEqual([]);
      expect(seen.headers.get("x-forwarded-for")).toBe("203.0.113.7");
      expect(seen.headers.get("x-forwarded-host")).toBe("login.example.com");
      expect(seen.headers.get("x-forwarded-port")).toBe("443");
    }
    const { seen } = await journey.post("/login", page(), { headers });
    expect([...seen.headers].filter(([, value]) => value.includes("evil"))).toEqual([]);
  });

  it("never reaches it where the settings are wrong", async () => {
    const stage = createStage();
    await forwardPlainly(navigation("/login", spoofed), { origin: stage.tenant.origin }, "settings");
    const seen = stage.origin.seen.at(-1);
    expect([...(seen?.headers ?? [])].filter(([, value]) => value.includes("evil"))).toEqual([]);
  });
});

describe("a reserved query name", () => {
  const tenant = { stamp: { query: { variation_id: "ext-variation" } } };
  const start = "client_id=x&response_type=code";
  it.each([
    `/authorize?client%5Fid=x&response_type=code&ext-variation=evil`,
    `/authorize?${start};ext-variation=evil`,
    `/authorize?${start}&EXT-VARIATION=evil`,
    `/authorize?${start}&%65xt-variation=evil`,
    `/authorize?${start}&%2565xt%2dvariation=evil`,
    `/authorize?${start}&ext-variation[]=evil`,
    `/authorize?${start}&%20ext-variation=evil`,
    `/Authorize?${start}&ext-variation=evil`,
    `/%61uthorize?${start}&ext-variation=evil`,
    "/login?ext-variation=evil",
    "/app.js?ext-variation=evil",
  ])("cannot be set by a client: %s", async (path) => {
    const stage = createStage({ tenant });
    const headers = [{}, { "sec-fetch-dest": "iframe" }, { "sec-fetch-dest": "script" }, { "user-agent": "curl/8" }];
    for (const each of headers) {
      const { seen } = await createJourney(stage).go(path, page(), { headers: each });
      expect(seen.url).not.toContain("evil");
    }
    const posted = await createJourney(stage).post(path);
    expect(posted.seen.url).not.toContain("evil");
  });
});

describe("a forged session that says it is unassigned", () => {
  it.each([
    ["before", (own: string) => `vst_ses=open; ${own}`],
    ["behind", (own: string) => `${own}; vst_ses=open`],
    ["on both sides of", (own: string) => `vst_ses=open; ${own}; vst_ses=open`],
    ["in junk before", (own: string) => `vst_ses=open; vst_ses=a.k1.b; vst_did=forged; ${own}`],
  ])("does not keep a visitor out of their own: %s", async (_, make) => {
    const stage = createStage();
    const journey = createJourney(stage, "http");
    const first = await journey.go("/login");
    const own = [...journey.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    stage.restart();
    const { stamp } = await journey.go("/login", page(), { headers: { cookie: make(own) } });
    expect([stamp("variation-id"), stamp("method")]).toEqual([first.stamp("variation-id"), "session"]);
  });
});

it("a consent pattern takes linear time, whatever a visitor sends", async () => {
  const stage = createStage({ tenant: { consent: { cookie: "cc", pattern: "^(a|a)*b$" } } });
  const { elapsedMs } = await stage.send(navigation("/login", { cookie: `cc=${"a".repeat(4_000)}!` }));
  expect(elapsedMs).toBeLessThan(500);
});
