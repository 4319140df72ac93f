/** The dashboard in a browser: a newcomer's whole way, every page as all people need it, keyboard alone, no script at all. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { gzipSync } from "node:zlib";
import type { BrowserContext, BrowserContextOptions, CDPSession, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { signIn as enter, visitEach } from "../../scripts/dashboard-pages.ts";
import { demoPassword } from "../../scripts/demo/accounts.ts";
import { showExperiment } from "../dashboard/experiment-page.ts";
import { type Chromium, launchChromium } from "./chromium.ts";
import { adminVars, manage } from "./managed.ts";
import { type Stack, startStack } from "./stack.ts";

let stack: Stack;
let chromium: Chromium;
let axe: string;
beforeAll(async () => {
  [stack, chromium, axe] = await Promise.all([
    startStack({ configuration: {} }),
    launchChromium(),
    readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8"),
  ]);
});
afterAll(async () => {
  await chromium.close();
  await stack.close();
});

interface Visit {
  context: BrowserContext;
  page: Page;
  /** What no page should cause: console errors (among them breaches of the policy), exceptions. */
  faults: string[];
}

const at = (path: string) => `${stack.gate.issuer}/_vestibule${path}`;

async function open(options: BrowserContextOptions = {}): Promise<Visit> {
  const context = await chromium.newVisitor(options);
  const page = await context.newPage();
  const faults: string[] = [];
  page.on("console", (line) => {
    const isOwn = /status of 4\d\d/.test(line.text());
    if (["error", "warning"].includes(line.type()) && !isOwn) faults.push(`${page.url()}: ${line.text()}`);
  });
  page.on("pageerror", (error) => faults.push(String(error)));
  return { context, page, faults };
}

const signIn = (page: Page) => enter(page, { url: stack.gate.issuer, token: adminVars.ADMIN_TOKEN });

const press = (page: Page, name: string) => page.getByRole("button", { name, exact: true }).click();
const follow = (page: Page, name: string | RegExp) => page.getByRole("link", { name }).first().click();
const heading = (page: Page, name: string) => page.getByRole("heading", { name, level: 1 }).waitFor();

it("leads a newcomer from nothing to a running experiment, a forced variation, a log-in, and a pause", async () => {
  const { page, context, faults } = await open();
  await signIn(page);

  await follow(page, "Make a feature flag");
  await page.getByLabel("Name", { exact: true }).first().fill("Login page");
  const parameter = page.getByRole("group", { name: "Parameter 1" });
  await parameter.getByLabel("Name").fill("headline");
  await parameter.getByLabel("Value").fill("Sign in");
  await press(page, "Make the feature flag");
  await heading(page, "Login page");

  await follow(page, "make the first");
  await page.getByLabel("Name", { exact: true }).fill("Control");
  await press(page, "Make the variation");
  await follow(page, "make another");
  await page.getByLabel("Name", { exact: true }).fill("Welcoming");
  await page.getByLabel("headline").fill("Welcome back");
  await press(page, "Make the variation");
  await follow(page, "activate it");
  await press(page, "Activate it");

  await follow(page, "make an experiment on it");
  await page.getByLabel("Name", { exact: true }).fill("Warmer log-in page");
  await page.getByLabel("Welcoming", { exact: true }).fill("40");
  await press(page, "Make the experiment");
  await heading(page, "Warmer log-in page");
  expect(await page.locator("main").textContent()).toContain("must total 100, not 90");
  await follow(page, /Edit the allocations/);
  await page.getByLabel("Welcoming", { exact: true }).fill("50");
  await press(page, "Save");
  await follow(page, "Activate");
  expect(await page.locator("main").textContent()).toContain(
    "Of 10,000 devices, about 5,000 get Control, 5,000 get Welcoming",
  );
  await press(page, "Activate it");
  await page.getByText("Its status was changed.").waitFor();
  await follow(page, "Overview");
  await follow(page, "Warmer log-in page");
  const experiment = page.url();

  await follow(page, "Try it out");
  await follow(page, "Warmer log-in page");
  await page.getByRole("main").getByRole("link", { name: "Try it out" }).click();
  await page.getByRole("textbox", { name: "Page" }).fill(`${stack.gate.app}/login`);
  await press(page, "Make the links");
  const forced =
    (await page.locator("article", { hasText: "Welcoming" }).getByRole("link").first().getAttribute("href")) ?? "";
  const visitor = await open();
  await vi.waitFor(async () => {
    await visitor.page.goto(forced);
    expect(await visitor.page.getByRole("heading", { level: 1 }).textContent()).toBe("Welcome back");
  });
  await visitor.context.close();

  // Forced visits work before the activation has reached the gate; a device is told apart only from then on.
  const somebody = await vi.waitFor(async () => {
    const opened = await open();
    await opened.page.goto(`${stack.gate.app}/login`);
    const names = (await opened.context.cookies()).map(({ name }) => name);
    if (names.some((name) => name.endsWith("vst_did"))) return opened;
    await opened.context.close();
    throw new Error("not assigned yet");
  }, 15_000);
  await somebody.page.getByLabel("E-mail address").fill("someone@example.com");
  await somebody.page.getByLabel("Password").fill(demoPassword);
  await somebody.page.locator("form.fields button").click();
  await somebody.page.getByRole("heading", { name: "You are signed in" }).waitFor();
  await somebody.context.close();
  await page.goto(at("/log"));
  // Without a reload: the page asks again by itself.
  await page
    .getByRole("cell", { name: /Warmer log-in page/ })
    .first()
    .waitFor();
  await page.goto(experiment);
  const counted = page.getByRole("figure", { name: "By variation" }).getByRole("row");
  await vi.waitFor(
    async () => {
      await page.reload();
      const cells = await counted.locator("td").allTextContents();
      const [, assigned, exposed, logins] = [0, 1, 2, 3].map(
        (column) => Number(cells[column]) + Number(cells[column + 7]),
      );
      expect([assigned, exposed, logins]).toEqual([1, 1, 1]);
    },
    { timeout: 15_000, interval: 250 },
  );
  await page.getByRole("heading", { name: "Diagnosis" }).waitFor();

  await follow(page, "Pause");
  await page.getByText("nobody new takes part").waitFor();
  await press(page, "Pause it");
  await page.getByText("Its status was changed.").waitFor();
  await page.goto(at("/changes"));
  await page.getByText("update_experiment_status").first().waitFor();
  expect(faults).toEqual([]);
  await context.close();
});

/** Things of each kind, so that every page has something to show; their names are as long as names may be. */
async function furnish(): Promise<void> {
  const { send } = manage({ url: stack.gate.issuer });
  const long = (name: string) => `${name} ${"o".repeat(100)} and on, `.repeat(2).slice(0, 250).trim();
  const parameter = "p".repeat(60);
  const { id: flag } = await send("POST", "/feature-flags", {
    name: long("Flag"),
    parameters: { [parameter]: { type: "string", value: "v".repeat(300), description: "What it is for." } },
  });
  const variations = await Promise.all(
    ["Control", "Other"].map((name) =>
      send("POST", `/feature-flags/${flag}/variations`, { name: long(name), overrides: {} }),
    ),
  );
  await send("POST", "/experiments", {
    name: long("Experiment"),
    feature_flag_id: flag,
    authentication_flow: "authentication",
    allocation_strategy: "percentage",
    assignment_config: { subject: "device" },
    allocations: variations.map(({ id }, place) => ({ variation_id: id, weight: 50, is_control: place === 0 })),
  });
  await send("POST", "/segments", {
    name: long("Phones"),
    rules: [{ match: { device_type: ["mobile"] }, not_match: { country: ["DE"] } }],
  });
  await send("POST", "/cohorts", { name: long("Beta testers"), id_type: "user", source: { type: "push" } });
  await send("POST", "/groups", {
    name: long("Held out"),
    type: "holdout",
    percentage: 1,
    feature_flag_ids: [flag],
  });
  await send("POST", "/deployments", { name: long("App"), type: "client" });
  await send("POST", "/tokens", { name: long("Reader"), scopes: ["read:experimentation"] });
}

interface Shift {
  shift: number;
}

function observeShifts(): void {
  const all = window as unknown as Shift;
  all.shift = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) all.shift += (entry as unknown as { value: number }).value;
  }).observe({ type: "layout-shift", buffered: true });
}

const rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** Which rules are broken, and where. */
async function violations(session: CDPSession, options: object): Promise<unknown[]> {
  const told =
    "({ violations }) => JSON.stringify(violations.map(({ id, nodes }) => [id, nodes.slice(0, 3).map(({ html }) => html.slice(0, 160))]))";
  const expression = `axe.run(document, ${JSON.stringify(options)}).then(${told})`;
  const { result } = await session.send("Runtime.evaluate", { expression, awaitPromise: true });
  return JSON.parse(result.value);
}

it("is fit for everyone on every page: rules of accessibility, contrast, narrow windows, no shift, few bytes", async () => {
  await furnish();
  const { page, context, faults } = await open({ viewport: { width: 1280, height: 900 }, reducedMotion: "reduce" });
  await page.addInitScript(observeShifts);
  // The policy forbids what is not ours: the rules are put there by the debugger.
  const session = await context.newCDPSession(page);
  await signIn(page);
  const shared = await Promise.all(
    ["style.css", "page.js"].map(
      async (name) => gzipSync(await (await page.request.get(at(`/assets/${name}`))).body()).length,
    ),
  );
  const count = await visitEach(page, stack.gate.issuer, async (kind, answer) => {
    expect([kind, answer?.status()]).toEqual([kind, 200]);
    const bytes = gzipSync((await answer?.body()) ?? "").length + shared.reduce((sum, size) => sum + size, 0);
    expect(bytes, `${kind} over the wire`).toBeLessThan(50 * 1024);
    await session.send("Runtime.evaluate", { expression: axe });
    expect([kind, await violations(session, { runOnly: rules })]).toEqual([kind, []]);
    await page.emulateMedia({ colorScheme: "dark" });
    expect([
      kind,
      "dark",
      await violations(session, { runOnly: { type: "rule", values: ["color-contrast"] } }),
    ]).toEqual([kind, "dark", []]);
    await page.emulateMedia({ colorScheme: "light" });
    expect([kind, await page.evaluate(() => (window as unknown as Shift).shift)]).toEqual([kind, 0]);
    await page.setViewportSize({ width: 360, height: 780 });
    await page.evaluate(() => {
      for (const details of document.querySelectorAll("details")) details.open = true;
    });
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    expect([kind, Math.max(0, overflow)]).toEqual([kind, 0]);
    await page.setViewportSize({ width: 1280, height: 900 });
  });
  expect(count).toBeGreaterThan(45);
  expect(faults).toEqual([]);
  await context.close();
});

it("draws the course of an experiment, by the policy and without shift", async () => {
  const { page, context, faults } = await open({ viewport: { width: 1280, height: 900 }, reducedMotion: "reduce" });
  await page.addInitScript(observeShifts);
  await signIn(page);
  // Of days that nobody waits for: the page as the dashboard makes it, with the Worker's own assets.
  const made = await showExperiment({});
  const body = await made.text();
  const headers = Object.fromEntries(made.headers);
  await page.route("**/_vestibule/experiments/exp_1", (route) => route.fulfill({ status: 200, headers, body }));
  await page.goto(at("/experiments/exp_1"));
  const canvases = page.locator(".plot canvas");
  await canvases.nth(2).waitFor();
  const inked = () =>
    canvases.evaluateAll((all) =>
      all.map((canvas) => {
        const own = canvas as HTMLCanvasElement;
        const blank = Object.assign(document.createElement("canvas"), { width: own.width, height: own.height });
        return own.toDataURL() !== blank.toDataURL();
      }),
    );
  expect(await inked()).toEqual([true, true, true]);
  await page.locator(".plot .u-over").first().hover();
  expect(await page.locator(".readout").first().textContent()).toContain("Control, assigned");
  await page.emulateMedia({ colorScheme: "dark" });
  expect(await inked()).toEqual([true, true, true]);
  expect(await page.evaluate(() => (window as unknown as Shift).shift)).toBe(0);
  await page.setViewportSize({ width: 360, height: 780 });
  await vi.waitFor(async () => {
    expect(await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)).toBeLessThanOrEqual(0);
  });
  const session = await context.newCDPSession(page);
  await session.send("Runtime.evaluate", { expression: axe });
  expect(await violations(session, { runOnly: rules })).toEqual([]);
  expect(faults).toEqual([]);
  await context.close();
});

it("says what is wrong on every form, beside the field, and takes one there", async () => {
  const { page, context, faults } = await open();
  await signIn(page);
  const pages = [
    "flags/new",
    "segments/new",
    "cohorts/new",
    "groups/new",
    "groups/new?type=holdout",
    "deployments/new",
    "tokens/new",
    "log-streams/new",
  ];
  for (const path of pages) {
    await page.goto(at(`/${path}`));
    const button = page.locator("form.edit button.primary");
    await button.click();
    const alert = page.getByRole("alert");
    await alert.waitFor();
    await vi.waitFor(async () =>
      expect([path, await alert.evaluate((node) => node === document.activeElement)]).toEqual([path, true]),
    );
    await alert.getByRole("link").first().click();
    const invalid = page.locator("[aria-invalid=true]").first();
    const described = (await invalid.getAttribute("aria-describedby")) ?? "";
    const words = await page.locator(`[id="${described.split(" ")[0]}"]`).textContent();
    expect([path, words]).toEqual([path, expect.stringMatching(/must|at least|not known/)]);
  }
  expect(faults).toEqual([]);
  await context.close();
});

it("is used with the keyboard alone", async () => {
  const { page, context } = await open();
  const type = (text: string) => page.keyboard.type(text);
  const key = (name: string) => page.keyboard.press(name);
  const focused = () => page.evaluate(() => document.activeElement?.textContent?.trim() ?? "");
  /** Goes on until the control is reached, and sees that it shows. */
  async function reach(isThere: () => Promise<boolean>): Promise<void> {
    for (let steps = 0; steps < 60; steps++) {
      await key("Tab");
      if (!(await isThere())) continue;
      const outline = await page.evaluate(() => getComputedStyle(document.activeElement as Element).outlineStyle);
      expect(outline).not.toBe("none");
      return;
    }
    throw new Error("not to be reached");
  }
  const isOn = (text: string) => async () => (await focused()) === text;
  const isNamed = (name: string) => () =>
    page.evaluate((wanted) => (document.activeElement as HTMLInputElement | null)?.name === wanted, name);

  await page.goto(at("/flags"));
  await reach(isNamed("token"));
  await type(adminVars.ADMIN_TOKEN);
  await key("Enter");
  await page.waitForURL(at("/flags"));
  await key("Tab");
  expect(await focused()).toBe("To the content");
  await key("Enter");
  await reach(isOn("New feature flag"));
  await key("Enter");
  await heading(page, "New feature flag");
  await reach(isNamed("name"));
  await type("By keyboard");
  await reach(isNamed("parameters[0].name"));
  await type("label");
  await reach(isNamed("parameters[0].value"));
  await type("Go");
  await reach(isOn("Make the feature flag"));
  await key("Enter");
  await heading(page, "By keyboard");
  await reach(isOn("Delete"));
  await key("Enter");
  await heading(page, "Delete the feature flag “By keyboard”?");
  await reach(isOn("Delete it"));
  await key("Space");
  await page.getByText("Deleted.").waitFor();
  await context.close();
});

it("works without a script", async () => {
  const { page, context, faults } = await open({ javaScriptEnabled: false, viewport: { width: 390, height: 844 } });
  await signIn(page);
  await press(page, "Menu");
  await follow(page, "Segments");
  await follow(page, "New segment");
  await page.getByLabel("Name", { exact: true }).fill("Swiss phones");
  const condition = (place: number) => page.getByRole("group", { name: `Condition ${place}` });
  await condition(1).getByLabel("Attribute").selectOption("country");
  await condition(1).getByLabel("Values").fill("CH");
  await press(page, "Add condition");
  await condition(2).getByLabel("Attribute").selectOption("device_type");
  await condition(2).getByLabel("Values").fill("mobile");
  await press(page, "Add condition");
  await page.getByRole("button", { name: "Remove Condition 3" }).click();
  expect(await condition(1).getByLabel("Values").inputValue()).toBe("CH");
  await press(page, "Make the segment");
  await page.getByText("device type is any of mobile, and country is any of CH").waitFor();
  await follow(page, "Delete");
  await press(page, "Delete it");
  await page.getByText("Deleted.").waitFor();
  await page.goto(at("/log"));
  expect(await page.locator(".scripted").isVisible()).toBe(false);
  await press(page, "Menu");
  await press(page, "Sign out");
  await heading(page, "Sign in");
  await page.goto(at("/changes"));
  expect(page.url()).toBe(`${at("/sign-in")}?to=${encodeURIComponent("/_vestibule/changes")}`);
  expect(faults).toEqual([]);
  await context.close();
});
