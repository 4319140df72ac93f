import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { experiment } from "../model/resources.ts";
import { clearStores, cookieKey, createBrowser, createStage, host, navigation, publish, type Stage } from "./stage.ts";

const [device, session, sticky] = ["__Host-vst_did", "__Host-vst_ses", "__Host-vst_sticky"] as const;
type Name = typeof device | typeof session | typeof sticky;
const names: Name[] = [device, session, sticky];
const statefully = { experiments: [experiment({ is_stateful: true })] };

let stage: Stage;
beforeEach(async () => {
  await clearStores();
  await publish(statefully);
  stage = createStage({ vars: { COOKIE_KEYS: `${cookieKey("k1")},${cookieKey("k2")}` } });
});
afterEach(() => {
  vi.unstubAllGlobals();
});

/** A visitor with all three cookies who was given this variation. */
async function visitorWith(variation: string): Promise<Record<Name, string>> {
  for (let i = 0; i < 100; i++) {
    const browser = createBrowser(stage);
    if ((await browser.open()).stamp("variation-id") !== variation) continue;
    const [did = "", ses = "", kept = ""] = names.map((name) => browser.cookies.get(name));
    return { [device]: did, [session]: ses, [sticky]: kept };
  }
  throw new Error(`nobody was given ${variation}`);
}
const open = (cookies: Partial<Record<Name, string>>) => {
  const pairs = Object.entries(cookies).map(([name, value]) => `${name}=${value}`);
  return stage.send(navigation("/login", { cookie: pairs.join("; ") }));
};
const isReplaced = ({ response }: { response: Response }, name: Name) =>
  response.headers.getSetCookie().some((line) => line.startsWith(`${name}=`));

const swap = (value: string, at: number) => {
  const letter = value[at] === "A" ? "B" : "A";
  return value.slice(0, at) + letter + value.slice(at + 1);
};
const forgeries: readonly (readonly [string, (value: string) => string])[] = [
  ["with its first letter changed", (value) => swap(value, 0)],
  ["with its last letter changed", (value) => swap(value, value.length - 1)],
  ["cut by a letter", (value) => value.slice(0, -1)],
  ["cut after the payload", (value) => value.split(".").slice(0, 1).join(".")],
  ["cut after the key id", (value) => value.split(".").slice(0, 2).join(".")],
  ["with no signature", (value) => `${value.split(".").slice(0, 2).join(".")}.`],
  ["with another known key's id", (value) => value.replace(".k1.", ".k2.")],
  ["with an unknown key's id", (value) => value.replace(".k1.", ".k9.")],
  ["with a prototype's key id", (value) => value.replace(".k1.", ".__proto__.")],
  ["doubled", (value) => `${value}.${value}`],
  ["in quotes", (value) => `"${value}"`],
  ["escaped", (value) => value.replace(".", "%2E")],
  ["empty", () => ""],
];

describe.each(forgeries)("a cookie %s", (_, forge) => {
  it("of the device is ignored and replaced", async () => {
    const victim = await visitorWith("var_b");
    const visit = await open({ ...victim, [device]: forge(victim[device]) });
    expect(visit.stamp("method")).toBe("auto");
    expect(isReplaced(visit, device)).toBe(true);
    expect(isReplaced(visit, session)).toBe(true);
  });

  it("of the session is ignored and replaced", async () => {
    const victim = await visitorWith("var_b");
    const visit = await open({ [device]: victim[device], [session]: forge(victim[session]) });
    expect(visit.stamp("method")).toBe("auto");
    expect(isReplaced(visit, session)).toBe(true);
  });

  it("of earlier choices is ignored and replaced", async () => {
    const victim = await visitorWith("var_b");
    const visit = await open({ [device]: victim[device], [sticky]: forge(victim[sticky]) });
    expect(visit.stamp("method")).toBe("auto");
    expect(isReplaced(visit, sticky)).toBe(true);
  });
});

it("a single changed character anywhere is a forgery", async () => {
  const victim = await visitorWith("var_b");
  const longest = Math.max(...names.map((name) => victim[name].length));
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...names),
      fc.nat(longest),
      fc.constantFrom(...alphabet),
      async (name, place, letter) => {
        const value = victim[name];
        const at = place % value.length;
        fc.pre(value[at] !== letter);
        const spoilt = value.slice(0, at) + letter + value.slice(at + 1);
        const cookies = name === sticky ? { [device]: victim[device] } : { ...victim };
        const visit = await open({ ...cookies, [name]: spoilt });
        expect(visit.stamp("failed-open")).toBeNull();
        expect(isReplaced(visit, name)).toBe(true);
      },
    ),
    { numRuns: 300 },
  );
});

describe("somebody else's cookies", () => {
  it("replayed on one's own device give nobody else's variation", async () => {
    const [mine, victim] = [await visitorWith("var_a"), await visitorWith("var_b")];
    const replayed = await open({ [device]: mine[device], [session]: victim[session] });
    expect(replayed.stamp("variation-id")).toBe("var_a");
    expect(replayed.stamp("method")).toBe("auto");
    const chosen = await open({ [device]: mine[device], [sticky]: victim[sticky] });
    expect(chosen.stamp("variation-id")).toBe("var_a");
    expect(chosen.stamp("method")).toBe("auto");
  });

  it("without a device give nothing", async () => {
    const victim = await visitorWith("var_b");
    const visit = await open({ [session]: victim[session], [sticky]: victim[sticky] });
    expect(visit.stamp("method")).toBe("auto");
    expect(isReplaced(visit, device)).toBe(true);
  });

  it("under another name are worth nothing", async () => {
    const victim = await visitorWith("var_b");
    for (const name of names) {
      for (const other of names.filter((each) => each !== name)) {
        const cookies = { [device]: victim[device], [other]: victim[name] };
        const visit = await open(cookies);
        expect(visit.stamp("failed-open")).toBeNull();
        expect(isReplaced(visit, other)).toBe(true);
      }
    }
  });

  it("from another tenant are worth nothing, though the keys be the same", async () => {
    const victim = await visitorWith("var_b");
    await publish(statefully, 1, "beta");
    const beta = { beta: { hosts: [host], origin: "https://id.example.com" } };
    stage = createStage({
      vars: { COOKIE_KEYS: `${cookieKey("k1")},${cookieKey("k2")}`, TENANTS: JSON.stringify(beta) },
    });
    const visit = await open(victim);
    expect(visit.stamp("method")).toBe("auto");
    for (const name of names) expect(isReplaced(visit, name)).toBe(true);
  });
});

describe("a made-up `open` session", () => {
  it("keeps out whoever sends it, marked, and nobody else", async () => {
    const victim = await visitorWith("var_b");
    const queued = stage.queued.length;
    const visit = await open({ ...victim, [session]: "open" });
    expect(visit.stamp("failed-open")).toBe("session");
    expect(visit.stamp("control")).toBeNull();
    expect(stage.queued).toHaveLength(queued);
    expect((await open(victim)).stamp("method")).toBe("session");
  });

  it.each(["OPEN", "open.", "open.k1.", " open x", "openopen"])(
    "spelt %s is a forgery like any other",
    async (value) => {
      expect((await open({ [session]: value })).stamp("method")).toBe("auto");
    },
  );
});
