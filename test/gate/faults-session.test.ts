import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { breakKv, expectFailedOpen, ours } from "./faults.ts";
import { clearStores, createBrowser, createStage, navigation, publish, realStores, type Stage } from "./stage.ts";

let stage: Stage;
beforeEach(async () => {
  await clearStores();
  await publish();
  stage = createStage();
});
afterEach(() => {
  vi.unstubAllGlobals();
});

const sessionCookie = "__Host-vst_ses";
const authorize = "/authorize?client_id=app&response_type=code";
const redirectTo = (location: string) => () => new Response(null, { status: 302, headers: { location } });
const heal = () => {
  stage.stores.kv = realStores.kv;
};

describe("a log-in whose first page failed open", () => {
  it.each([
    ["code", "https://app.example.com/callback?code=abc&state=1"],
    ["error", "https://app.example.com/callback?error=access_denied&state=1"],
  ])("stays unassigned until it ends with %s, although the fault is gone", async (_, ending) => {
    const browser = createBrowser(stage);
    const page = stage.origin.answer;
    await breakKv(stage, "error");
    stage.origin.answer = redirectTo("/login");
    expectFailedOpen(await browser.open(authorize));
    expect(browser.cookies.get(sessionCookie)).toBe("open");
    heal();

    stage.origin.answer = page;
    const calls = vi.spyOn(realStores.kv, "getWithMetadata");
    expect((await browser.open("/login")).stamp("failed-open")).toBe("session");
    for (const dest of ["document", "empty"]) {
      const visit = await browser.open("/login/second-factor", { headers: { "sec-fetch-dest": dest } });
      expectFailedOpen(visit);
      expect(visit.stamp("failed-open")).toBe("session");
    }
    // A new attempt within the same log-in is no new log-in: its first page has been seen.
    const again = await browser.open(authorize);
    expectFailedOpen(again);
    // Its hour does not begin anew: the next session must come.
    expect(again.response.headers.getSetCookie()).toEqual([]);
    expect(calls).not.toHaveBeenCalled();
    calls.mockRestore();

    stage.origin.answer = redirectTo(ending);
    expectFailedOpen(await browser.open("/login/done"));
    expect(browser.cookies.has(sessionCookie)).toBe(false);
    // In the log, marked; in no statistics.
    const entries = stage.queued.flatMap((one) => (one.kind === "log" ? one.entry : []));
    expect(entries.at(-1)).toMatchObject({
      type: ending.includes("error") ? "f" : "s",
      details: { failed_open: "session" },
    });
    expect(stage.queued.filter(({ kind }) => kind === "event")).toEqual([]);
    stage.origin.answer = page;
    expect((await browser.open("/login")).stamp("method")).toBe("auto");
  });

  it("stays so on another isolate, and over a form post", async () => {
    await breakKv(stage, "error");
    const browser = createBrowser(stage);
    await browser.open();
    heal();
    stage.restart();
    const post = new Request("https://login.example.com/login", {
      method: "POST",
      body: "a=b",
      redirect: "manual",
      headers: { cookie: `${sessionCookie}=${browser.cookies.get(sessionCookie)}` },
    });
    expect((await stage.send(post)).stamp("failed-open")).toBe("session");
  });
});

describe("the mark of a failed first page", () => {
  it.each(["script", "image", "style", "font"])("is not left by a %s", async (dest) => {
    await breakKv(stage, "error");
    const visit = await stage.send(navigation("/x", { "sec-fetch-dest": dest }));
    expect(visit.response.headers.getSetCookie()).toEqual([]);
    expect(ours(visit.seen)).toEqual([]);
  });

  it("is not left where nothing is published: that is no failure", async () => {
    await realStores.kv.delete("snapshot:acme");
    for (const request of [navigation(), navigation(authorize)]) {
      const visit = await stage.send(request);
      expect(ours(visit.seen)).toEqual([]);
      expect(visit.response.headers.getSetCookie()).toEqual([]);
    }
    expect(stage.logged).toEqual([]);
  });

  it("does not take the place of a session that began before the fault", async () => {
    const browser = createBrowser(stage);
    const variation = (await browser.open()).stamp("variation-id");
    await realStores.cache.delete("https://snapshot.vestibule.invalid/acme");
    stage.restart();
    await breakKv(stage, "error");
    expectFailedOpen(await browser.open());
    heal();
    const after = await browser.open();
    expect(after.stamp("variation-id")).toBe(variation);
    expect(after.stamp("method")).toBe("session");
  });
});

it("says once why it failed open, and counts nobody", async () => {
  await breakKv(stage, "error");
  await createBrowser(stage).open();
  expect(stage.queued).toEqual([
    { kind: "log", entry: expect.objectContaining({ type: "w", details: { code: "experiment_failed_open" } }) },
  ]);
});
