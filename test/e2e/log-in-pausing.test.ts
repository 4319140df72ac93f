import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Visitor } from "../../scripts/browserless/visitor.ts";
import { demoPassword } from "../../scripts/demo/accounts.ts";
import type { ConfigurationFile } from "../../src/model/transfer/configuration-schema.ts";
import { readSample, type Stack, sample, startStack, variationOn, visitLogin, withStatus } from "./stack.ts";

let stack: Stack;
let configuration: ConfigurationFile;
beforeAll(async () => {
  [stack, configuration] = await Promise.all([startStack(), readSample()]);
});
afterAll(() => stack.close());
afterEach(() => stack.publish(configuration));

const someone = { email: "someone@example.com", password: demoPassword };
const pause = () => stack.publish(withStatus(configuration, sample.experiment, "paused"));
const plain = { variation: undefined, headline: "Sign in" };
const treated = { variation: sample.treatment, headline: "Welcome back" };

/** Somebody on the log-in page whom the hash has given the treatment. */
async function visitTreatment(): Promise<Visitor> {
  for (let tries = 0; tries < 40; tries++) {
    const visitor = await visitLogin(stack.gate);
    if (variationOn(visitor.page).variation === sample.treatment) return visitor;
  }
  throw new Error("the treatment did not come up in 40 tries");
}

/** A new log-in of one who may be signed in at the provider. */
async function startAgain(visitor: Visitor) {
  await visitor.get(`${stack.gate.app}/login?prompt=login`);
  return variationOn(visitor.page);
}

describe("pausing an experiment in the middle of a log-in", () => {
  it("leaves the page as it is until that log-in is over, and shows newcomers the plain one", async () => {
    const visitor = await visitTreatment();
    await pause();
    expect(variationOn((await visitLogin(stack.gate)).page)).toEqual(plain);

    await visitor.get(visitor.page.url);
    expect(variationOn(visitor.page)).toEqual(treated);
    await visitor.submit({ ...someone, password: "wrong" });
    expect(variationOn(visitor.page)).toEqual(treated);
    await visitor.click("Create an account");
    expect(variationOn(visitor.page).variation).toBe(sample.treatment);
    await visitor.click("Sign in");
    await stack.takeStamps();
    await visitor.submit(someone);
    expect(visitor.page.body).toContain('data-page="signed-in"');
    const told = (await stack.takeStamps()).map(({ stamp }) => stamp.kind === "stamped" && stamp.experiments[0]);
    expect(told).toEqual(Array(2).fill(expect.objectContaining({ variation_id: sample.treatment, method: "session" })));

    expect(await startAgain(visitor)).toEqual(plain);
  });

  it("brings the same device its variation back once resumed", async () => {
    const visitor = await visitTreatment();
    await visitor.submit(someone);
    await pause();
    expect(await startAgain(visitor)).toEqual(plain);
    await stack.publish(configuration);
    expect(await startAgain(visitor)).toEqual(treated);
  });

  it("is no pause for who forces a variation", async () => {
    await pause();
    const visitor = await visitLogin(stack.gate, `experiment_id=${sample.experiment}&variation_id=${sample.treatment}`);
    expect(variationOn(visitor.page)).toEqual(treated);
  });
});
