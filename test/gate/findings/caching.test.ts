import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { clearStores, createStage, publish } from "../stage.ts";
import { authorize, createJourney, page, redirect, warningsOf } from "./journey.ts";

beforeEach(() => clearStores());
afterEach(() => vi.unstubAllGlobals());

async function begin(tenant: Record<string, unknown> = {}) {
  const stage = createStage({ tenant });
  await publish();
  return { stage, journey: createJourney(stage) };
}

describe("a page that a browser has kept", () => {
  it.each([
    ["if-none-match", '"v1"'],
    ["if-none-match", 'W/"v1", *'],
    ["if-modified-since", "Fri, 01 Nov 2024 00:00:00 GMT"],
    ["if-range", '"v1"'],
  ])("is sent whole where it is stamped: %s: %s", async (name, value) => {
    const { stage, journey } = await begin({ inject: "attributes" });
    const { seen, response } = await journey.go(
      "/login",
      () =>
        new Response("<html></html>", {
          headers: { "content-type": "text/html", etag: '"v1"', "cache-control": "public, max-age=600" },
        }),
      { headers: { [name]: value } },
    );
    expect(seen.headers.get(name)).toBeNull();
    expect(await response.text()).toContain("data-variation-id=");
    expect([response.headers.get("etag"), response.headers.get("cache-control")]).toEqual([null, "private, no-cache"]);
    // The next one is of the session, on another isolate.
    stage.restart();
    const again = await journey.go("/login", page(200, { "cache-control": "max-age=600" }), {
      headers: { [name]: value },
    });
    expect([again.seen.headers.get(name), again.response.headers.get("cache-control")]).toEqual([
      null,
      "private, no-cache",
    ]);
  });

  it("is not completed by a part of another variation's page", async () => {
    const { journey } = await begin();
    const headers = { range: "bytes=100-", "if-range": '"v1"' };
    const { seen, stamp } = await journey.go("/login", page(), { headers });
    expect([stamp("id"), seen.headers.get("range"), seen.headers.get("if-range")]).toEqual(["exp_Page", null, null]);
    const script = { ...headers, "sec-fetch-dest": "script", "sec-fetch-mode": "no-cors" };
    expect((await journey.go("/app.js", page(), { headers: script })).seen.headers.get("range")).toBe("bytes=100-");
  });

  it("is answered as ever where nothing is stamped, as are scripts and images", async () => {
    const { stage, journey } = await begin();
    await journey.go("/login");
    const headers = { "if-none-match": '"v1"', "sec-fetch-dest": "script", "sec-fetch-mode": "no-cors" };
    const answer = () =>
      new Response(null, { status: 304, headers: { etag: '"v1"', "cache-control": "public, max-age=600" } });
    const script = await journey.go("/app.js", answer, { headers });
    expect([script.response.status, script.seen.headers.get("if-none-match")]).toEqual([304, '"v1"']);
    expect([...script.response.headers]).toEqual([
      ["cache-control", "public, max-age=600"],
      ["etag", '"v1"'],
    ]);
    const bot = createJourney(stage);
    const kept = await bot.go("/login", answer, {
      headers: { "if-none-match": '"v1"', "user-agent": "Googlebot/2.1 (+http://www.google.com/bot.html)" },
    });
    expect([kept.response.status, kept.response.headers.get("etag")]).toEqual([304, '"v1"']);
  });
});

describe("a stamped response", () => {
  it.each([
    ["surrogate-control", "max-age=3600"],
    ["cdn-cache-control", "max-age=3600"],
    ["cloudflare-cdn-cache-control", "public, max-age=60"],
    ["deno-cdn-cache-control", "max-age=60"],
    ["expires", "Fri, 01 Jan 2038 00:00:00 GMT"],
    ["x-accel-expires", "60"],
    ["edge-control", "cache-maxage=60"],
    ["pragma", "cache"],
    ["age", "10"],
  ])("is kept by no shared cache, whatever says so: %s: %s", async (name, value) => {
    const { journey } = await begin();
    const { response } = await journey.go("/login", page(200, { [name]: value }));
    expect([response.headers.get(name), response.headers.get("cache-control")]).toEqual([null, "private, no-cache"]);
    const call = await journey.call("/api", () => Response.json({}, { headers: { [name]: value } }));
    expect([call.response.headers.get(name), call.response.headers.get("cache-control")]).toEqual([null, "private"]);
  });

  it.each([
    ["no-store", "private, no-store"],
    ["No-Store, must-revalidate", "private, no-store"],
    ["public, max-age=31536000, immutable", "private, no-cache"],
    ["public, no-transform", "private, no-cache, no-transform"],
    ["s-maxage=60, stale-while-revalidate=60", "private, no-cache"],
  ])("with Cache-Control: %s goes out with %s", async (sent, expected) => {
    const { journey } = await begin();
    for (const answer of [
      page(200, { "cache-control": sent }),
      page(404, { "cache-control": sent }),
      redirect("/x", { "cache-control": sent }),
    ]) {
      expect((await journey.go(authorize, answer)).response.headers.get("cache-control")).toBe(expected);
    }
  });
});

describe("an origin that deletes our cookies", () => {
  it.each([
    ["clear-site-data", '"cookies"', "GET"],
    ["clear-site-data", '"cache", "cookies"', "GET"],
    ["clear-site-data", '"*"', "POST"],
    ["set-cookie", "__Host-vst_did=; Path=/; Max-Age=0; Secure", "GET"],
  ])("is named in the log, at logout too: %s: %s", async (name, value, method) => {
    const { stage, journey } = await begin();
    await journey.go("/login");
    await journey.post("/login", redirect("https://app.example.com/cb?code=c"));
    const { response } = await journey.go("/logout", page(200, { [name]: value }), { method });
    expect(response.headers.get(name)).toBe(value);
    expect(warningsOf(stage)).toEqual(["device_cookie_cleared"]);
  });

  it("is named where a page's call logs out, and where the device is a cookie of the tenant's", async () => {
    const { stage, journey } = await begin({ device_cookie: "my_device" });
    journey.cookies.set("my_device", "d-1");
    await journey.call(
      "/api/logout",
      () => new Response(null, { status: 204, headers: { "clear-site-data": '"cookies"' } }),
    );
    expect(warningsOf(stage)).toEqual(["device_cookie_cleared"]);
  });

  it.each([
    ["storage is cleared", { "clear-site-data": '"storage"' }],
    ["its own cookie is deleted", { "set-cookie": "sid=; Max-Age=0" }],
  ])("is not named where only %s", async (_, headers) => {
    const { stage, journey } = await begin();
    await journey.go("/login", page(200, headers));
    expect(warningsOf(stage)).toEqual([]);
  });
});
