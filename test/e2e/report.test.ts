import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createVisitor, type Visitor } from "../../scripts/browserless/visitor.ts";
import { demoPassword } from "../../scripts/demo/accounts.ts";
import type { Management } from "../../scripts/management.ts";
import type { ExperimentReport } from "../../src/diagnosis/report.ts";
import type { LogEntry } from "../../src/model/log-entry.ts";
import { type Chromium, launchChromium } from "./chromium.ts";
import { manage } from "./managed.ts";
import { type Stack, sample, startStack, variationOn, visitLogin } from "./stack.ts";

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

type Done = "assignments" | "exposures" | "logins" | "signups" | "failures" | "pass_throughs";
type Counts = Record<Done, number>;

/** What has truly happened: counts of units by variation, and what became of each log-in. */
function createTruth() {
  const none = (): Counts => ({
    assignments: 0,
    exposures: 0,
    logins: 0,
    signups: 0,
    failures: 0,
    pass_throughs: 0,
  });
  const counts: Record<string, Counts> = { [sample.control]: none(), [sample.treatment]: none() };
  const log: string[] = [];
  return {
    counts,
    log,
    /** One unit that got this far. */
    unit(variation: string, ...done: Exclude<Done, "assignments" | "exposures">[]) {
      const own = counts[variation];
      if (own === undefined) throw new Error(`no variation ${variation}`);
      for (const each of ["assignments", "exposures", ...done] as const) own[each]++;
    },
    ended(type: LogEntry["type"], by: string) {
      log.push(`${type} ${by}`);
    },
  };
}

/** An entry as the truth tells it. */
const told = ({ type, details }: LogEntry) => {
  const { experiment, failed_open: failedOpen, pass_through: isPassThrough } = details;
  if (experiment === undefined) return `${type} ${failedOpen === undefined ? "unassigned" : "failed open"}`;
  return `${type} ${experiment.method === "forced" ? "forced " : ""}${isPassThrough ? "passed through " : ""}${experiment.variation_id}`;
};

const readReport = (): Promise<ExperimentReport> => management.send("GET", `/experiments/${sample.experiment}/report`);

async function readLog(): Promise<LogEntry[]> {
  const entries: LogEntry[] = await management.send("GET", "/logs?per_page=100");
  return entries.filter(({ type }) => type !== "w");
}

const emailOf = (name: string) => ({ email: `${name}@example.com`, password: demoPassword });

async function signIn(visitor: Visitor, name: string): Promise<void> {
  await visitor.submit(emailOf(name));
  expect(visitor.page.body).toContain('data-page="signed-in"');
}

describe("report and log", () => {
  it("show exactly the log-ins there were, by browser and by HTTP, and leave out of the statistics what belongs in none", async () => {
    const truth = createTruth();
    const variationOf = (visitor: Visitor) => variationOn(visitor.page).variation ?? "";

    for (const name of ["ada", "ben", "cleo"]) {
      const context = await chromium.newVisitor();
      const page = await context.newPage();
      await page.goto(`${stack.gate.app}/login`);
      const variation = (await page.locator("html").getAttribute("data-variation-id")) ?? "";
      await page.getByLabel("E-mail address").fill(`${name}@example.com`);
      await page.getByLabel("Password").fill(demoPassword);
      await page.getByRole("button").first().click();
      await page.waitForSelector('[data-page="signed-in"]');
      await context.close();
      truth.unit(variation, "logins");
      truth.ended("s", variation);
    }
    for (const name of ["dan", "eve", "fay", "gus", "hal"]) {
      const visitor = await visitLogin(stack.gate);
      const variation = variationOf(visitor);
      await signIn(visitor, name);
      truth.unit(variation, "logins");
      truth.ended("s", variation);
    }
    const newcomer = await visitLogin(stack.gate, "prompt=create");
    truth.unit(variationOf(newcomer), "signups");
    truth.ended("ss", variationOf(newcomer));
    await newcomer.submit({ email: "ida@example.com", password: "long enough" });

    const mistyping = await visitLogin(stack.gate);
    truth.unit(variationOf(mistyping), "failures", "logins");
    for (const type of ["f", "s"] as const) truth.ended(type, variationOf(mistyping));
    await mistyping.submit({ ...emailOf("jan"), password: "mistyped" });
    await signIn(mistyping, "jan");

    const leaving = await visitLogin(stack.gate);
    truth.unit(variationOf(leaving));

    // Comes again: the same unit, and one log-in more.
    const returning = await visitLogin(stack.gate);
    const kept = variationOf(returning);
    truth.unit(kept, "logins", "pass_throughs");
    await signIn(returning, "kim");
    await returning.get(`${stack.gate.app}/login?prompt=login`);
    expect(variationOf(returning)).toBe(kept);
    await signIn(returning, "kim");
    for (const _ of [1, 2]) truth.ended("s", kept);
    // The provider still has its session, so that no page is shown.
    await returning.get(`${stack.gate.app}/login`);
    expect(returning.page.body).toContain('data-page="signed-in"');
    truth.ended("s", `passed through ${kept}`);

    const forced = await visitLogin(stack.gate, `experiment_id=${sample.experiment}&variation_id=${sample.treatment}`);
    await signIn(forced, "lee");
    truth.ended("s", `forced ${sample.treatment}`);

    const failedOpen = createVisitor();
    failedOpen.cookies.set(stack.gate.issuer, "vst_ses", "open");
    await failedOpen.get(`${stack.gate.app}/login`);
    // The application begins with an authorize request: without the cookie's mark it would be a log-in like any other.
    expect(variationOn(failedOpen.page).variation).toBeUndefined();
    await signIn(failedOpen, "max");
    truth.ended("s", "failed open");

    await expect
      .poll(async () => (await readLog()).map(told).sort(), { timeout: 15_000, interval: 250 })
      .toEqual(truth.log.sort());
    const reported = async () => {
      const { variations } = await readReport();
      return Object.fromEntries(
        variations.map(({ variation_id, assignments, exposures, logins, signups, failures, pass_throughs }) => [
          variation_id,
          { assignments, exposures, logins, signups, failures, pass_throughs },
        ]),
      );
    };
    await expect.poll(reported, { timeout: 15_000, interval: 250 }).toEqual(truth.counts);
    const { jumping, excluded } = await readReport();
    expect(jumping.jumped).toBe(0);
    expect(excluded).toEqual({ forced: 0, included: 0, sticky: 0, unassigned: 0 });
  });
});
