/** What browsers do between a link and the page: service workers, prefetches, frames, and copies of pages that they kept. */
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Listening, listen, toNodeHandler } from "../../scripts/demo/listen.ts";
import { type Chromium, launchChromium } from "./chromium.ts";
import { htmlResponse, renderDocument } from "./providers/login-pages.ts";
import { type ProviderGate, startProviderGate } from "./providers/provider-gate.ts";
import { createHopLog, type ProviderHop, variationOf } from "./providers/provider-hops.ts";
import { hosts, type Site, siteArguments, startSite } from "./providers/sites.ts";
import { createTruth } from "./providers/truth.ts";
import { sample } from "./stack.ts";

let gate: ProviderGate;
let origin: Listening;
let app: Site;
let chromium: Chromium;
let hops: ReturnType<typeof createHopLog>;
/** Other headers of the requests, in the order of the hops. */
let headersSeen: Headers[] = [];
const truth = createTruth();

const redirectTo = (location: string) => new Response(null, { status: 303, headers: { location } });
const page = async (headline: string, body: string, headers: Record<string, string> = {}, status = 200) => {
  const answer = htmlResponse((await renderDocument(headline, "")).replace("</body>", `${body}</body>`), status);
  for (const [name, value] of Object.entries(headers)) answer.headers.set(name, value);
  return answer;
};

const form = `<form method="post" action="/login"><input name="password"><button>Log in</button></form>
<a href="/forgot">Forgot your password?</a>`;
const serviceWorker = `
addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("fetch", (event) => event.respondWith(fetch(event.request)));`;

async function answer(request: Request): Promise<Response> {
  const { pathname, searchParams } = new URL(request.url);
  if (pathname === "/authorize") return redirectTo(searchParams.get("page") ?? "/login");
  if (pathname === "/login" && request.method === "POST") {
    const { password } = Object.fromEntries(new URLSearchParams(await request.text()));
    return password === "right"
      ? redirectTo(`${app.url}/callback?code=c1&state=s1`)
      : page("Log in", `${form}<p role="alert">Wrong.</p>`, {}, 401);
  }
  switch (pathname) {
    case "/worker.js":
      return new Response(serviceWorker, { headers: { "content-type": "text/javascript" } });
    case "/with-worker":
      return page("Log in", `${form}<script>navigator.serviceWorker.register("/worker.js")</script>`);
    case "/connect/checksession":
      return page("", "");
    case "/validated":
      return request.headers.get("if-none-match") === '"v1"'
        ? new Response(null, { status: 304, headers: { etag: '"v1"' } })
        : page("Log in", form, { etag: '"v1"', "cache-control": "no-cache" });
    case "/fresh-for-minutes":
      return page("Log in", `${form}<img src="/logo.svg" alt="">`, { "cache-control": "public, max-age=600" });
    case "/logo.svg":
      return new Response('<svg xmlns="http://www.w3.org/2000/svg"/>', {
        headers: { "content-type": "image/svg+xml", "cache-control": "public, max-age=600" },
      });
    default:
      return page("Log in", form);
  }
}

const authorizeQuery = "client_id=app&response_type=code&state=s1";

async function answerOfApp(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  if (pathname === "/with-frame") {
    const frame = `<iframe hidden src="${gate.url}/connect/checksession" onload="document.title = 'loaded'"></iframe>`;
    return page("Notes", frame);
  }
  if (pathname === "/with-login") {
    return page("Notes", `<iframe name="login" src="${gate.url}/authorize?${authorizeQuery}"></iframe>`);
  }
  if (pathname === "/with-prefetch") {
    const address = `${gate.url}/authorize?${authorizeQuery}`;
    const rules = JSON.stringify({ prefetch: [{ urls: [address], eagerness: "immediate" }] });
    return page("Notes", `<script type="speculationrules">${rules}</script><a href="${address}">Log in</a>`);
  }
  return page("Logged in", "");
}

beforeAll(async () => {
  [gate, chromium] = await Promise.all([
    startProviderGate({ provider: "oidc", inject: "attributes" }),
    launchChromium(...siteArguments),
  ]);
  hops = createHopLog(gate.stampKey, gate.url);
  origin = await listen(
    gate.providerPort,
    toNodeHandler(async (request) => {
      headersSeen.push(request.headers);
      await hops.add(request.method, new URL(request.url).pathname, request.headers);
      return answer(request);
    }),
  );
  app = await startSite(hosts.app, answerOfApp);
});
afterAll(async () => {
  await chromium.close();
  await Promise.all([app, origin, gate].map((one) => one.close()));
});
beforeEach(() => {
  hops.take();
  headersSeen = [];
});

const isStamped = ({ stamp }: ProviderHop) => stamp.kind === "stamped";
const pathsOf = (taken: readonly ProviderHop[]) => taken.map(({ method, path }) => `${method} ${path}`);
const shownOn = (one: Page) => one.locator("html").getAttribute("data-variation-id");

/** Sends the form on the page, and arrives at the application. */
async function logIn(one: Page): Promise<void> {
  await one.locator("[name=password]").fill("right");
  await one.getByRole("button", { name: "Log in" }).click();
  await one.getByRole("heading", { name: "Logged in" }).waitFor();
}

/** As an hour passes: the session is over, the device is known. */
const endSession = (context: BrowserContext) => context.clearCookies({ name: /vst_ses/ });

describe("behind the provider's service worker", () => {
  it("a visitor who comes back has the same variation, and the login is counted", async () => {
    const context = await chromium.newVisitor();
    const one = await context.newPage();
    await one.goto(`${gate.url}/authorize?${authorizeQuery}&page=/with-worker`);
    await one.waitForFunction(() => navigator.serviceWorker.controller !== null);
    const variation = variationOf(hops.take());
    await endSession(context);

    headersSeen = [];
    await one.goto(`${gate.url}/authorize?${authorizeQuery}`);
    expect(await one.getByRole("button", { name: "Log in" }).count()).toBe(1);
    const [first] = headersSeen;
    expect([first?.get("sec-fetch-dest"), first?.get("sec-fetch-mode")]).toEqual(["empty", "navigate"]);
    const [authorize, login] = hops.take();
    expect([authorize, login].map((hop) => hop && isStamped(hop))).toEqual([true, true]);
    await logIn(one);
    expect(variationOf([authorize, login, ...hops.take()].filter((hop) => hop !== undefined))).toBe(variation);
    truth.unit(variation, "assignments", "exposures", "logins");
    await context.close();
  });
});

// Headless Chromium prefetches by these rules, and shows what it prefetched; prerendering it does not support.
describe("a page that was prefetched", () => {
  it("assigns nobody, and its login never changes midway", async () => {
    const context = await chromium.newVisitor();
    const one = await context.newPage();
    await one.goto(`${app.url}/with-prefetch`);
    await expect
      .poll(() => headersSeen.map((headers) => headers.get("sec-purpose")), { timeout: 5_000 })
      .toEqual(["prefetch", "prefetch"]);
    const prefetched = hops.take();
    expect(prefetched.filter(isStamped)).toEqual([]);
    expect((await context.cookies(gate.url)).map(({ name }) => name).filter((name) => /vst_did/.test(name))).toEqual(
      [],
    );

    await one.getByRole("link", { name: "Log in" }).click();
    await one.waitForURL(`${gate.url}/login`);
    const shown = await shownOn(one);
    await one.locator("[name=password]").fill("wrong");
    await one.getByRole("button", { name: "Log in" }).click();
    await one.getByRole("alert").waitFor();
    expect(await shownOn(one)).toBe(shown);
    await one.getByRole("link", { name: "Forgot your password?" }).click();
    await one.waitForURL(`${gate.url}/forgot`);
    expect(await shownOn(one)).toBe(shown);
    await logIn(one);

    // The browser used what it had prefetched, or asked again: then that answer began the login.
    const taken = hops.take();
    if (pathsOf(taken).includes("GET /login")) {
      truth.unit(variationOf(taken), "assignments", "exposures", "failures", "logins");
    } else expect(taken.filter(isStamped)).toEqual([]);
    await context.close();
  });
});

describe("a hidden frame in which an application polls the provider's session", () => {
  it("is no visit of the login page", async () => {
    const context = await chromium.newVisitor();
    const one = await context.newPage();
    await one.goto(`${gate.url}/authorize?${authorizeQuery}`);
    truth.unit(variationOf(hops.take()), "assignments", "exposures");
    await endSession(context);

    await one.goto(`${app.url}/with-frame`);
    await one.waitForFunction(() => document.title === "loaded");
    const taken = hops.take();
    expect(pathsOf(taken)).toEqual(["GET /connect/checksession"]);
    expect(taken.filter(isStamped)).toEqual([]);
    await context.close();

    // Not even of a device that was never seen.
    const other = await chromium.newVisitor();
    const another = await other.newPage();
    await another.goto(`${app.url}/with-frame`);
    await another.waitForFunction(() => document.title === "loaded");
    expect(hops.take().filter(isStamped)).toEqual([]);
    expect((await other.cookies(gate.url)).filter(({ name }) => /vst_/.test(name))).toEqual([]);
    await other.close();
  });
});

describe("a login that an application embeds in a frame", () => {
  it("works, and takes no part", async () => {
    const context = await chromium.newVisitor();
    const one = await context.newPage();
    await one.goto(`${app.url}/with-login`);
    const frame = one.frameLocator("[name=login]");
    await frame.locator("[name=password]").fill("right");
    await frame.getByRole("button", { name: "Log in" }).click();
    await frame.getByRole("heading", { name: "Logged in" }).waitFor();
    expect(hops.take().filter(isStamped)).toEqual([]);
    await context.close();
  });
});

describe("a copy that the browser kept", () => {
  const force = (variation: string) => `experiment_id=${sample.experiment}&variation_id=${variation}`;

  it("from before the experiment does not hide the variation, however it is validated", async () => {
    const setStatus = (status: string) =>
      gate.management.send("POST", `/experiments/${sample.experiment}/status`, { status });
    const untilStamped = (expected: boolean) =>
      expect
        .poll(
          async () => {
            const fresh = await chromium.newVisitor();
            const seen = await fresh.newPage();
            await seen.goto(`${gate.url}/login`);
            const [hop] = hops.take();
            await fresh.close();
            if (hop && isStamped(hop)) truth.unit(variationOf([hop]), "assignments", "exposures");
            return hop && isStamped(hop);
          },
          { timeout: 5_000, interval: 100 },
        )
        .toBe(expected);
    await setStatus("paused");
    await untilStamped(false);
    const context = await chromium.newVisitor();
    const one = await context.newPage();
    await one.goto(`${gate.url}/validated`);
    expect(await shownOn(one)).toBeNull();
    await setStatus("active");
    await untilStamped(true);
    // Nothing of ours is left from the first visit; the copy is.
    await context.clearCookies();

    hops.take();
    await one.goto(`${gate.url}/validated`);
    const variation = variationOf(hops.take());
    expect(await shownOn(one)).toBe(variation);
    truth.unit(variation, "assignments", "exposures");
    await context.close();
  });

  it("of a page that may be kept for minutes does not outlast the decision; its images do", async () => {
    const context = await chromium.newVisitor();
    const one = await context.newPage();
    for (const variation of [sample.control, sample.treatment]) {
      await one.goto(`${gate.url}/authorize?${authorizeQuery}&page=/fresh-for-minutes&${force(variation)}`);
      expect(await shownOn(one)).toBe(variation);
      await logIn(one);
    }
    const paths = pathsOf(hops.take());
    expect(paths.filter((path) => path === "GET /fresh-for-minutes")).toHaveLength(2);
    expect(paths.filter((path) => path === "GET /logo.svg")).toHaveLength(1);
    await context.close();
  });
});

describe("the report", () => {
  it("says what was done", () => truth.expectReported(gate.management));
});
