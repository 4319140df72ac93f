import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { experiment, flag, resources, segment, share } from "../model/resources.ts";
import { clearStores, createBrowser, createStage, host, navigation, publish } from "./stage.ts";

beforeEach(() => clearStores());
afterEach(() => vi.unstubAllGlobals());

const cookieNames = (response: Response) => response.headers.getSetCookie().map((line) => line.split("=")[0]);

describe("a device", () => {
  it("is minted with a page, and the id that is set is the id that is bucketed", async () => {
    const stage = createStage();
    await publish();
    const browser = createBrowser(stage);
    const first = await browser.open();
    expect(cookieNames(first.response)).toEqual(["__Host-vst_did", "__Host-vst_ses"]);
    const again = createBrowser(stage);
    again.cookies.set("__Host-vst_did", browser.cookies.get("__Host-vst_did") ?? "");
    const second = await again.open();
    expect(second.stamp("variation-id")).toBe(first.stamp("variation-id"));
    expect(second.stamp("method")).toBe("auto");
  });

  it("is nobody while no experiment is active", async () => {
    const stage = createStage();
    await publish({ experiments: [experiment({ status: "draft" })] });
    const { response, stamp } = await stage.send(navigation());
    expect(response.headers.getSetCookie()).toEqual([]);
    expect(stamp("id")).toBeNull();
    expect(stamp("failed-open")).toBeNull();
  });

  it("does not flip a page in mid-log-in when an experiment is activated", async () => {
    const stage = createStage();
    await publish({ experiments: [experiment({ status: "draft" })] });
    const browser = createBrowser(stage);
    const authorize = "/auth?client_id=a&response_type=code";
    await browser.open(authorize);
    await publish({}, 2);
    stage.clock.nowMs += 31_000;
    await browser.open();
    expect(stage.sources.health().snapshots).toEqual({ acme: { version: 2, age_seconds: 0 } });
    expect((await browser.open()).stamp("id")).toBeNull();
    expect((await browser.open(authorize)).stamp("id")).toBe("exp_Page");
  });

  it.each([
    ["a HEAD", navigation("/login"), { method: "HEAD" }],
    ["a prefetch", navigation("/login", { "sec-purpose": "prefetch" }), {}],
    ["a bot", navigation("/login", { "user-agent": "Mozilla/5.0 (compatible; Googlebot/2.1)" }), {}],
    ["a script", navigation("/x.js", { "sec-fetch-dest": "script" }), {}],
    ["a frame", navigation("/login", { "sec-fetch-dest": "iframe" }), {}],
    ["a silent request", navigation("/auth?client_id=a&response_type=code&prompt=none"), {}],
  ])("is not minted by %s", async (_, request, init) => {
    const stage = createStage();
    await publish();
    const { response, stamp } = await stage.send(new Request(request, init));
    // A page that answers a form marks its login as unassigned; that is no device.
    const set = response.headers.getSetCookie().filter((line) => !line.startsWith("__Host-vst_ses=open;"));
    expect(set).toEqual([]);
    expect(stamp("id")).toBeNull();
    expect(stamp("failed-open")).toBeNull();
  });

  it.each([
    ["prerendered", navigation("/login", { "sec-purpose": "prefetch;prerender" })],
    ["the answer to a form", new Request(navigation("/login"), { method: "POST" })],
  ])("is not minted in the middle of a login whose first page was %s", async (_, first) => {
    const stage = createStage();
    await publish();
    const { response } = await stage.send(first);
    const [cookie = "", ...others] = response.headers.getSetCookie();
    expect([cookie.split(";", 1)[0], others]).toEqual(["__Host-vst_ses=open", []]);
    const next = await stage.send(navigation("/forgot", { cookie: "__Host-vst_ses=open" }));
    expect([next.stamp("id"), next.response.headers.getSetCookie()]).toEqual([null, []]);
  });

  it("is no bot's, which may be forced all the same and stays so, as tests in a headless browser are", async () => {
    const stage = createStage();
    await publish({ experiments: [experiment({ status: "draft" })] });
    const browser = createBrowser(stage);
    const headers = { "user-agent": "Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/149.0.0.0 Safari/537.36" };
    const forced = await browser.open("/login?experiment_id=exp_Page&variation_id=var_b", { headers });
    expect([forced.stamp("variation-id"), forced.stamp("method")]).toEqual(["var_b", "forced"]);
    expect([...browser.cookies.keys()]).toEqual(["__Host-vst_ses"]);
    expect((await browser.open("/login", { headers })).stamp("variation-id")).toBe("var_b");
    const unknown = await stage.send(navigation("/login?experiment_id=exp_None&variation_id=var_b", headers));
    expect([unknown.stamp("id"), unknown.response.headers.getSetCookie()]).toEqual([null, []]);
    expect(stage.queued.filter(({ kind }) => kind === "event")).toEqual([]);
  });

  it("is each stranger's own, although a proxy carries them on one TLS connection", async () => {
    const stage = createStage();
    await publish();
    const cf = { tlsClientRandom: "c2FtZQ==" } as never;
    const visits = await Promise.all(Array.from({ length: 20 }, () => stage.send(new Request(navigation(), { cf }))));
    const devices = visits.map(({ response }) => /vst_did=(.{22})/.exec(response.headers.getSetCookie()[0] ?? "")?.[1]);
    expect(new Set(devices).size).toBe(20);
  });

  it("keeps its id and its variation when its cookie is renewed", async () => {
    const stage = createStage();
    await publish();
    const browser = createBrowser(stage);
    const first = await browser.open();
    const before = browser.cookies.get("__Host-vst_did");
    stage.clock.nowMs += 40 * 24 * 3600_000;
    const later = await browser.open();
    const after = browser.cookies.get("__Host-vst_did");
    expect(after).not.toBe(before);
    expect(after?.slice(0, 22)).toBe(before?.slice(0, 22));
    expect(later.stamp("variation-id")).toBe(first.stamp("variation-id"));
  });

  it("may be another cookie's value", async () => {
    const stage = createStage({ tenant: { device_cookie: "my_device" } });
    await publish();
    const seen = new Set<string | null>();
    for (let index = 0; index < 20; index++) {
      const visits = await Promise.all(
        [1, 2].map(() => stage.send(navigation("/login", { cookie: `my_device=${"d".repeat(400)}-${index}` }))),
      );
      expect(new Set(visits.map(({ stamp }) => stamp("variation-id"))).size).toBe(1);
      expect(visits.flatMap(({ response }) => cookieNames(response))).not.toContain("__Host-vst_did");
      seen.add(visits[0]?.stamp("variation-id") ?? null);
    }
    expect(seen.size).toBe(2);
  });
});

describe("a device cookie of the tenant's that is set in mid-login", () => {
  it("changes no page of that login, and counts from the next one on", async () => {
    for (let index = 0; index < 6; index++) {
      const stage = createStage({ tenant: { device_cookie: "my_device" } });
      await publish();
      const browser = createBrowser(stage);
      const first = await browser.open();
      browser.cookies.set("my_device", `device-${index}`);
      const later = await browser.open();
      expect([later.stamp("variation-id"), later.stamp("method")]).toEqual([first.stamp("variation-id"), "session"]);
      stage.clock.nowMs += 2 * 3600_000;
      const next = await browser.open();
      const other = await stage.send(navigation("/login", { cookie: `my_device=device-${index}` }));
      expect(next.stamp("variation-id")).toBe(other.stamp("variation-id"));
    }
  });
});

describe("consent", () => {
  const tenant = { consent: { cookie: "consent", pattern: "analytics=(yes|true)" } };

  it("comes before any cookie and any assignment", async () => {
    const stage = createStage({ tenant });
    await publish();
    for (const cookie of ["", "consent=analytics=no", "xconsent=analytics=yes"]) {
      const { response, stamp } = await stage.send(
        navigation("/login?experiment_id=exp_Page&variation_id=var_b", { cookie }),
      );
      expect(response.headers.getSetCookie()).toEqual([]);
      expect(stamp("id")).toBeNull();
    }
    const { stamp } = await stage.send(navigation("/login", { cookie: "consent=analytics=yes" }));
    expect(stamp("id")).toBe("exp_Page");
  });

  it("withdrawn, ends what was stored", async () => {
    const stage = createStage({ tenant });
    await publish();
    const browser = createBrowser(stage);
    browser.cookies.set("consent", "analytics=yes");
    await browser.open();
    browser.cookies.set("consent", "none");
    const { stamp } = await browser.open();
    expect(stamp("id")).toBeNull();
    expect([...browser.cookies.keys()]).toEqual(["consent"]);
  });
});

describe("targeting", () => {
  const android =
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/149.0.0.0 Mobile Safari/537.36";

  it("gives a segment its variation, the rest the fallback, and says which segment it was", async () => {
    const stage = createStage();
    await publish({
      segments: [
        segment("Swiss", [{ match: { country: ["ch"], device_type: ["mobile"] } }]),
        segment("App", [{ match: { client_id: ["my-app"] } }]),
      ],
      experiments: [
        experiment({
          allocation_strategy: "segment",
          allocations: [
            { variation_id: "var_b", segment_id: "seg_Swiss", priority: 1, is_control: false },
            { variation_id: "var_c", segment_id: "seg_App", priority: 2, is_control: false },
            { variation_id: "var_a", is_fallback: true, is_control: true },
          ],
        }),
      ],
    });
    const open = async (path: string, country: string, userAgent?: string) => {
      const request = navigation(path, userAgent ? { "user-agent": userAgent } : {});
      const { stamp } = await stage.send(new Request(request, { cf: { country } as never }));
      return [stamp("variation-id"), stamp("segment-id"), stamp("control")];
    };
    expect(await open("/login", "CH", android)).toEqual(["var_b", "seg_Swiss", "false"]);
    expect(await open("/login", "CH")).toEqual(["var_a", null, "true"]);
    expect(await open("/login", "DE", android)).toEqual(["var_a", null, "true"]);
    expect(await open("/auth?client_id=my-app&response_type=code", "DE")).toEqual(["var_c", "seg_App", "false"]);
  });

  it("leaves those beyond the ramp level without a stamp, for the whole log-in", async () => {
    const stage = createStage();
    await publish({ experiments: [experiment({ levels: [20, 100], current_level: 20 })] });
    let assigned = 0;
    for (let index = 0; index < 100; index++) {
      const browser = createBrowser(stage);
      const first = await browser.open();
      if (first.stamp("id")) assigned++;
      else expect((await browser.open()).stamp("id")).toBeNull();
    }
    expect(assigned).toBeGreaterThan(5);
    expect(assigned).toBeLessThan(45);
  });

  it("honours inclusions, and keeps an earlier choice where the flag is sticky", async () => {
    const stage = createStage({ tenant: { device_cookie: "my_device" } });
    const sticky = { sticky_bucketing: true, inclusions: { c: { user_ids: [], device_ids: ["tester"] } } };
    await publish({
      feature_flags: [flag({ rollout: sticky })],
      experiments: [experiment({ allocations: [share("a", 100, true), share("b", 0)] })],
    });
    const included = await stage.send(navigation("/login", { cookie: "my_device=tester" }));
    expect([included.stamp("variation-id"), included.stamp("method")]).toEqual(["var_c", "inclusion"]);

    const browser = createBrowser(stage);
    browser.cookies.set("my_device", "somebody");
    expect((await browser.open()).stamp("variation-id")).toBe("var_a");
    await publish(
      resources({
        feature_flags: [flag({ rollout: sticky })],
        experiments: [experiment({ epoch: 2, allocations: [share("a", 0, true), share("b", 100)] })],
      }),
      2,
    );
    stage.clock.nowMs += 2 * 3600_000;
    const later = await browser.open();
    expect([later.stamp("variation-id"), later.stamp("method")]).toEqual(["var_a", "sticky"]);
    const another = await stage.send(navigation("/login", { cookie: "my_device=another" }));
    expect(another.stamp("variation-id")).toBe("var_b");
  });
});

it("a request of another host's shape is answered for that host", async () => {
  const stage = createStage();
  await publish();
  const { seen } = await stage.send(navigation());
  expect(seen.url).toBe("https://id.example.com/login");
  expect(seen.headers.get("x-forwarded-host")).toBe(host);
  expect(seen.headers.get("x-forwarded-proto")).toBe("https");
});
