import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { demoPassword } from "../../scripts/demo/accounts.ts";
import { countsOf, logEntriesOf } from "./log-in-report.ts";
import { type Stack, sample, startStack, variationOn, visitLogin } from "./stack.ts";

let stack: Stack;
let before = 0;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.close());
beforeEach(() => {
  before = stack.lines.length;
});

const someone = { email: "someone@example.com", password: demoPassword };
const lines = () => stack.lines.slice(before);

/**
 * What the queue brought once a log-in's last entry is there: it travels with the last event, after all the others.
 */
async function reportWith(last: string) {
  await expect.poll(() => countsOf(lines()), { timeout: 10_000 }).toHaveProperty([last]);
  return { counts: countsOf(lines()), entries: logEntriesOf(lines()) };
}

const experiment = sample.experiment;

describe("what a log-in leaves in the statistics and the log", () => {
  it("is one assignment, one exposure and one success", async () => {
    const visitor = await visitLogin(stack.gate);
    const { variation } = variationOn(visitor.page);
    await visitor.get(visitor.page.url);
    await visitor.submit(someone);
    const { counts, entries } = await reportWith("log:s");
    expect(counts).toEqual({
      [`assignment:${experiment}`]: 1,
      [`exposure:${experiment}`]: 1,
      [`auth:${experiment}`]: 1,
      "log:s": 1,
    });
    expect(entries).toEqual([
      expect.objectContaining({
        type: "s",
        description: "Success Login",
        tenant_name: "default",
        hostname: new URL(stack.gate.issuer).host,
        details: {
          experiment: {
            id: experiment,
            variation_id: variation,
            is_control: variation === sample.control,
            method: "session",
            epoch: 1,
          },
        },
      }),
    ]);
  });

  it("is a sign-up's where the visitor signed up", async () => {
    const visitor = await visitLogin(stack.gate, "prompt=create");
    await visitor.submit({ email: "new@example.com", password: "long enough" });
    expect(visitor.page.body).toContain('data-page="signed-in"');
    const { counts } = await reportWith("log:ss");
    expect(counts).toEqual({
      [`assignment:${experiment}`]: 1,
      [`exposure:${experiment}`]: 1,
      [`auth:${experiment}`]: 1,
      "log:ss": 1,
    });
  });

  it("is a failure, then a success, after a wrong password", async () => {
    const visitor = await visitLogin(stack.gate);
    await visitor.submit({ ...someone, password: "wrong" });
    await visitor.submit(someone);
    const { counts, entries } = await reportWith("log:s");
    expect(counts).toEqual({
      [`assignment:${experiment}`]: 1,
      [`exposure:${experiment}`]: 1,
      [`auth:${experiment}`]: 2,
      "log:f": 1,
      "log:s": 1,
    });
    expect(entries.map(({ type, details }) => [type, details.experiment?.id])).toEqual([
      ["f", experiment],
      ["s", experiment],
    ]);
  });

  it("is a failed sign-up, then a log-in, for whom the sign-up form refused", async () => {
    const visitor = await visitLogin(stack.gate, "prompt=create");
    await visitor.submit({ email: "someone@example.com", password: "short" });
    await visitor.click("Sign in");
    await visitor.submit(someone);
    const { counts } = await reportWith("log:s");
    expect(counts).toMatchObject({ "log:fs": 1, "log:s": 1, [`exposure:${experiment}`]: 1 });
  });

  it("tells no name, address or device", async () => {
    const visitor = await visitLogin(stack.gate);
    const device = visitor.cookies.get(stack.gate.issuer, "vst_did") ?? "";
    await visitor.submit({ email: "secret@example.com", password: demoPassword });
    await reportWith("log:s");
    const text = JSON.stringify(lines());
    expect(text).not.toContain("secret");
    expect(device.length).toBeGreaterThan(22);
    expect(text).not.toContain(device.slice(0, 22));
  });
});

describe("a forced log-in", () => {
  it.each([sample.control, sample.treatment])(
    "is in the log, marked so, and in no statistics (%s)",
    async (variation) => {
      const visitor = await visitLogin(stack.gate, `experiment_id=${experiment}&variation_id=${variation}`);
      await visitor.submit({ ...someone, password: "wrong" });
      await visitor.submit(someone);
      const { counts, entries } = await reportWith("log:s");
      expect(counts).toEqual({ "log:f": 1, "log:s": 1 });
      expect(entries.map(({ details }) => details.experiment)).toEqual([
        expect.objectContaining({ id: experiment, variation_id: variation, method: "forced" }),
        expect.objectContaining({ id: experiment, variation_id: variation, method: "forced" }),
      ]);
    },
  );
});
