import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { breakCache, breakKv } from "../faults.ts";
import { clearStores, createStage, publish, type Stage, type Visit } from "../stage.ts";
import { appCallback, authorize, countedOf, createJourney, page, redirect, type Sending } from "./journey.ts";

beforeEach(() => clearStores());
afterEach(() => vi.unstubAllGlobals());

/** In a new isolate there is no snapshot to fall back to. */
function breakStores(stage: Stage): void {
  void breakKv(stage, "error");
  void breakCache(stage, "error");
}

const shown = ({ stamp }: Visit) => stamp("variation-id");

describe("a login behind the provider's service worker", () => {
  const byWorker = { "sec-fetch-dest": "empty", "sec-fetch-mode": "navigate" };

  it("is assigned as without one, also on a later day and on another isolate", async () => {
    const stage = createStage();
    await publish();
    const journey = createJourney(stage);
    const first = await journey.go(authorize, redirect("/login"));
    journey.cookies.delete("__Host-vst_ses");
    stage.clock.nowMs += 24 * 3600_000;
    stage.restart();
    stage.queued.length = 0;
    const again = await journey.go(authorize, redirect("/login"), { headers: byWorker });
    expect([shown(again), again.stamp("method")]).toEqual([shown(first), "auto"]);
    await journey.go("/login", page(), { headers: byWorker });
    await journey.post("/login", redirect(appCallback), { headers: byWorker });
    expect(countedOf(stage)).toEqual(["assignment", "auth s", "exposure"]);
  });

  it.each(["cors", "same-origin", "no-cors"])("is not what a page's own call in mode %s begins", async (mode) => {
    const stage = createStage();
    await publish();
    const { response, stamp } = await createJourney(stage).call("/login", page(), {
      method: "GET",
      body: undefined as never,
      headers: { "sec-fetch-mode": mode, accept: "text/html" },
    });
    expect([stamp("id"), response.headers.getSetCookie(), countedOf(stage)]).toEqual([null, [], []]);
  });
});

describe("a login that begins with a POST", () => {
  it.each([
    ["saml by post", "oidc", "/saml/sso", "/login", "/forgot"],
    ["oidc by post", "oidc", "/oauth2/authorize", "/login", "/forgot"],
    [
      "keycloak",
      "keycloak",
      "/realms/acme/protocol/openid-connect/auth",
      "/realms/acme/login-actions/authenticate",
      "/realms/acme/login-actions/reset-credentials",
    ],
    [
      "keycloak's saml",
      "keycloak",
      "/realms/acme/protocol/saml",
      "/realms/acme/login-actions/authenticate",
      "/realms/acme/login-actions/reset-credentials",
    ],
    ["saml preset", "saml", "/saml/sso", "/login", "/login/again"],
  ])("has one variation on all its pages: %s", async (_, provider, start, login, forgot) => {
    const stage = createStage({ tenant: { provider } });
    await publish();
    const journey = createJourney(stage);
    const first = await journey.post(start, page(), {
      crossSite: true,
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: "SAMLRequest=x&client_id=x&response_type=code",
    });
    const later: Visit[] = [];
    later.push(await journey.post(login, page(401)));
    stage.restart();
    later.push(await journey.go(forgot));
    later.push(await journey.post(login, page(401)));
    expect(later.map(shown)).toEqual(later.map(() => shown(first)));
  });

  it("at an address that no rule knows stays unassigned to its end", async () => {
    const stage = createStage();
    await publish();
    const journey = createJourney(stage);
    const visits = [
      await journey.post("/unknown/entry", page(), { crossSite: true }),
      await journey.post("/login", page(401)),
      await journey.go("/forgot"),
      await journey.post("/login", page(401)),
    ];
    expect(visits.map(shown)).toEqual([null, null, null, null]);
    expect(countedOf(stage)).toEqual([]);
    await journey.post("/login", redirect(appCallback));
    expect(shown(await journey.go(authorize))).not.toBeNull();
  });

  it.each<[string, string, Sending]>([
    ["a form", "POST", { crossSite: true }],
    ["a prerendered page", "GET", { headers: { "sec-purpose": "prefetch;prerender" } }],
  ])("stays unassigned where its first page failed open: %s", async (_, method, sending) => {
    const stage = createStage();
    await publish();
    const journey = createJourney(stage);
    const stores = { ...stage.stores };
    breakStores(stage);
    const first = await journey.go("/unknown/entry", page(), { method, ...sending });
    Object.assign(stage.stores, stores);
    stage.restart();
    const next = await journey.go("/forgot");
    expect([first, next].map(({ stamp }) => stamp("failed-open"))).toEqual(["error", "session"]);
  });

  it("stays unassigned although the browser holds a session cookie that is no longer valid", async () => {
    const stage = createStage();
    await publish();
    const journey = createJourney(stage);
    journey.cookies.set("__Host-vst_ses", "stale.k0.x");
    const visits = [await journey.post("/unknown/entry", page(), { crossSite: true }), await journey.go("/forgot")];
    expect(visits.map(shown)).toEqual([null, null]);
  });

  it("leaves no cookie without consent or to a bot where it failed open", async () => {
    const stage = createStage({ tenant: { consent: { cookie: "cc", pattern: "yes" } } });
    breakStores(stage);
    const journey = createJourney(stage);
    const bot = { cookie: "cc=yes", "user-agent": "Mozilla/5.0 (compatible; Googlebot/2.1)" };
    for (const headers of [{}, bot]) {
      for (const path of [authorize, "/login"]) {
        const { response, stamp } = await journey.go(path, page(), { headers });
        expect([stamp("failed-open"), response.headers.getSetCookie()]).toEqual(["error", []]);
      }
    }
  });

  it("of a bot's leaves no mark, nor does one without consent or while nothing is active", async () => {
    const stage = createStage({ tenant: { consent: { cookie: "cc", pattern: "yes" } } });
    await publish();
    const journey = createJourney(stage);
    expect((await journey.post("/unknown", page())).response.headers.getSetCookie()).toEqual([]);
    journey.cookies.set("cc", "yes");
    const bot = { "user-agent": "Mozilla/5.0 (compatible; Googlebot/2.1)" };
    const byBot = await journey.post("/unknown", page(), { headers: bot });
    expect(byBot.response.headers.getSetCookie()).toEqual([]);
  });
});

describe("a login behind a prerendered page", () => {
  it.each([
    ["sec-purpose", "prefetch;prerender"],
    ["purpose", "prerender"],
    ["x-purpose", "Prerender"],
  ])("never changes in its middle: %s: %s", async (name, value) => {
    const stage = createStage();
    await publish();
    const journey = createJourney(stage);
    const visits = [
      await journey.go("/login", page(), { headers: { [name]: value } }),
      await journey.post("/login", page(401)),
      await journey.go("/forgot"),
    ];
    expect(visits.map(shown)).toEqual([null, null, null]);
    expect(countedOf(stage)).toEqual([]);
    expect([...journey.cookies.keys()]).toEqual(["__Host-vst_ses"]);
  });

  it("keeps the variation of a session that is under way", async () => {
    const stage = createStage();
    await publish();
    const journey = createJourney(stage);
    const first = await journey.go("/login");
    const ahead = await journey.go("/forgot", page(), { headers: { "sec-purpose": "prefetch;prerender" } });
    expect(shown(ahead)).toBe(shown(first));
    expect(shown(await journey.go("/forgot"))).toBe(shown(first));
  });
});

describe("a page that nobody looks at yet", () => {
  it.each([
    ["x-purpose", "preview"],
    ["x-purpose", ": Preview"],
    ["purpose", "prefetch"],
    ["x-moz", "prefetch"],
    ["moz-purpose", "preload"],
    ["sec-purpose", "prefetch"],
    ["sec-purpose", "prefetch;anonymous-client-ip"],
  ])("has no device, no assignment and no count: %s: %s", async (name, value) => {
    const stage = createStage();
    await publish();
    const journey = createJourney(stage);
    const { response, stamp } = await journey.go("/login", page(), { headers: { [name]: value } });
    expect([stamp("id"), response.headers.getSetCookie(), stage.queued]).toEqual([null, [], []]);
    expect(shown(await journey.go("/login"))).not.toBeNull();
  });
});

describe("a frame", () => {
  it.each(["iframe", "frame", "embed", "object", "fencedframe"])(
    "%s of an application exposes nobody",
    async (dest) => {
      const stage = createStage();
      await publish();
      const journey = createJourney(stage);
      await journey.go("/login");
      journey.cookies.delete("__Host-vst_ses");
      stage.queued.length = 0;
      for (const path of ["/connect/checksession", "/silent", authorize]) {
        const headers = { "sec-fetch-dest": dest, "sec-fetch-site": "same-site" };
        const { stamp, response } = await journey.go(path, page(), { headers });
        expect([stamp("id"), response.headers.getSetCookie()]).toEqual([null, []]);
      }
      expect(stage.queued).toEqual([]);
    },
  );
});
