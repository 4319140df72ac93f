import { createExecutionContext } from "cloudflare:test";
import { describe, expect, it, vi } from "vitest";
import { createFront, findSpoken, type Speaker } from "../../../src/api/serving/front.ts";
import { Address } from "../../../src/assignment/address.ts";
import { createSources } from "../../../src/assignment/sources.ts";
import { bindings } from "../../all-workers.ts";

const speak: Speaker = async (request, _, path) => new Response(`${request.method} ${path}`);
const speakers = { native: () => speak, amplitude: () => speak, ofrep: () => speak };

describe("findSpoken", () => {
  it.each([
    ["/sdk/v2/vardata", "amplitude"],
    ["/sdk/vardata", "amplitude"],
    ["/v1/vardata", "amplitude"],
    ["/sdk/v2/flags", "amplitude"],
    ["/v1/flags", "amplitude"],
    ["/sdk/v1/cohort/coh_A", "amplitude"],
    ["/sdk/stream/v1/flags", "amplitude"],
    ["/2/httpapi", "amplitude"],
    ["/batch", "amplitude"],
    ["/_vestibule/v1/assignments", "native"],
    ["/ofrep/v1/evaluate/flags", "ofrep"],
    ["/ofrep/v1/evaluate/flags/a%2Fb", "ofrep"],
  ])("%s is %s's, with more slashes before it too", (path, protocol) => {
    expect(findSpoken(path, speakers)).toEqual({ protocol, path });
    expect(findSpoken(`/${path}`, speakers)).toEqual({ protocol, path });
  });

  it.each(["/", "//", "/login", "/sdk/v2", "/sdk/v2/vardata/x", "/batches", "/v1", "/_vestibule/v10", "/ofrep/v1"])(
    "%s is the gate's",
    (path) => {
      expect(findSpoken(path, speakers)).toBeNull();
    },
  );

  it("finds nothing where nobody speaks the protocol", () => {
    expect(findSpoken("/batch", { native: () => speak })).toBeNull();
  });
});

describe("createFront", () => {
  const sources = createSources({
    decisionBudgetMs: 200,
    snapshotFreshMs: 30_000,
    cookieKeys: [],
    unitKey: new Uint8Array(32),
    now: Date.now,
    random: Math.random,
  });
  const answer = (init: RequestInit, speaker = speak) => {
    const made = { ...speakers, native: () => speaker };
    const front = createFront({ sources, ratePerSecond: 1, budgetMs: 200, now: Date.now, speakers: made });
    const request = new Request("https://login.example.com/_vestibule/v1/x", init);
    const visit = { tenants: [], bindings, ctx: createExecutionContext() };
    return front.answer(
      { protocol: "native", path: "/_vestibule/v1/x" },
      request,
      new Address(request.url),
      visit as unknown as Parameters<typeof front.answer>[3],
    );
  };

  it("lets pages of any origin read what it answers", async () => {
    const response = await answer({ method: "POST", body: "x" });
    expect(await response.text()).toBe("POST /_vestibule/v1/x");
    expect(response.headers.get("access-control-allow-origin")).toBe("*");
  });

  it("answers HEAD without a body", async () => {
    expect(await (await answer({ method: "HEAD" })).text()).toBe("");
  });

  it.each([
    ["x-amp-exp-user,x-amp-exp-flag-keys,authorization", "x-amp-exp-user,x-amp-exp-flag-keys,authorization"],
    ['a"b', "authorization, content-type, if-none-match, x-api-key"],
    ["", "authorization, content-type, if-none-match, x-api-key"],
  ])("allows what a preflight asks for: %j", async (wanted, allowed) => {
    const response = await answer({ method: "OPTIONS", headers: { "access-control-request-headers": wanted } });
    expect([response.status, response.headers.get("access-control-allow-headers")]).toEqual([204, allowed]);
    expect(response.headers.get("access-control-max-age")).toBe("7200");
  });

  it("says on the console what a protocol throws", async () => {
    const error = vi.spyOn(console, "error").mockImplementation(() => {});
    const response = await answer({}, async () => {
      throw new Error("a bug");
    });
    expect([response.status, await response.text()]).toEqual([500, ""]);
    expect(error.mock.calls[0]?.[0]).toContain("a bug");
    error.mockRestore();
  });
});
