import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { clearStores, createStage, publish, realStores, type Stage } from "../stage.ts";
import { appCallback, authorize, createJourney, entriesOf, redirect } from "./journey.ts";

let stage: Stage;
beforeEach(async () => {
  await clearStores();
  await publish();
  stage = createStage();
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

const body = `user=anna&password=${"x".repeat(500)}&n=1`;
const text = '<html><form method=post action="https://app.example.com/cb"><input name=x value="y"></form></html>';
const refused = () => new Response(text, { status: 401, headers: { "content-type": "text/html", "x-origin": "yes" } });

/** Each call of the platform's cryptography from the nth on fails. */
function failFrom(part: "sign" | "verify" | "importKey", nth: number, fault: () => never | Promise<never>): void {
  const real = crypto.subtle[part].bind(crypto.subtle) as (...input: unknown[]) => Promise<unknown>;
  let calls = 0;
  vi.spyOn(crypto.subtle, part).mockImplementation(((...input: unknown[]) =>
    ++calls < nth ? real(...input) : fault()) as never);
}

const faults = {
  throws: (): never => {
    throw new Error("fault");
  },
  rejects: () => Promise.reject<never>(new Error("fault")),
  hangs: () => new Promise<never>(() => {}),
};
const faultNames = ["throws", "rejects", "hangs"] as const;
const cases = faultNames.flatMap((fault) =>
  (["sign", "verify", "importKey"] as const).flatMap((part) => [1, 2, 3].map((nth) => [part, nth, fault] as const)),
);

describe("cryptography that fails at any of its calls", () => {
  it.each(cases)("costs no byte of request or response: %s, from call %i on, %s", async (part, nth, fault) => {
    const journey = createJourney(stage);
    stage.restart(100);
    await journey.go(`${authorize}&response_mode=form_post`, redirect("/login"));
    stage.restart(100);
    failFrom(part, nth, faults[fault]);
    const page = await journey.go("/login", refused);
    expect([page.response.status, await page.response.text()]).toEqual([401, text]);
    const { response, seen } = await journey.post("/login", refused, { body });
    expect(new TextDecoder().decode(seen.body)).toBe(body);
    expect([response.status, response.headers.get("x-origin"), await response.text()]).toEqual([401, "yes", text]);
    const end = await journey.post("/login", redirect(appCallback), { body });
    expect([end.response.status, end.response.headers.get("location")]).toEqual([303, appCallback]);
  });
});

describe("stores that fail", () => {
  const failing = (fault: () => unknown) => new Proxy({}, { get: () => fault });

  it.each(faultNames)("cost no login: KV and queue, when a call %s", async (name) => {
    const fault = faults[name];
    if (name === "hangs") stage.restart(100);
    const journey = createJourney(stage);
    stage.stores.kv = failing(fault) as unknown as KVNamespace;
    stage.stores.cache = failing(fault) as unknown as Cache;
    if (name !== "hangs") stage.stores.queue = failing(fault) as unknown as Queue;
    const first = await journey.go("/login");
    expect([first.response.status, first.stamp("failed-open") !== null]).toEqual([200, true]);
    const { response, seen } = await journey.post("/login", refused, { body });
    expect(new TextDecoder().decode(seen.body)).toBe(body);
    expect(await response.text()).toBe(text);
  });

  it("keep a login unassigned to its end, which the log marks", async () => {
    const journey = createJourney(stage);
    stage.stores.kv = failing(() => Promise.reject(new Error("fault"))) as unknown as KVNamespace;
    await journey.go(authorize, redirect("/login"));
    stage.stores.kv = realStores.kv;
    stage.restart();
    expect((await journey.go("/login")).stamp("failed-open")).toBe("session");
    await journey.post("/login", redirect(appCallback));
    expect(entriesOf(stage).at(-1)).toMatchObject({ type: "s", details: { failed_open: "session" } });
    expect((await journey.go("/authorize?client_id=app&response_type=code&state=2")).stamp("method")).toBe("auto");
  });
});
