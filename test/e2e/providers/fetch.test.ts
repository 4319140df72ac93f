/** Logins by `fetch` at `better-auth` through the gate, in Chromium: what the report says is what was done. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Chromium, launchChromium } from "../chromium.ts";
import { betterAuthPaths, startFetchProvider } from "./fetch-provider.ts";
import { htmlResponse, renderDocument } from "./login-pages.ts";
import { type ProviderGate, startProviderGate } from "./provider-gate.ts";
import { type ProviderUnderTest, variationOf } from "./provider-hops.ts";
import { hosts, type Site, siteArguments, startSite } from "./sites.ts";
import { createTruth } from "./truth.ts";
import { startUpstream, type Upstream } from "./upstream.ts";
import { ourCookies, startVisit } from "./visit.ts";

let gate: ProviderGate;
let upstream: Upstream;
let provider: ProviderUnderTest;
let app: Site;
let chromium: Chromium;
const truth = createTruth();

/** What better-auth answers to the calls of a page. */
const outcomes = [
  { outcome: "login", request: "fetch", method: "POST", path: betterAuthPaths.signIn, json: { member: "url" } },
  { outcome: "failure", request: "fetch", method: "POST", path: betterAuthPaths.signIn, status: [401] },
  { outcome: "signup", request: "fetch", method: "POST", path: betterAuthPaths.signUp, json: { member: "token" } },
];

beforeAll(async () => {
  [gate, chromium] = await Promise.all([
    startProviderGate({ provider: "oidc", outcomes }),
    launchChromium(...siteArguments),
  ]);
  app = await startSite(hosts.app, async (request) => {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/login") {
      const query = new URLSearchParams({ client_id: "app", response_type: "code", state: "s1" });
      query.set("redirect_uri", `${app.url}/callback`);
      if (searchParams.has("again")) query.set("again", "yes");
      return Response.redirect(`${gate.url}${betterAuthPaths.page}?${query}`, 302);
    }
    const isAnswer = searchParams.get("state") === "s1" && searchParams.has("code");
    return htmlResponse(await renderDocument(isAnswer ? "Logged in" : "Not logged in", ""));
  });
  upstream = await startUpstream(`${gate.url}${betterAuthPaths.upstreamCallback}`);
  provider = await startFetchProvider({
    port: gate.providerPort,
    url: gate.url,
    stampKey: gate.stampKey,
    appUrl: app.url,
    upstream,
  });
});
afterAll(async () => {
  await chromium.close();
  await Promise.all([app, upstream, provider, gate].map((one) => one.close()));
});

async function visit() {
  const started = await startVisit(chromium);
  provider.takeHops();
  return { ...started, login: (query = "") => started.page.goto(`${app.url}/login${query}`) };
}

const password = "long enough";

describe("a page that logs in by fetch", () => {
  it("signs up", async () => {
    const { context, login, fill, expectLoggedIn } = await visit();
    await login();
    await fill("ada@example.com", password, "Sign up");
    await expectLoggedIn();
    truth.unit(variationOf(provider.takeHops()), "assignments", "exposures", "signups");
    await context.close();
  });

  it("logs in after a refused password, and then by the session at the provider", async () => {
    const { context, page, login, fill, expectLoggedIn } = await visit();
    await login();
    await fill("ada@example.com", "not long enough", "Log in");
    await page.getByText("Invalid email or password").waitFor();
    await fill("ada@example.com", password, "Log in");
    await expectLoggedIn();
    const variation = variationOf(provider.takeHops());
    truth.unit(variation, "assignments", "exposures", "failures", "logins");

    await login();
    await expectLoggedIn();
    expect(variationOf(provider.takeHops())).toBe(variation);
    truth.unit(variation, "pass_throughs");

    // Another device for the gate, and nobody new for the provider: no page is shown.
    await context.clearCookies(ourCookies);
    await login();
    await expectLoggedIn();
    truth.unit(variationOf(provider.takeHops()), "assignments", "pass_throughs");
    await context.close();
  });

  it("logs in once where the page asks the provider again after the fetch, and is sent on by a redirect", async () => {
    const { context, login, fill, expectLoggedIn } = await visit();
    await login("?again");
    await fill("ada@example.com", password, "Log in");
    await expectLoggedIn();
    truth.unit(variationOf(provider.takeHops()), "assignments", "exposures", "logins");
    await context.close();
  });

  it("logs in by the upstream provider, whose answer is a cross-site POST", async () => {
    const { context, page, login, fill, expectLoggedIn } = await visit();
    await login();
    await page.getByRole("button", { name: "Continue with Upstream" }).click();
    await page.waitForURL(`${upstream.url}/**`);
    await fill("cleo@example.com", "vestibule");
    await expectLoggedIn();
    const hops = provider.takeHops();
    expect(hops.map(({ method, path }) => `${method} ${path}`)).toContain(`POST ${betterAuthPaths.upstreamCallback}`);
    truth.unit(variationOf(hops), "assignments", "exposures", "logins");
    await context.close();
  });
});

describe("the report", () => {
  it("says what was done", () => truth.expectReported(gate.management));
});
