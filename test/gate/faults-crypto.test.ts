import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { breakCrypto, type CallFault, callFaults, expectFailedOpen, sendSafely, timed } from "./faults.ts";
import { clearStores, createBrowser, createStage, navigation, publish, type Stage } from "./stage.ts";

let stage: Stage;
let browser: ReturnType<typeof createBrowser>;
let variation: string | null;

beforeEach(async () => {
  await clearStores();
  await publish();
  stage = createStage();
  // The first half of a minute, whose stamps are alike.
  stage.clock.nowMs = 60_000 * 30_000_000;
  browser = createBrowser(stage);
  variation = (await browser.open()).stamp("variation-id");
  await browser.open();
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

const shortMs = 100;
const cookie = () => [...browser.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
const known = (path = "/login") => navigation(path, { cookie: cookie() });
const newcomer = () => navigation();
const form = () =>
  new Request("https://login.example.com/login", {
    method: "POST",
    body: "user=a&password=%20b",
    redirect: "manual",
    headers: { cookie: cookie(), "content-type": "application/x-www-form-urlencoded" },
  });

const everyFault = Object.keys(callFaults) as CallFault[];

describe.each(everyFault)("crypto: %s", timed, (fault) => {
  it.each(["sign", "verify", "importKey"] as const)("%s, cold: fails a known visitor open", async (part) => {
    stage.restart(shortMs);
    breakCrypto(part, fault);
    expectFailedOpen(await sendSafely(stage, known()));
    expectFailedOpen(await sendSafely(stage, form()));
  });

  it.each([
    ["sign", newcomer],
    ["importKey", newcomer],
    ["getRandomValues", newcomer],
  ] as const)("%s, cold, warm and stale: fails a newcomer open", async (part, request) => {
    // Nothing waits for randomness: it is there or it throws.
    if (part === "getRandomValues" && fault !== "throw") return;
    stage.restart(shortMs);
    breakCrypto(part, fault);
    expectFailedOpen(await sendSafely(stage, request()));
    vi.restoreAllMocks();
    await stage.send(navigation());
    if (part === "importKey") return;
    breakCrypto(part, fault);
    expectFailedOpen(await sendSafely(stage, request()));
    stage.clock.nowMs += 31_000;
    expectFailedOpen(await sendSafely(stage, request()));
  });

  it.each(["sign", "verify", "importKey", "getRandomValues"] as const)(
    "%s, warm and stale: a known visitor's page is what it was",
    async (part) => {
      breakCrypto(part, fault);
      expect((await sendSafely(stage, known())).stamp("variation-id")).toBe(variation);
      expect((await sendSafely(stage, form())).stamp("variation-id")).toBe(variation);
      stage.clock.nowMs += 31_000;
      expect((await sendSafely(stage, known())).stamp("variation-id")).toBe(variation);
    },
  );

  it("in a minute without a stamp yet, fails open, and shows the same page again afterwards", async () => {
    stage.restart(shortMs);
    await stage.send(known());
    stage.clock.nowMs += 61_000;
    breakCrypto("sign", fault);
    expectFailedOpen(await sendSafely(stage, known()));
    vi.restoreAllMocks();
    const after = await sendSafely(stage, known());
    expect(after.stamp("variation-id")).toBe(variation);
    expect(after.stamp("method")).toBe("session");
  });
});

it("keeps a device whose cookie is due for renewal and cannot be signed", async () => {
  stage.restart();
  browser.cookies.delete("__Host-vst_ses");
  stage.clock.nowMs += 40 * 24 * 3600_000;
  await stage.send(known());
  const before = browser.cookies.get("__Host-vst_did");
  const sign = vi.spyOn(crypto.subtle, "sign");
  const real = sign.getMockImplementation();
  let calls = 0;
  sign.mockImplementation((...args) => {
    calls++;
    if (calls === 1) return Promise.reject(new Error("down"));
    return real ? real(...args) : Reflect.apply(SubtleCrypto.prototype.sign, crypto.subtle, args);
  });
  const visit = await browser.open();
  expect(visit.stamp("variation-id")).toBe(variation);
  expect(browser.cookies.get("__Host-vst_did")).toBe(before);
});
