import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Override } from "../../src/assignment/decide.ts";
import { createKeyring } from "../../src/assignment/keyring.ts";
import { signOverride } from "../../src/assignment/override.ts";
import { logEntriesOf } from "./log-in-report.ts";
import { formPage, type ScriptedGate, startScriptedGate } from "./scripted-origin.ts";
import { sample } from "./stack.ts";

let gate: ScriptedGate;
beforeAll(async () => {
  gate = await startScriptedGate(
    { open: {}, signed: { overrides: "signed" }, other: { overrides: "signed" }, off: { overrides: "off" } },
    () => formPage("Sign in"),
  );
});
afterAll(() => gate.close());

const authorize = "client_id=app&response_type=code";
const wanted: Override = { experimentId: sample.experiment, variationId: sample.treatment, segmentId: null };
const nowSeconds = () => Math.floor(Date.now() / 1000);

async function sign(override: Override, { tenant = "signed", expiresIn = 600, secret = gate.cookieKey.secret } = {}) {
  const keyring = createKeyring([{ ...gate.cookieKey, secret }], (call) => call());
  return signOverride(keyring, tenant, override, nowSeconds() + expiresIn);
}

/** What the origin was stamped of the experiment when a new visitor asks so. */
async function force(tenant: string, { experimentId, variationId, segmentId }: Override, token?: string) {
  const query = new URLSearchParams();
  if (experimentId !== null) query.set("experiment_id", experimentId);
  if (variationId !== null) query.set("variation_id", variationId);
  if (segmentId !== null) query.set("segment_id", segmentId);
  if (token !== undefined) query.set("override_token", token);
  gate.takeAsked(tenant);
  await gate.newVisitor(tenant).get(`${gate.url}/authorize?${authorize}&${query}`);
  const { experiment } = gate.takeAsked(tenant)[0] ?? {};
  return { variation: experiment?.variation_id, method: experiment?.method };
}

const forced = { variation: sample.treatment, method: "forced" };
const asEver = { variation: expect.stringMatching(/^var_/), method: "auto" };
const warningsOf = (tenant: string) =>
  logEntriesOf(gate.lines)
    .filter(({ tenant_name, type }) => tenant_name === tenant && type === "w")
    .map(({ details }) => details.code);

describe("overrides: open", () => {
  it("asks for no token", async () => {
    expect(await force("open", wanted)).toEqual(forced);
  });
});

describe("overrides: off", () => {
  it("does not follow the query, a genuine token or not, and warns", async () => {
    expect(await force("off", wanted)).toEqual(asEver);
    expect(await force("off", wanted, await sign(wanted, { tenant: "off" }))).toEqual(asEver);
    expect(await force("off", { ...wanted, experimentId: null })).toEqual(asEver);
    const refused = Array(3).fill("experiment_override_not_applied");
    await expect.poll(() => warningsOf("off")).toEqual(refused);
  });
});

describe("overrides: signed", () => {
  it("follows a genuine token, for a segment too", async () => {
    expect(await force("signed", wanted, await sign(wanted))).toEqual(forced);
    const bySegment = { experimentId: sample.draft, variationId: null, segmentId: sample.mobile };
    const expected = { variation: sample.stepwise, method: "forced" };
    expect(await force("signed", bySegment, await sign(bySegment))).toEqual(expected);
  });

  it.each<[string, () => Promise<string | undefined>]>([
    ["none", async () => undefined],
    ["an empty one", async () => ""],
    ["garbage", async () => "garbage"],
    ["one that is expired", () => sign(wanted, { expiresIn: -1 })],
    ["one for another variation", () => sign({ ...wanted, variationId: sample.control })],
    ["one for another experiment", () => sign({ ...wanted, experimentId: sample.draft })],
    ["another tenant's", () => sign(wanted, { tenant: "other" })],
    ["one signed with another key", () => sign(wanted, { secret: new Uint8Array(32).fill(7) })],
    ["one that is cut short", async () => (await sign(wanted)).slice(0, -2)],
    ["one whose expiry was put off", async () => forge(await sign(wanted, { expiresIn: -1 }))],
  ])("refuses %s", async (_, token) => {
    const before = warningsOf("signed").length;
    expect(await force("signed", wanted, await token())).toEqual(asEver);
    await expect.poll(() => warningsOf("signed").slice(before)).toContain("experiment_override_refused");
  });

  it("lets everybody leave a forced variation", async () => {
    const visitor = gate.newVisitor("signed");
    const query = `experiment_id=${sample.experiment}&variation_id=${sample.treatment}&override_token=${await sign(wanted)}`;
    await visitor.get(`${gate.url}/authorize?${authorize}&${query}`);
    gate.takeAsked("signed");
    await visitor.get(`${gate.url}/page`);
    await visitor.get(`${gate.url}/page?experiment_id=`);
    const methods = gate.takeAsked("signed").map(({ experiment }) => experiment?.method);
    expect(methods).toEqual(["forced", "auto"]);
  });
});

/** The same signature over a later expiry. */
function forge(token: string): string {
  const [payload = "", ...rest] = token.split(".");
  const fields: unknown[] = JSON.parse(Buffer.from(payload, "base64url").toString());
  fields[fields.length - 1] = nowSeconds() + 600;
  return [Buffer.from(JSON.stringify(fields)).toString("base64url"), ...rest].join(".");
}
