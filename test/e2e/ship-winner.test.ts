/** From an experiment to its winner for everybody: completed, rolled out, and on the page of the next visitor in Chromium. */
import type { BrowserContext } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Management } from "../../scripts/management.ts";
import { type Chromium, launchChromium } from "./chromium.ts";
import { manage } from "./managed.ts";
import { type Stack, sample, startStack } from "./stack.ts";

let stack: Stack;
let chromium: Chromium;
let management: Management;
beforeAll(async () => {
  [stack, chromium] = await Promise.all([startStack(), launchChromium()]);
  management = manage({ url: stack.gate.issuer });
});
afterAll(async () => {
  await chromium.close();
  await stack.close();
});

const flag = "/feature-flags/flg_LoginPage";
const setRollout = (rollout: object | null) => management.send("PATCH", flag, { rollout });
const winnerForAll = { all_users: { percentage: 100, weights: { welcoming: 1 } } };

interface SeenPage {
  headline: string | null;
  /** Of the flag on the provider's page, as it was stamped. */
  stamps: string[];
  hasDeviceCookie: boolean;
}

/** The login page, as this browser sees it now, without logging in. */
async function seePage(context: BrowserContext): Promise<SeenPage> {
  await stack.takeStamps();
  const page = await context.newPage();
  await page.goto(`${stack.gate.app}/login`);
  await page.waitForURL(/\/interaction\//);
  const headline = await page.getByRole("heading", { level: 1 }).textContent();
  await page.close();
  const records = await stack.takeStamps();
  const stamps = records.flatMap(({ stamp }) =>
    stamp.kind === "stamped"
      ? stamp.experiments.map(({ experiment_id, variation_id, method }) => `${experiment_id} ${variation_id} ${method}`)
      : [stamp.kind],
  );
  const cookies = await context.cookies(stack.gate.issuer);
  return { headline, stamps: [...new Set(stamps)], hasDeviceCookie: cookies.some(({ name }) => name === "vst_did") };
}

/** Browsers whom the sample's experiment was stamped for. */
let browsersAssigned = 0;

async function seeInFreshBrowser(): Promise<SeenPage> {
  const context = await chromium.newVisitor();
  const seen = await seePage(context);
  if (seen.stamps.join().includes(sample.experiment)) browsersAssigned++;
  await context.close();
  return seen;
}

const winner: SeenPage = {
  headline: "Welcome back",
  stamps: [`- ${sample.treatment} rollout`],
  hasDeviceCookie: false,
};
const untouched: SeenPage = { headline: "Sign in", stamps: [], hasDeviceCookie: false };

/** A commit reaches the gate within a moment. */
const untilSeen = (expected: SeenPage) =>
  expect.poll(seeInFreshBrowser, { timeout: 5_000, interval: 100 }).toEqual(expected);

async function startExperiment(): Promise<string> {
  const { id } = await management.send("POST", "/experiments", {
    name: `Again ${Date.now()}`,
    feature_flag_id: "flg_LoginPage",
    authentication_flow: "authentication",
    allocation_strategy: "percentage",
    assignment_config: { subject: "device" },
    allocations: [
      { variation_id: sample.control, weight: 50, is_control: true },
      { variation_id: sample.treatment, weight: 50, is_control: false },
    ],
  });
  await management.send("POST", `/experiments/${id}/status`, { status: "active" });
  await expect
    .poll(async () => (await seeInFreshBrowser()).stamps.join(), { timeout: 5_000, interval: 100 })
    .toContain(id);
  return id;
}

describe("shipping the winner of an experiment", () => {
  it("leaves it on the page without a gap where the rollout is there when the experiment completes", async () => {
    const returning = await chromium.newVisitor();
    const before = await seePage(returning);
    expect(before.stamps.join()).toContain(sample.experiment);
    expect(before.hasDeviceCookie).toBe(true);
    browsersAssigned++;

    await setRollout(winnerForAll);
    // The experiment goes on as if there were no rollout.
    expect((await seePage(returning)).stamps.join()).not.toContain("rollout");
    const during = await seeInFreshBrowser();
    expect(during.stamps.join()).toContain(`${sample.experiment} var_`);

    await management.send("POST", `/experiments/${sample.experiment}/status`, { status: "completed" });
    const headlines = new Set<string>();
    await expect
      .poll(
        async () => {
          const seen = await seeInFreshBrowser();
          headlines.add(`${seen.headline} ${seen.stamps.length}`);
          return seen;
        },
        { timeout: 5_000, interval: 50 },
      )
      .toEqual(winner);
    // Never the plain page, which would be neither the experiment's nor the winner's.
    expect(headlines).not.toContain("Sign in 0");
    expect(await seePage(returning)).toEqual({ ...winner, hasDeviceCookie: true });
    await returning.close();
  });

  it("puts it on the page where the rollout follows", async () => {
    await setRollout(null);
    await untilSeen(untouched);
    const experiment = await startExperiment();
    await management.send("POST", `/experiments/${experiment}/status`, { status: "completed" });
    await untilSeen(untouched);
    await setRollout(winnerForAll);
    await untilSeen(winner);
  });

  it("counts nobody whom a rollout served", async () => {
    await expect
      .poll(
        async () => {
          const { variations } = await management.send("GET", `/experiments/${sample.experiment}/report`);
          return variations.reduce((sum: number, one: { assignments: number }) => sum + one.assignments, 0);
        },
        { timeout: 5_000, interval: 250 },
      )
      .toBe(browsersAssigned);
  });
});
