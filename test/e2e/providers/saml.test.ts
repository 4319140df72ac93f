/** Logins at a SAML provider through the gate, in Chromium: what the report says is what was done. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { demoPassword } from "../../../scripts/demo/accounts.ts";
import { type Chromium, launchChromium } from "../chromium.ts";
import { type ProviderGate, startProviderGate } from "./provider-gate.ts";
import { type ProviderUnderTest, variationOf } from "./provider-hops.ts";
import { entityId, startSamlApp } from "./saml-app.ts";
import { samlPaths, startSamlProvider } from "./saml-provider.ts";
import { type Site, siteArguments } from "./sites.ts";
import { createTruth } from "./truth.ts";
import { createUpstreamClient, startUpstream, type Upstream } from "./upstream.ts";
import { ourCookies, startVisit } from "./visit.ts";

let gate: ProviderGate;
let upstream: Upstream;
let provider: ProviderUnderTest;
let app: Site;
let chromium: Chromium;
const truth = createTruth();

beforeAll(async () => {
  [gate, chromium] = await Promise.all([
    startProviderGate({ provider: "saml", authorize_paths: [samlPaths.sso] }),
    launchChromium(...siteArguments),
  ]);
  const callback = `${gate.url}${samlPaths.upstreamCallback}`;
  const { callbackUrl, ...site } = await startSamlApp(`${gate.url}${samlPaths.sso}`);
  app = site;
  upstream = await startUpstream(callback);
  provider = await startSamlProvider({
    port: gate.providerPort,
    url: gate.url,
    stampKey: gate.stampKey,
    application: { entityId, callbackUrl },
    upstream: createUpstreamClient(upstream, callback),
  });
});
afterAll(async () => {
  await chromium.close();
  await Promise.all([app, upstream, provider, gate].map((one) => one.close()));
});

describe.each([
  ["redirect", `GET ${samlPaths.sso}`],
  ["post", `POST ${samlPaths.sso}`],
])("a request by the %s binding", (binding, firstHop) => {
  const emailOf = (who: string) => `${who}-${binding}@example.com`;
  async function visit() {
    const started = await startVisit(chromium);
    provider.takeHops();
    const login = () => started.page.goto(`${app.url}/login?binding=${binding}`);
    return { ...started, login };
  }

  it("logs in by password after a refused one, and then by the session at the provider", async () => {
    const { context, page, login, fill, expectLoggedIn } = await visit();
    await login();
    await fill(emailOf("ada"), "wrong");
    await page.getByRole("alert").waitFor();
    await fill(emailOf("ada"), demoPassword);
    await expectLoggedIn(emailOf("ada"));
    const hops = provider.takeHops();
    expect(hops.map(({ method, path }) => `${method} ${path}`)[0]).toBe(firstHop);
    const variation = variationOf(hops);
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

  it("logs in by the upstream provider: the login ends in the answer to its cross-site POST", async () => {
    const { context, page, login, fill, expectLoggedIn } = await visit();
    await login();
    await page.getByRole("link", { name: "Continue with Upstream" }).click();
    await page.waitForURL(`${upstream.url}/**`);
    await fill(emailOf("cleo"), demoPassword);
    await expectLoggedIn(emailOf("cleo"));
    const hops = provider.takeHops();
    expect(hops.map(({ method, path }) => `${method} ${path}`)).toContain(`POST ${samlPaths.upstreamCallback}`);
    truth.unit(variationOf(hops), "assignments", "exposures", "logins");
    await context.close();
  });
});

describe("the report", () => {
  it("says what was done", () => truth.expectReported(gate.management));
});
