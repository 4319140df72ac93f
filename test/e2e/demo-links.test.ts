/** Every address that `npm start` prints, in Chromium: each does what its line says, whatever was opened before. */
import { randomInt } from "node:crypto";
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { demoPassword } from "../../scripts/demo/accounts.ts";
import { createManagement, type Management } from "../../scripts/management.ts";
import type { SnapshotExperiment } from "../../src/model/snapshot.ts";
import { type Running, run } from "../scripts/started.ts";
import { type Chromium, launchChromium } from "./chromium.ts";
import { sample } from "./stack.ts";

let running: Running;
let chromium: Chromium;
let management: Management;
let experiments: SnapshotExperiment[];
/** Label → address, as printed. */
let links: Map<string, string>;
beforeAll(async () => {
  [running, chromium] = await Promise.all([run(), launchChromium()]);
  management = createManagement({ url: `http://localhost:${running.port}`, token: running.token });
  experiments = (await management.send("GET", "/snapshot")).snapshot.experiments;
  const lines = [...running.output().matchAll(/^ {2}(\S.*?) {2,}(http:\S+)/gm)];
  links = new Map(lines.map(([, label = "", address = ""]) => [label, address]));
});
afterAll(async () => {
  await chromium.close();
  await running.close();
});

const forceLabels = () => [...links.keys()].filter((label) => label.startsWith("Force "));

interface Stamped {
  experiment: string;
  variation: string;
  method: string;
}

/** What the page itself says it was stamped with. */
async function stampedOn(page: Page): Promise<Stamped[]> {
  const tables = await page.locator("footer table").all();
  return Promise.all(
    tables.map(async (table) => {
      const read = (name: string) =>
        table
          .locator("tr")
          .filter({ has: page.locator("th", { hasText: new RegExp(`^${name}$`) }) })
          .locator("td")
          .textContent();
      const [experiment, variation, method] = await Promise.all([
        read("Experiment"),
        read("Variation"),
        read("Method"),
      ]);
      return { experiment: experiment ?? "", variation: variation ?? "", method: method ?? "" };
    }),
  );
}

/** The page of a printed override shows that variation, and no other experiment has a say in its flag. */
async function expectForced(page: Page, label: string): Promise<void> {
  const query = new URL(links.get(label) ?? "").searchParams;
  const experiment = experiments.find(({ id }) => id === query.get("experiment_id"));
  const variation = experiment?.variations.find(({ id }) => id === query.get("variation_id"));
  const { headline, button_label, steps } = variation?.config ?? {};
  expect(label).toContain(`${experiment?.name}`);
  expect(label.endsWith(`: ${variation?.key}`), label).toBe(true);
  expect(await page.getByRole("heading", { level: 1 }).textContent(), label).toBe(headline);
  if (button_label !== undefined) {
    expect(await page.locator("form.fields button").textContent(), label).toBe(button_label);
  }
  expect(await page.getByText(/^Step 1 of/).count(), label).toBe(Number(steps ?? 1) > 1 ? 1 : 0);

  const onFlag = (await stampedOn(page)).filter(
    (one) => experiments.find(({ id }) => id === one.experiment)?.flag_key === experiment?.flag_key,
  );
  expect(onFlag, label).toEqual([{ experiment: experiment?.id, variation: variation?.id, method: "forced" }]);
}

/** By the label, for all that force nothing. */
const checks: Record<string, (page: Page, address: string) => Promise<void>> = {
  async "Sign in"(page) {
    await page.getByRole("link", { name: "Sign in", exact: true }).click();
    await page.waitForURL(/\/interaction\//);
    const [experiment, ...others] = (await stampedOn(page)).filter((one) => one.experiment !== "-");
    expect(others).toEqual([]);
    expect(experiment).toMatchObject({ experiment: sample.experiment, method: expect.stringMatching(/auto|session/) });
    const headline = sample.headlines[experiment?.variation ?? ""];
    expect(await page.getByRole("heading", { level: 1 }).textContent()).toBe(headline);
  },
  async "What was stamped"(page) {
    await page.getByRole("heading", { name: "Stamped requests" }).waitFor();
  },
  async "Apps fetch from"(page) {
    const answer = await page.request.get(`${page.url()}v1/vardata?device_id=d`);
    expect([answer.status(), answer.headers()["content-type"]]).toEqual([401, expect.stringMatching(/^(text|app)/)]);
  },
  async "Beta testers, a cohort"(page) {
    expect(await page.getByRole("heading", { level: 1 }).textContent()).toBe("Beta testers");
  },
  async Dashboard(page) {
    await page.locator("input[type=password]").waitFor();
  },
  async "Management API"(page, address) {
    const answer = await page.request.get(`${address}/experiments`, {
      headers: { authorization: `Bearer ${running.token}` },
    });
    expect(answer.status()).toBe(200);
  },
  async Health(page) {
    expect(JSON.parse((await page.locator("body").textContent()) ?? "")).toMatchObject({ status: "ok" });
  },
};

async function open(context: BrowserContext, label: string): Promise<void> {
  const page = await context.newPage();
  const address = links.get(label) ?? "";
  await page.goto(address);
  if (label.startsWith("Force ")) await expectForced(page, label);
  else await checks[label]?.(page, address);
  await page.close();
}

function shuffled<T>(items: readonly T[]): T[] {
  const all = [...items];
  for (let last = all.length - 1; last > 0; last--) {
    const other = randomInt(last + 1);
    [all[last], all[other]] = [all[other] as T, all[last] as T];
  }
  return all;
}

describe("what npm start prints", () => {
  it("is known to this test, address by address", () => {
    const forced = experiments.flatMap(({ id, variations }) => variations.map((one) => `${id} ${one.id}`));
    expect(forceLabels()).toHaveLength(forced.length);
    expect(forced.length).toBeGreaterThanOrEqual(6);
    expect([...links.keys()].filter((label) => !label.startsWith("Force ")).sort()).toEqual(Object.keys(checks).sort());
  });

  it("does what it says in a fresh browser, and what is forced is counted nowhere", async () => {
    for (const label of forceLabels()) {
      const context = await chromium.newVisitor();
      await open(context, label);
      await context.close();
    }
    const forced = await chromium.newVisitor();
    const page = await forced.newPage();
    const control = forceLabels().find((label) => /\(draft\): control$/.test(label) && label.includes("beta")) ?? "";
    await page.goto(links.get(control) ?? "");
    await page.getByLabel("E-mail address").fill("someone@example.com");
    await page.getByLabel("Password").fill(demoPassword);
    await page.locator("form.fields button").click();
    await page.getByRole("heading", { name: "You are signed in" }).waitFor();
    await forced.close();

    for (const label of Object.keys(checks)) {
      const context = await chromium.newVisitor();
      await open(context, label);
      await context.close();
    }
    // The only visitor who was not forced is the one who followed "Sign in": counted last, so that the others were before.
    const readCounts = async () => {
      const { variations, excluded } = await management.send("GET", `/experiments/${sample.experiment}/report`);
      const sum = (name: string) =>
        variations.reduce((total: number, one: Record<string, number>) => total + (one[name] ?? 0), 0);
      return { assignments: sum("assignments"), exposures: sum("exposures"), logins: sum("logins"), excluded };
    };
    await expect
      .poll(readCounts, { timeout: 10_000, interval: 250 })
      .toMatchObject({ assignments: 1, exposures: 1, logins: 0, excluded: { forced: 0 } });
  });

  it("does what it says in one browser, in any order", async () => {
    const order = shuffled([...links.keys(), ...links.keys()]);
    const context = await chromium.newVisitor();
    for (const [index, label] of order.entries()) {
      await open(context, label).catch((error: Error) => {
        error.message = `${error.message}\nafter ${order.slice(0, index + 1).join(" → ")}`;
        throw error;
      });
    }
    await context.close();
  });
});
