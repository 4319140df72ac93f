import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";
import type { BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { demoPassword } from "../../scripts/demo/accounts.ts";
import { root } from "../../scripts/paths.ts";
import type { EvaluationContext, Flag, Variant } from "../../src/engine/flag.ts";
import { type Chromium, launchChromium } from "./chromium.ts";
import { type Stack, sample, startStack } from "./stack.ts";

/** Git-ignored: for people to look at. */
const shots = join(root, "test-results", "browser");
const forceQuery = (variation: string) => `experiment_id=${sample.experiment}&variation_id=${variation}`;
const variations = [
  ["control", sample.control],
  ["treatment", sample.treatment],
] as const;

interface EvaluationTable {
  evaluations: { flags: Flag[]; context: EvaluationContext; flagKeys?: string[]; expected: Record<string, Variant> }[];
}

let stack: Stack;
let chromium: Chromium;
beforeAll(async () => {
  [stack, chromium] = await Promise.all([startStack(), launchChromium(), mkdir(shots, { recursive: true })]);
});
afterAll(async () => {
  await chromium.close();
  await stack.close();
});

interface Visit {
  context: BrowserContext;
  page: Page;
  /** What no visitor should cause: console errors, exceptions, requests to the provider's own address. */
  faults: string[];
}

/** `expected`: console errors that the browser itself writes, of an answer that is meant to be an error. */
async function newVisit(options: BrowserContextOptions = {}, expected: RegExp = /^$/): Promise<Visit> {
  const context = await chromium.newVisitor(options);
  const page = await context.newPage();
  const faults: string[] = [];
  const providerHost = new URL(stack.providerUrl).host;
  page.on("console", (line) => {
    if (["error", "warning"].includes(line.type()) && !expected.test(line.text())) faults.push(line.text());
  });
  page.on("pageerror", (error) => faults.push(String(error)));
  context.on("request", (request) => {
    if (new URL(request.url()).host === providerHost) faults.push(`asked ${request.url()}`);
  });
  return { context, page, faults };
}

/** From the application to the provider's log-in page. */
async function goToLogin(page: Page, query = ""): Promise<string> {
  if (query) await page.goto(`${stack.gate.app}/login?${query}`);
  else {
    await page.goto(stack.gate.app);
    await page.getByRole("link", { name: "Sign in" }).click();
  }
  await page.waitForURL(/\/interaction\//);
  return variationOf(page);
}

async function variationOf(page: Page): Promise<string> {
  const html = page.locator("html");
  expect(await html.getAttribute("data-experiment-id")).toBe(sample.experiment);
  return (await html.getAttribute("data-variation-id")) ?? "";
}

async function fillIn(page: Page, password: string): Promise<void> {
  await page.getByLabel("E-mail address").fill("someone@example.com");
  await page.getByLabel("Password").fill(password);
  await page.locator("form.fields button").click();
}

/** What the variation promises is on the page. */
async function expectLook(page: Page, variation: string): Promise<void> {
  const isTreated = variation === sample.treatment;
  expect(await page.getByRole("heading", { level: 1 }).textContent()).toBe(isTreated ? "Welcome back" : "Sign in");
  expect(await page.locator("form.fields button").textContent()).toBe(isTreated ? "Continue" : "Sign in");
  expect(await page.locator(".proof").count()).toBe(isTreated ? 1 : 0);
  expect(await page.locator(".panel").isVisible()).toBe(isTreated);
  const { width = 0 } = (await page.locator("main").boundingBox()) ?? {};
  if (isTreated) expect(width).toBeGreaterThan(800);
  else expect(width).toBeLessThan(500);
}

describe("a browser that signs in through the gate", () => {
  it("meets control and treatment by the hash alone, and each is on the page", async () => {
    const seen = new Set<string>();
    // Forty times the same side of a fair coin: once in 10^11 runs.
    for (let tries = 0; seen.size < 2 && tries < 40; tries++) {
      const { context, page, faults } = await newVisit();
      const variation = await goToLogin(page);
      if (!seen.has(variation)) {
        seen.add(variation);
        await expectLook(page, variation);
        await fillIn(page, demoPassword);
        await page.getByRole("heading", { name: "You are signed in" }).waitFor();
        expect(await page.getByText("someone@example.com").first().isVisible()).toBe(true);
      }
      expect(faults).toEqual([]);
      await context.close();
    }
    expect([...seen].sort()).toEqual([sample.control, sample.treatment].sort());
  });

  it.each(variations)("sees %s when it is forced, to the end", async (_, variation) => {
    const { context, page, faults } = await newVisit();
    expect(await goToLogin(page, forceQuery(variation))).toBe(variation);
    await expectLook(page, variation);
    await fillIn(page, demoPassword);
    await page.getByRole("heading", { name: "You are signed in" }).waitFor();
    expect(faults).toEqual([]);
    await context.close();
  });

  it.each(variations)("keeps %s over a wrong password, a reload, sign-up, and the way back", async (_, variation) => {
    const { context, page, faults } = await newVisit({}, /status of 400/);
    expect(await goToLogin(page, forceQuery(variation))).toBe(variation);
    const login = page.url();
    await fillIn(page, "wrong");
    await page.getByRole("alert").waitFor();
    await expectLook(page, variation);
    await page.getByRole("link", { name: "Create an account" }).click();
    await page.waitForURL(/\/signup$/);
    expect(await variationOf(page)).toBe(variation);
    await page.getByRole("link", { name: "Sign in" }).click();
    await page.waitForURL(/page=signin$/);
    await expectLook(page, variation);
    await page.goBack();
    await page.waitForURL(/\/signup$/);
    expect(await variationOf(page)).toBe(variation);
    await page.goto(login);
    await page.reload();
    await expectLook(page, variation);
    expect(await variationOf(page)).toBe(variation);
    await fillIn(page, demoPassword);
    await page.getByRole("heading", { name: "You are signed in" }).waitFor();
    expect(faults).toEqual([]);
    await context.close();
  });

  it("keeps what the hash gave it when it comes back to sign in again", async () => {
    const { context, page, faults } = await newVisit();
    const variation = await goToLogin(page);
    await fillIn(page, demoPassword);
    await page.getByRole("link", { name: "Sign in again" }).click();
    await page.waitForURL(/\/interaction\//);
    expect(await variationOf(page)).toBe(variation);
    expect(faults).toEqual([]);
    await context.close();
  });
});

describe("what people see", () => {
  const desktop = { width: 1280, height: 860 };
  const phone = { width: 390, height: 844 };
  const looks = (["light", "dark"] as const).flatMap((colorScheme) =>
    [desktop, phone].map((viewport) => ({ colorScheme, viewport })),
  );

  it.each(looks)("fits in $viewport.width px, $colorScheme", async ({ colorScheme, viewport }) => {
    const { context, page } = await newVisit({ colorScheme, viewport });
    const shoot = async (name: string) => {
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      expect(overflow, `${name} is wider than the window`).toBeLessThanOrEqual(0);
      await page.screenshot({ path: join(shots, `${name}-${viewport.width}-${colorScheme}.png`), fullPage: true });
    };
    await page.goto(stack.gate.app);
    await shoot("start");
    for (const [name, variation] of variations) {
      await goToLogin(page, forceQuery(variation));
      await shoot(name);
    }
    await page.getByText("What Vestibule stamped").click();
    await shoot("treatment-stamp");
    await fillIn(page, "wrong");
    await page.getByRole("alert").waitFor();
    await shoot("treatment-refused");
    await page.getByRole("link", { name: "Create an account" }).click();
    await shoot("sign-up");
    await page.goto(
      `${stack.gate.app}/login?prompt=create&experiment_id=${sample.draft}&variation_id=${sample.stepwise}`,
    );
    for (const step of [1, 2, 3]) {
      await page.getByText(`Step ${step} of 3`).waitFor();
      if (step === 2) await page.getByLabel("E-mail address").fill("stepwise@example.com");
      await shoot(`sign-up-step-${step}`);
      if (step < 3) await page.getByRole("button", { name: "Continue" }).click();
    }
    await page.goto(`${stack.gate.issuer}/demo/stamps`);
    await shoot("stamps");
    await goToLogin(page, forceQuery(sample.treatment));
    await fillIn(page, demoPassword);
    await page.getByRole("heading", { name: "You are signed in" }).waitFor();
    await shoot("signed-in");
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "Sign out?" }).waitFor();
    await shoot("sign-out");
    await context.close();
  });
});

describe("the evaluation engine in a browser", () => {
  it("gives what the table of cases says", async () => {
    const { outputFiles } = await build({
      entryPoints: [join(root, "src/engine/compile.ts")],
      bundle: true,
      write: false,
      format: "iife",
      globalName: "engine",
      logLevel: "error",
    });
    const table = await readFile(join(root, "test/fixtures/evaluation-cases.json"), "utf8");
    const { context, page, faults } = await newVisit();
    await page.addScriptTag({ content: outputFiles[0]?.text ?? "" });
    // As text each way, which keeps lone surrogates and a key like `__proto__` as they are.
    const results = await page.evaluate((text) => {
      const { compileFlags } = (globalThis as unknown as { engine: typeof import("../../src/engine/compile.ts") })
        .engine;
      const { evaluations } = JSON.parse(text) as EvaluationTable;
      return JSON.stringify(
        evaluations.map(({ flags, context, flagKeys }) => compileFlags(flags).evaluate(context, flagKeys)),
      );
    }, table);
    const { evaluations } = JSON.parse(table) as EvaluationTable;
    expect(evaluations.length).toBeGreaterThan(50);
    expect(JSON.parse(results)).toEqual(evaluations.map(({ expected }) => expected));
    expect(faults).toEqual([]);
    await context.close();
  });
});
