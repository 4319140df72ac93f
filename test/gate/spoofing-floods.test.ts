import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { clearStores, createBrowser, createStage, navigation, publish, type Stage, type Visit } from "./stage.ts";

let stage: Stage;
beforeEach(async () => {
  await clearStores();
  await publish();
  stage = createStage();
  await stage.send(navigation());
});
afterEach(() => {
  vi.unstubAllGlobals();
});

/** Nothing of ours failed: answered by the origin, and either assigned or left out by its own wish. */
function expectNoErrorOfOurs({ response, stamp, elapsedMs }: Visit): void {
  expect(response.status).toBe(200);
  expect(stamp("failed-open")).toBeOneOf([null, "session"]);
  if (stamp("failed-open") === null) expect(stamp("variation-id")).toMatch(/^var_[abc]$/);
  expect(elapsedMs).toBeLessThan(1_000);
}

describe("cookie headers", () => {
  const name = fc.oneof(
    fc.constantFrom("__Host-vst_did", "__Host-vst_ses", "__Host-vst_sticky", "vst_did", "vst_ses", "__proto__"),
    fc.stringMatching(/^[\w!#$%&'*+.^`|~-]{1,12}$/),
  );
  const bytes = fc.string({ unit: "grapheme-ascii", maxLength: 60 });
  const signed = fc.stringMatching(/^[\w-]{0,60}\.(k1|k9)\.[\w-]{21,44}$/);
  const value = fc.oneof(bytes, signed, fc.constantFrom("", "open", "open;", '"open"', "..", "a.k1."));
  const pair = fc.tuple(name, value).map(([key, text]) => `${key}=${text}`);
  const header = fc.oneof(
    { weight: 6, arbitrary: fc.array(fc.oneof(pair, bytes), { maxLength: 20 }).map((pairs) => pairs.join("; ")) },
    { weight: 1, arbitrary: fc.array(pair, { minLength: 400, maxLength: 600 }).map((pairs) => pairs.join(";")) },
    {
      weight: 1,
      arbitrary: fc.tuple(pair, fc.nat(2_000)).map(([text, times]) => `${text};`.repeat(times).slice(0, 16_384)),
    },
  );

  it("of any sort, a thousand, reach the origin as they came and cause no error of ours", async () => {
    let sent = 0;
    await fc.assert(
      fc.asyncProperty(header, async (cookie) => {
        const request = navigation("/login", { cookie });
        const given = request.headers.get("cookie");
        const visit = await stage.send(request);
        expectNoErrorOfOurs(visit);
        if (visit.stamp("failed-open") === null) expect(visit.stamp("method")).toBe("auto");
        expect(visit.seen.headers.get("cookie")).toBe(given);
        sent++;
      }),
      { numRuns: 1_000, endOnFailure: true },
    );
    expect(sent).toBe(1_000);
    expect(new Set(Object.values(stage.sources.health().circuits))).toEqual(new Set(["closed"]));
  }, 30_000);

  it.each([
    ["16 KB of our own name", "__Host-vst_ses=".repeat(1_100)],
    ["16 KB before our name", `${"x".repeat(16_000)}__Host-vst_ses=open`],
    ["thousands of pairs", Array.from({ length: 8_000 }, (_, i) => `c${i}=${i}`).join("; ")],
    ["thousands of empty devices", "__Host-vst_did=;".repeat(4_000)],
    ["a value of 64 KB", `__Host-vst_did=${"A".repeat(65_536)}.k1.${"A".repeat(43)}`],
    ["spaces without end", `__Host-vst_did=${" ".repeat(16_000)};${" ".repeat(16_000)}__Host-vst_ses=x`],
  ])("%s", async (_, cookie) => {
    const visit = await stage.send(navigation("/login", { cookie }));
    expectNoErrorOfOurs(visit);
    expect(visit.stamp("method")).toBe("auto");
  });

  it("do not keep a visitor from the session further on in them", async () => {
    const browser = createBrowser(stage);
    const variation = (await browser.open()).stamp("variation-id");
    const own = [...browser.cookies].map(([key, text]) => `${key}=${text}`).join("; ");
    const cookie = `__Host-vst_did=forged; __Host-vst_ses=a.k1.b; x__Host-vst_ses=open; ${own}; __Host-vst_ses=open`;
    const visit = await stage.send(navigation("/login", { cookie }));
    expect(visit.stamp("variation-id")).toBe(variation);
    expect(visit.stamp("method")).toBe("session");
  });
});

describe("queries", () => {
  const force = "experiment_id=exp_Page&variation_id=var_c";
  it.each([
    ["of 64 KB", `?a=${"x".repeat(65_536)}`],
    ["of 64 KB in one override", `?experiment_id=${"e".repeat(65_536)}&variation_id=var_c`],
    ["of thousands of parameters", `?${Array.from({ length: 5_000 }, (_, i) => `p${i}=${i}`).join("&")}`],
    ["of thousands of overrides", `?${"experiment_id=exp_None&variation_id=var_None&".repeat(1_000)}`],
    ["with a prompt made to be searched", `?client_id=a&response_type=code&prompt=${"+".repeat(60_000)}`],
    ["with prompts made to be searched", `?client_id=a&response_type=code${"&prompt=+non".repeat(5_000)}`],
    ["of separators", `?${"&".repeat(60_000)}`],
    ["that is no UTF-8", "?experiment_id=%ff%fe&variation_id=%c3%28&x=%"],
    ["with a NUL", "?experiment_id=%00&variation_id=exp_Page%00"],
    ...["__proto__", "constructor", "toString", "hasOwnProperty", "prototype"].flatMap((id) => [
      [`with ${id} for an experiment`, `?experiment_id=${id}&variation_id=${id}`],
      [`with ${id} for a variation`, `?experiment_id=exp_Page&variation_id=${id}`],
      [`with ${id} for a segment`, `?experiment_id=exp_Page&segment_id=${id}`],
    ]),
  ])("%s go to the origin as they came, and are assigned as ever", async (_, query = "") => {
    const browser = createBrowser(stage);
    const visit = await browser.open(`/login${query}`);
    expectNoErrorOfOurs(visit);
    expect(visit.stamp("method")).toBe("auto");
    expect(visit.seen.url).toBe(`https://id.example.com/login${query}`);
  });

  it("that name two overrides are taken at their first word, and forced ones count for nothing", async () => {
    const visit = await stage.send(navigation(`/login?${force}&experiment_id=exp_None&variation_id=var_a`));
    expect(visit.stamp("variation-id")).toBe("var_c");
    expect(visit.stamp("method")).toBe("forced");
    const events = stage.queued.filter((message) => message.kind === "event");
    expect(events.filter(({ event }) => event.variation_id === "var_c")).toEqual([]);
  });

  it("of any sort, a thousand, cause no error of ours", async () => {
    const key = fc.constantFrom("experiment_id", "variation_id", "segment_id", "override_token", "prompt", "client_id");
    const text = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("exp_Page", "var_c", "__proto__", ""));
    const pair = fc.tuple(fc.oneof(key, fc.string()), text);
    await fc.assert(
      fc.asyncProperty(fc.array(pair, { maxLength: 12 }), async (pairs) => {
        const query = pairs.map(([name, value]) => `${name}=${encodeURIComponent(value.toWellFormed())}`).join("&");
        const visit = await stage.send(navigation(`/login?${query}`));
        expect(visit.response.status).toBe(200);
        expect(visit.stamp("failed-open")).toBeNull();
      }),
      { numRuns: 1_000 },
    );
  }, 30_000);
});
