import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { experiment } from "../../model/resources.ts";
import { clearStores, createStage, host, publish } from "../stage.ts";
import {
  type Answer,
  appCallback,
  authorize,
  countedOf,
  createJourney,
  entriesOf,
  json,
  outcomesOf,
  page,
  redirect,
  type Sending,
} from "./journey.ts";

beforeEach(() => clearStores());
afterEach(() => vi.unstubAllGlobals());

async function begin(options: Parameters<typeof createStage>[0] = {}, scheme = "https", start = authorize) {
  const stage = createStage(options);
  await publish();
  const journey = createJourney(stage, scheme);
  await journey.go(start, redirect("/login"));
  await journey.go("/login");
  return { stage, journey };
}

describe("a login that returns by a cross-site POST", () => {
  it.each([
    ["Apple's form_post", "code=x&state=1"],
    ["an upstream SAML response", "SAMLResponse=x&RelayState=1"],
    ["WS-Federation", "wa=wsignin1.0&wresult=x"],
  ])("is counted, and its session ends: %s", async (_, body) => {
    const { stage, journey } = await begin();
    const { response, stamp } = await journey.post("/login/callback", redirect(appCallback), { crossSite: true, body });
    expect(stamp("method")).toBe("session");
    expect(countedOf(stage)).toEqual(["assignment", "auth s", "exposure"]);
    expect(response.headers.getSetCookie()[0]).toMatch(/^__Host-vst_ses=; .*Max-Age=0; .*SameSite=None; Secure$/);
    expect(entriesOf(stage)[0]).toMatchObject({ client_id: "app", details: { experiment: { method: "auto" } } });
  });

  it("is counted where the callback leads through pages of the provider", async () => {
    const { stage, journey } = await begin();
    await journey.post("/login/callback", redirect("/consent"), { crossSite: true });
    stage.restart();
    await journey.go("/consent");
    await journey.post("/consent", redirect(appCallback));
    expect(countedOf(stage)).toEqual(["assignment", "auth s", "exposure"]);
  });

  it("keeps Lax cookies on plain http, which browsers refuse otherwise", async () => {
    const { journey } = await begin({}, "http");
    expect([...journey.cookies.keys()]).toEqual(["vst_did", "vst_ses"]);
  });
});

describe("a request of a machine", () => {
  const okhttp = { "user-agent": "okhttp/4.12.0", accept: "application/json" };
  it.each([
    ["/token", 400, "invalid_grant"],
    ["/oauth2/token", 400, "authorization_pending"],
    ["/token", 400, "use_dpop_nonce"],
    ["/introspect", 401, "invalid_client"],
    ["/register", 403, "insufficient_scope"],
    ["/par", 400, "invalid_request"],
    ["/device/code", 401, "invalid_client"],
    ["/revoke", 422, "unsupported_token_type"],
    ["/scim/v2/Users", 401, "unauthorized"],
  ])("is no failed login: POST %s answered %i %s", async (path, status, error) => {
    const { stage, journey } = await begin();
    stage.queued.length = 0;
    const stranger = createJourney(stage);
    await stranger.post(path, json({ error }, status), { headers: { ...okhttp, "sec-fetch-dest": "" } });
    await journey.call(path, json({ error }, status), { headers: okhttp });
    expect(stage.queued).toEqual([]);
  });

  it.each(["oidc", "auth0", "keycloak", "okta", "entra", "cognito", "ory", "zitadel", "fusionauth", "saml"] as const)(
    "is no failed login in front of %s either",
    async (provider) => {
      const stage = createStage({ tenant: { provider } });
      await publish();
      const journey = createJourney(stage);
      for (const path of ["/oauth/token", "/oauth2/token", "/token", "/auth/session/refresh", "/api/me"]) {
        await journey.call(path, json({ error: "x" }, 401));
        await journey.post(path, json({ error: "x" }, 400), { headers: okhttp });
      }
      expect(outcomesOf(stage)).toEqual([]);
    },
  );

  it("is no failed sign-up where a page refreshes its session", async () => {
    const { stage, journey } = await begin();
    await journey.call("/auth/session/refresh", json({}, 401));
    expect(countedOf(stage)).toEqual(["assignment", "exposure"]);
  });
});

describe("a refused form", () => {
  it.each([400, 401, 403, 422])("of the login answered %i is a failure, and the login goes on", async (status) => {
    const { stage, journey } = await begin();
    await journey.post("/login", page(status));
    await journey.post("/login", redirect(appCallback));
    expect(countedOf(stage)).toEqual(["assignment", "auth f", "auth s", "exposure"]);
  });
});

describe("a page that logs in by its own call", () => {
  const signIn = "/api/auth/sign-in/email";
  it("is counted by the address that it is told", async () => {
    const stage = createStage();
    await publish();
    const journey = createJourney(stage);
    await journey.go("/sign-in?client_id=a&response_type=code&state=1");
    await journey.call(signIn, json({ message: "no" }, 401));
    const { response } = await journey.call(signIn, json({ url: appCallback }));
    expect(await response.json()).toEqual({ url: appCallback });
    expect(countedOf(stage)).toEqual(["assignment", "auth f", "auth s", "exposure"]);
    expect(journey.cookies.has("__Host-vst_ses")).toBe(false);
  });

  it.each<[string, unknown]>([
    ["consent", { url: "/consent?client_id=a" }],
    ["another login's state", { url: "https://app.example.com/cb?code=c&state=9" }],
    ["a second factor", { twoFactorRedirect: true }],
    ["an address without a code", { url: "https://app.example.com/cb?state=1" }],
  ])("is under way still when it is told of %s", async (_, answer) => {
    const stage = createStage();
    await publish();
    const journey = createJourney(stage);
    await journey.go("/sign-in?client_id=a&response_type=code&state=1");
    await journey.call(signIn, json(answer));
    expect(countedOf(stage)).toEqual(["assignment", "exposure"]);
    expect(journey.cookies.has("__Host-vst_ses")).toBe(true);
  });
});

describe("a redirect to the provider's own page", () => {
  it.each([
    ["http", `https://${host}/login?error=bad_password`],
    ["http", `http://${host}:80/login?error=bad_password`],
    ["https", `http://${host}/login?error=bad_password`],
    ["https", `https://${host}:443/login?error=bad_password`],
    ["https", `https://${host.toUpperCase()}/login?error=bad_password`],
    ["https", "https://id.example.com/login?error=bad_password"],
    ["https", `//${host}/login?error=bad_password`],
  ])("does not end the login: %s, to %s", async (scheme, location) => {
    const { stage, journey } = await begin({}, scheme);
    const { response } = await journey.post("/login", redirect(location));
    expect(response.headers.getSetCookie().filter((line) => line.includes("Max-Age=0"))).toEqual([]);
    await journey.post("/login", redirect(appCallback));
    expect(countedOf(stage).filter((each) => each === "auth s")).toHaveLength(1);
  });
});

describe("a redirect to the host that the origin is addressed by", () => {
  it("does not end the login", async () => {
    const { stage, journey } = await begin({ tenant: { origin_host: "acme.eu.auth0.com" } });
    await journey.post("/login", redirect("https://acme.eu.auth0.com/login?error=bad_password"));
    expect([outcomesOf(stage), journey.cookies.has("__Host-vst_ses")]).toEqual([[], true]);
    await journey.post("/login", redirect(appCallback));
    expect(outcomesOf(stage)).toEqual(["s"]);
  });
});

describe("a redirect to a host with a trailing dot", () => {
  it("does not end the login where the visitor came to that host", async () => {
    const stage = createStage({ tenant: { hosts: ["*.example.com"] } });
    await publish();
    const journey = createJourney(stage, "https", `${host}.`);
    await journey.go("/login");
    await journey.post("/login", redirect(`https://${host}./login?error=bad_password`));
    expect([outcomesOf(stage), journey.cookies.has("__Host-vst_ses")]).toEqual([[], true]);
  });
});

describe("a pass-through", () => {
  it.each([
    ["keycloak", "/realms/a/protocol/openid-connect/registrations"],
    ["entra", "/acme.onmicrosoft.com/b2c_1_signup/oauth2/v2.0/authorize"],
  ])("is no sign-up at an address for sign-ups: %s", async (provider, path) => {
    const stage = createStage({ tenant: { provider } });
    await publish();
    await createJourney(stage).go(`${path}?client_id=app&response_type=code&state=1`, redirect(appCallback));
    expect([countedOf(stage), outcomesOf(stage)]).toEqual([["assignment", "auth p"], ["s"]]);
  });

  const passThrough = (stage: Parameters<typeof entriesOf>[0]) =>
    entriesOf(stage).map(({ type, details }) => [type, details.pass_through === true]);

  it("is a login for which no page was shown", async () => {
    const stage = createStage();
    await publish();
    const journey = createJourney(stage);
    await journey.go(authorize, redirect("/resume"));
    await journey.go("/resume", redirect(appCallback));
    expect([countedOf(stage), passThrough(stage)]).toEqual([["assignment", "auth p"], [["s", true]]]);
  });

  it.each<[string, Answer, Sending]>([
    ["shown", page(), {}],
    ["shown in answer to an error", page(403), {}],
    ["shown by a service worker", page(), { headers: { "sec-fetch-dest": "empty" } }],
  ])("is none where a page was %s, although no experiment is on it", async (_, answer, sending) => {
    const stage = createStage();
    await publish({ experiments: [experiment({ status: "draft" })] });
    const journey = createJourney(stage);
    await journey.go(authorize, redirect("/login"));
    await journey.go("/login", answer, sending);
    await journey.go("/resume", redirect(appCallback));
    expect(passThrough(stage)).toEqual([["s", false]]);
  });

  it.each<[string, Answer, Sending]>([
    ["asked for by HEAD", page(), { method: "HEAD" }],
    ["out of order", page(503), {}],
    ["in a hidden frame", page(), { headers: { "sec-fetch-dest": "iframe" } }],
  ])("is one where a page was only %s", async (_, answer, sending) => {
    const stage = createStage();
    await publish();
    const journey = createJourney(stage);
    await journey.go(authorize, redirect("/login"));
    await journey.go("/login", answer, sending);
    await journey.go("/resume", redirect(appCallback));
    expect(countedOf(stage)).toEqual(["assignment", "auth p"]);
  });
});

describe("the log", () => {
  it("names the login's first client, connection and method at its end", async () => {
    const { stage, journey } = await begin(
      {},
      "https",
      "/authorize?client_id=shop-app&connection=github&response_type=code&state=1",
    );
    await journey.post("/login", redirect("/authorize/uid1/resume"));
    stage.restart();
    await journey.go("/authorize/uid1/resume", redirect(appCallback));
    expect(entriesOf(stage)).toMatchObject([
      { type: "s", client_id: "shop-app", connection: "github", details: { experiment: { method: "auto" } } },
    ]);
  });
});
