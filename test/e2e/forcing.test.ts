import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { demoPassword } from "../../scripts/demo/accounts.ts";
import type { StampedExperiment } from "../../scripts/demo/stamp.ts";
import type { ConfigurationFile } from "../../src/model/transfer/configuration-schema.ts";
import { logEntriesOf } from "./log-in-report.ts";
import { readSample, type Stack, sample, startStack, variationOn, visitLogin } from "./stack.ts";

const archived = "exp_ArchivedTria1";
const someone = { email: "someone@example.com", password: demoPassword };

/** The sample, and an experiment on the log-in page that is long over. */
async function configuration(): Promise<ConfigurationFile> {
  const file = await readSample();
  const allocations = [{ variation_id: "control", weight: 100, is_control: true }];
  const over = {
    id: archived,
    name: "Long over",
    feature_flag_id: "login_page",
    status: "archived",
    allocations,
  } as const;
  return { ...file, experiments: [...(file.experiments ?? []), over] };
}

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ configuration: await configuration() });
});
afterAll(() => stack.close());

const force = (experiment: string, variation: string) => `experiment_id=${experiment}&variation_id=${variation}`;

/** Of every stamped request since last asked: path without its ids, and what it was told of one experiment. */
async function stampsOf(experiment: string) {
  return (await stack.takeStamps()).map(({ method, path, stamp }) => {
    const experiments: StampedExperiment[] = stamp.kind === "stamped" ? stamp.experiments : [];
    const found = experiments.find(({ experiment_id }) => experiment_id === experiment);
    return `${method} ${path.replace(/[\w-]{20,}/, "*")} ${found?.variation_id} ${found?.method}`;
  });
}

describe("a variation forced on the authorize request", () => {
  it.each([sample.control, sample.treatment])("holds through every hop to the callback (%s)", async (variation) => {
    await stack.takeStamps();
    const visitor = await visitLogin(stack.gate, force(sample.experiment, variation));
    const headline = sample.headlines[variation];
    expect(variationOn(visitor.page)).toEqual({ variation, headline });
    await visitor.submit({ ...someone, password: "wrong" });
    expect(variationOn(visitor.page)).toEqual({ variation, headline });
    await visitor.click("Create an account");
    expect(variationOn(visitor.page).variation).toBe(variation);
    await visitor.click("Sign in");
    expect(variationOn(visitor.page)).toEqual({ variation, headline });
    await visitor.submit(someone);
    expect(visitor.page.body).toContain('data-page="signed-in"');

    const told = `${variation} forced`;
    expect(await stampsOf(sample.experiment)).toEqual([
      `GET /auth ${told}`,
      `GET /interaction/* ${told}`,
      `POST /interaction/* ${told}`,
      `GET /interaction/*/signup ${told}`,
      `GET /interaction/* ${told}`,
      `POST /interaction/* ${told}`,
      `GET /auth/* ${told}`,
    ]);
  });

  it("ends when the log-in completes", async () => {
    const visitor = await visitLogin(stack.gate, force(sample.experiment, sample.treatment));
    expect(visitor.cookies.get(stack.gate.issuer, "vst_ses")).toBeDefined();
    await visitor.submit(someone);
    expect(visitor.cookies.get(stack.gate.issuer, "vst_ses")).toBeUndefined();
    await stack.takeStamps();
    await visitor.get(`${stack.gate.app}/login?prompt=login`);
    expect(await stampsOf(sample.experiment)).toEqual([
      expect.stringMatching(/ auto$/),
      expect.stringMatching(/ session$/),
    ]);
  });

  it.each([sample.control, sample.treatment])(
    "ends with a new authorize request without one (%s)",
    async (variation) => {
      const visitor = await visitLogin(stack.gate, force(sample.experiment, variation));
      await stack.takeStamps();
      await visitor.get(`${stack.gate.app}/login`);
      const [first, second] = await stampsOf(sample.experiment);
      expect(first).toMatch(/^GET \/auth .* auto$/);
      expect(second).toMatch(/^GET \/interaction\/\* .* session$/);
    },
  );

  it("ends when experiment_id is sent empty", async () => {
    const visitor = await visitLogin(stack.gate, force(sample.experiment, sample.treatment));
    await stack.takeStamps();
    const { url } = visitor.page;
    await visitor.get(`${url}?experiment_id=`);
    expect(await stampsOf(sample.experiment)).toEqual([expect.stringMatching(/ auto$/)]);
    await visitor.get(url);
    expect(await stampsOf(sample.experiment)).toEqual([expect.stringMatching(/ session$/)]);
  });

  it("gives way to another one, on any page", async () => {
    const visitor = await visitLogin(stack.gate, force(sample.experiment, sample.treatment));
    const { url } = visitor.page;
    await visitor.get(`${url}?${force(sample.experiment, sample.control)}`);
    expect(variationOn(visitor.page)).toEqual({ variation: sample.control, headline: "Sign in" });
    await visitor.get(url);
    expect(variationOn(visitor.page)).toEqual({ variation: sample.control, headline: "Sign in" });
  });
});

describe("forcing, whatever state the experiment is in", () => {
  it.each([
    ["a draft", force(sample.draft, sample.stepwise), sample.draft, sample.stepwise],
    ["an archived one", force(archived, sample.treatment), archived, sample.treatment],
    ["by segment", `experiment_id=${sample.draft}&segment_id=${sample.mobile}`, sample.draft, sample.stepwise],
  ])("%s", async (_, query, experiment, variation) => {
    await stack.takeStamps();
    const visitor = await visitLogin(stack.gate, query);
    await visitor.submit(someone);
    const told = `${variation} forced`;
    expect(await stampsOf(experiment)).toEqual([
      `GET /auth ${told}`,
      `GET /interaction/* ${told}`,
      `POST /interaction/* ${told}`,
      `GET /auth/* ${told}`,
    ]);
  });

  it("a draft is on the page it is about", async () => {
    const visitor = await visitLogin(stack.gate, `prompt=create&${force(sample.draft, sample.stepwise)}`);
    const firstStep = variationOn(visitor.page).headline;
    await visitor.submit({});
    await visitor.submit({ email: "stepwise@example.com" });
    expect(visitor.page.body).toContain("Step 3 of 3");
    await visitor.submit({ password: "long enough" });
    expect(firstStep).toBe("Get started");
    expect(visitor.page.body).toContain("<strong>stepwise@example.com</strong>");
  });

  it("tells the origin which segment was asked for", async () => {
    await stack.takeStamps();
    await visitLogin(stack.gate, `experiment_id=${sample.draft}&segment_id=${sample.mobile}`);
    const [first] = await stack.takeStamps();
    const experiments = first?.stamp.kind === "stamped" ? first.stamp.experiments : [];
    expect(experiments.find(({ experiment_id }) => experiment_id === sample.draft)).toMatchObject({
      segment_id: sample.mobile,
      control: false,
    });
  });
});

describe("an override that cannot be followed", () => {
  it.each([
    ["experiment_orphaned_params", `variation_id=${sample.treatment}`],
    ["experiment_orphaned_params", `segment_id=${sample.mobile}`],
    ["experiment_not_found", force("exp_Nowhere", sample.treatment)],
    ["experiment_variation_not_found", force(sample.experiment, sample.stepwise)],
    ["experiment_variation_not_found", `experiment_id=${sample.experiment}`],
    ["experiment_segment_not_found", `experiment_id=${sample.draft}&segment_id=seg_Nowhere`],
  ])("warns %s and assigns as ever (%s)", async (code, query) => {
    const before = stack.lines.length;
    await stack.takeStamps();
    const visitor = await visitLogin(stack.gate, query);
    expect(visitor.page.status).toBe(200);
    const [first] = await stampsOf(sample.experiment);
    expect(first).toMatch(/^GET \/auth var_\w+ auto$/);
    await expect
      .poll(() => logEntriesOf(stack.lines.slice(before)))
      .toContainEqual(
        expect.objectContaining({
          type: "w",
          tenant_name: "default",
          details: { code },
        }),
      );
  });
});
