import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { experiment } from "../model/resources.ts";
import { clearStores, cookieKey, createBrowser, createStage, publish, type Stage } from "./stage.ts";

const [device, session] = ["__Host-vst_did", "__Host-vst_ses"];
type Browser = ReturnType<typeof createBrowser>;

beforeEach(async () => {
  await clearStores();
  await publish();
});
afterEach(() => {
  vi.unstubAllGlobals();
});

const deploy = (...kids: string[]): Stage => createStage({ vars: { COOKIE_KEYS: kids.map(cookieKey).join(",") } });
/** The same browser before another deployment. */
function carriedOver(stage: Stage, from: Browser): Browser {
  const browser = createBrowser(stage);
  for (const [name, value] of from.cookies) browser.cookies.set(name, value);
  return browser;
}
const kidOf = (browser: Browser, name = device) => browser.cookies.get(name)?.split(".")[1];
const idOf = (browser: Browser) => browser.cookies.get(device)?.slice(0, 22);

describe("a new first key", () => {
  it("keeps device, session and variation, and signs the device anew", async () => {
    const before = createBrowser(deploy("k1"));
    const variation = (await before.open()).stamp("variation-id");
    const after = carriedOver(deploy("k2", "k1"), before);
    const visit = await after.open();
    expect(visit.stamp("variation-id")).toBe(variation);
    expect(visit.stamp("method")).toBe("session");
    expect([kidOf(before), kidOf(after)]).toEqual(["k1", "k2"]);
    expect(idOf(after)).toBe(idOf(before));
    const again = await after.open();
    expect(again.response.headers.getSetCookie()).toEqual([]);
  });

  it("signs the session anew as its hour slides", async () => {
    const before = createBrowser(deploy("k1"));
    const variation = (await before.open()).stamp("variation-id");
    const stage = deploy("k2", "k1");
    const after = carriedOver(stage, before);
    stage.clock.nowMs += 6 * 60_000;
    expect((await after.open()).stamp("method")).toBe("session");
    expect(kidOf(after, session)).toBe("k2");
    const last = carriedOver(deploy("k2"), after);
    const visit = await last.open();
    expect(visit.stamp("variation-id")).toBe(variation);
    expect(visit.stamp("method")).toBe("session");
  });

  it("keeps what an older device was given before, when the old key goes", async () => {
    const before = createBrowser(deploy("k1"));
    const variation = (await before.open()).stamp("variation-id");
    before.cookies.delete(session);
    const between = carriedOver(deploy("k2", "k1"), before);
    await between.open();
    between.cookies.delete(session);
    const after = carriedOver(deploy("k2"), between);
    expect((await after.open()).stamp("variation-id")).toBe(variation);
    expect(idOf(after)).toBe(idOf(before));
  });
});

describe("a removed key", () => {
  it("makes of its device a new one, without an error", async () => {
    const before = createBrowser(deploy("k1"));
    await before.open();
    const after = carriedOver(deploy("k2"), before);
    const visit = await after.open();
    expect(visit.stamp("failed-open")).toBeNull();
    expect(visit.stamp("method")).toBe("auto");
    expect(idOf(after)).not.toBe(idOf(before));
    expect(kidOf(after)).toBe("k2");
  });

  it("does not come back by taking its name", async () => {
    const before = createBrowser(deploy("k1"));
    await before.open();
    const impostor = createStage({ vars: { COOKIE_KEYS: `k1:${"z".repeat(43)}` } });
    const after = carriedOver(impostor, before);
    expect((await after.open()).stamp("method")).toBe("auto");
    expect(idOf(after)).not.toBe(idOf(before));
  });
});

it("a key that verifies only signs nothing", async () => {
  await publish({ experiments: [experiment({ is_stateful: true })] }, 2);
  const browser = createBrowser(deploy("k2", "k1"));
  await browser.open();
  expect([...browser.cookies.keys()].map((name) => kidOf(browser, name))).toEqual(["k2", "k2", "k2"]);
});
