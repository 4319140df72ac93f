import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { forwardPlainly } from "../../src/gate/gate.ts";
import { breakKv, ours } from "./faults.ts";
import { clearStores, createBrowser, createStage, navigation, publish, type Stage } from "./stage.ts";

let stage: Stage;
beforeEach(async () => {
  await clearStores();
  await publish();
  stage = createStage();
});
afterEach(() => {
  vi.unstubAllGlobals();
});

const forged = {
  "X-Experiment-Id": "exp_Forged",
  "x-EXPERIMENT-Variation-ID": "var_Forged",
  "x-experiment-segment-id": "seg_Forged",
  "x-experiment-control": "forged",
  "x-experiment-method": "forged",
  "x-experiment-config": "forged",
  "X-EXPERIMENT-STAMP": "for.ge.d",
  "x-experiment-failed-open": "forged",
  "x-experiment-": "forged",
  "x-experiment-id-": "forged",
  "x-experiment-id.1": "forged",
  "x-experiment-__proto__": "forged",
  "x-vestibule-client-ip": "forged",
};
function spoof(request: Request): Request {
  const spoofed = new Request(request);
  for (const [name, value] of Object.entries(forged)) {
    spoofed.headers.append(name, value);
    spoofed.headers.append(name, `${value} twice`);
  }
  return spoofed;
}
async function forgeriesSeen(request: Request): Promise<string[]> {
  const { seen } = await stage.send(spoof(request));
  return [...seen.headers].filter(([, value]) => /forged|for\.ge\.d/i.test(value)).map(([name]) => name);
}
const fetched = (dest: string, more: Record<string, string> = {}) =>
  navigation("/asset", { "sec-fetch-dest": dest, "sec-fetch-mode": "no-cors", ...more });

describe("an inbound stamp never reaches the origin", () => {
  it.each([
    ["a page", () => navigation()],
    ["an authorize request", () => navigation("/authorize?client_id=a&response_type=code")],
    ["a silent authorize request", () => navigation("/authorize?client_id=a&response_type=code&prompt=none")],
    ["a script", () => fetched("script")],
    ["an image", () => fetched("image")],
    ["a call from a page", () => fetched("empty")],
    ["a WebSocket", () => fetched("websocket", { connection: "Upgrade", upgrade: "websocket" })],
    ["a bot", () => navigation("/login", { "user-agent": "Googlebot/2.1 (+http://www.google.com/bot.html)" })],
    ["a prefetch", () => navigation("/login", { "sec-purpose": "prefetch" })],
    ["a log-in that failed open", () => navigation("/login", { cookie: "__Host-vst_ses=open" })],
    ["a client without fetch metadata", () => new Request("https://login.example.com/x", { method: "DELETE" })],
  ])("on %s", async (_, request) => {
    expect(await forgeriesSeen(request())).toEqual([]);
  });

  it("for a tenant that runs no experiments", async () => {
    stage = createStage({ tenant: { entitled: false } });
    expect(await forgeriesSeen(navigation())).toEqual([]);
  });

  it("for a visitor without consent", async () => {
    stage = createStage({ tenant: { consent: { cookie: "consent", pattern: "^yes$" } } });
    expect(await forgeriesSeen(navigation())).toEqual([]);
  });

  it("when everything fails", async () => {
    for (const fault of ["hang", "error", "throw"] as const) {
      stage.restart(50);
      await breakKv(stage, fault);
      stage.stores.cache = stage.stores.kv as unknown as Cache;
      const visit = await stage.send(spoof(navigation()), false);
      expect(ours(visit.seen)).toEqual(["x-experiment-failed-open"]);
      expect(visit.stamp("failed-open")).not.toContain("forged");
      expect(visit.seen.headers.has("x-vestibule-client-ip")).toBe(false);
    }
  });

  it("when the settings are wrong", async () => {
    await forwardPlainly(spoof(navigation()), { origin: "https://id.example.com" }, "settings");
    const seen = stage.origin.seen.at(-1);
    expect(seen && ours(seen)).toEqual(["x-experiment-failed-open"]);
    expect(seen?.headers.get("x-experiment-failed-open")).toBe("settings");
  });

  it("in place of the one that is the visitor's own", async () => {
    const browser = createBrowser(stage);
    const first = await browser.open();
    const second = await browser.open("/login", { headers: forged });
    for (const name of ["id", "variation-id", "control", "config"]) {
      expect(second.stamp(name)).toBe(first.stamp(name));
    }
    expect(second.stamp("method")).toBe("session");
  });
});

it("takes off every name with the prefix, whatever its case, and no other", async () => {
  const token = fc.stringMatching(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{0,20}$/);
  const prefix = fc.constantFrom("x-experiment-", "X-Experiment-", "X-EXPERIMENT-", "x-eXpErImEnT-");
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(prefix, token), { minLength: 1, maxLength: 40 }),
      token,
      async (names, other) => {
        const headers = Object.fromEntries(names.map(([start, rest]) => [start + rest, "forged"]));
        const kept = `x-theirs-${other}`;
        const { seen } = await stage.send(fetched("script", { ...headers, [kept]: "theirs" }));
        expect(ours(seen)).toEqual([]);
        expect(seen.headers.get(kept)).toBe("theirs");
      },
    ),
    { numRuns: 100 },
  );
});
