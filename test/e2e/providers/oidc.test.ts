/** Logins at `oidc-provider` through the gate, in Chromium: what the report says is what was done. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { demoPassword } from "../../../scripts/demo/accounts.ts";
import { type Chromium, launchChromium } from "../chromium.ts";
import { startBrowserApp, startServerApp } from "./oidc-apps.ts";
import { startOidcProvider, upstreamCallbackPath } from "./oidc-provider.ts";
import { type ProviderGate, startProviderGate } from "./provider-gate.ts";
import { type ProviderUnderTest, variationOf } from "./provider-hops.ts";
import { type Site, siteArguments } from "./sites.ts";
import { createTruth } from "./truth.ts";
import { createUpstreamClient, startUpstream, type Upstream } from "./upstream.ts";
import { ourCookies, startVisit } from "./visit.ts";

let gate: ProviderGate;
let upstream: Upstream;
let provider: ProviderUnderTest;
let apps: { server: Site; browser: Site };
let chromium: Chromium;
const truth = createTruth();

beforeAll(async () => {
  [gate, chromium] = await Promise.all([
    startProviderGate({ provider: "oidc", authorize_paths: ["/authorize"] }),
    launchChromium(...siteArguments),
  ]);
  const callback = `${gate.url}${upstreamCallbackPath}`;
  const [server, browser] = await Promise.all([startServerApp(gate.url, "server"), startBrowserApp(gate.url, "spa")]);
  apps = { server, browser };
  upstream = await startUpstream(callback);
  provider = await startOidcProvider({
    port: gate.providerPort,
    issuer: gate.url,
    stampKey: gate.stampKey,
    clients: [
      { client_id: "server", redirect_uris: [`${server.url}/callback`] },
      { client_id: "spa", redirect_uris: [`${browser.url}/callback`] },
    ],
    upstream: createUpstreamClient(upstream, callback),
  });
});
afterAll(async () => {
  await chromium.close();
  await Promise.all([apps.server, apps.browser, upstream, provider, gate].map((one) => one.close()));
});

describe.each([
  ["openid-client", "query", () => `${apps.server.url}/login`],
  ["openid-client", "form_post", () => `${apps.server.url}/login`],
  ["openid-client by POST", "form_post", () => `${apps.server.url}/login-by-post`],
  ["auth0-spa-js", "query", () => `${apps.browser.url}/login`],
] as const)("%s, response mode %s", (name, mode, loginUrl) => {
  const emailOf = (who: string) => `${who}-${name}-${mode}@example.com`.replaceAll(" ", "-").toLowerCase();
  async function visit() {
    const started = await startVisit(chromium);
    provider.takeHops();
    const login = () => started.page.goto(`${loginUrl()}?response_mode=${mode}`);
    return { ...started, login };
  }

  it("logs in by password after a refused one, and then by the session at the provider", async () => {
    const { context, page, login, fill, expectLoggedIn } = await visit();
    await login();
    await fill(emailOf("ada"), "wrong");
    await page.getByRole("alert").waitFor();
    await fill(emailOf("ada"), demoPassword);
    await expectLoggedIn(emailOf("ada"));
    const variation = variationOf(provider.takeHops());
    truth.unit(variation, "assignments", "exposures", "failures", "logins");

    await login();
    await expectLoggedIn(emailOf("ada"));
    expect(variationOf(provider.takeHops())).toBe(variation);
    truth.unit(variation, "pass_throughs");

    // Another device for the gate, and nobody new for the provider: no page is shown.
    await context.clearCookies(ourCookies);
    await login();
    await expectLoggedIn(emailOf("ada"));
    truth.unit(variationOf(provider.takeHops()), "assignments", "pass_throughs");
    await context.close();
  });

  it("signs up", async () => {
    const { context, page, login, fill, expectLoggedIn } = await visit();
    await login();
    await page.getByRole("link", { name: "Sign up" }).click();
    await page.getByRole("button", { name: "Sign up" }).waitFor();
    await fill(emailOf("ben"), "long enough");
    await expectLoggedIn(emailOf("ben"));
    truth.unit(variationOf(provider.takeHops()), "assignments", "exposures", "signups");
    await context.close();
  });

  it("logs in by the upstream provider, whose answer is a cross-site POST", async () => {
    const { context, page, login, fill, expectLoggedIn } = await visit();
    await login();
    await page.getByRole("link", { name: "Continue with Upstream" }).click();
    await page.waitForURL(`${upstream.url}/**`);
    await fill(emailOf("cleo"), demoPassword);
    await expectLoggedIn(emailOf("cleo"));
    const hops = provider.takeHops();
    expect(hops.map(({ method, path }) => `${method} ${path}`)).toContain(`POST ${upstreamCallbackPath}`);
    truth.unit(variationOf(hops), "assignments", "exposures", "logins");
    const [device] = (await context.cookies(gate.url)).filter((cookie) => cookie.name === "__Host-vst_did");
    expect(device).toMatchObject({ sameSite: "None", secure: true, httpOnly: true });
    await context.close();
  });
});

describe("the report", () => {
  it("says what was done", () => truth.expectReported(gate.management));
});
