/**
 * Design §4: a fault in one tenant's settings switches off that tenant's experiments and nothing else. The real Worker with
 * three tenants, one of which is broken in each way that settings can be.
 */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { readSettings } from "../../src/settings.ts";
import { resources } from "../model/resources.ts";
import { callFaults } from "./faults.ts";
import { clearStores, publish, realStores } from "./stage.ts";
import { createWorkerHarness, type WorkerHarness } from "./worker-harness.ts";

const tenantNames = ["broken", "fine", "wide"] as const;
beforeEach(async () => {
  await clearStores(tenantNames);
  for (const tenant of tenantNames) await publish(resources(), 1, tenant);
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

const chrome = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/149.0.0.0 Safari/537.36";
const pageHeaders = {
  accept: "text/html",
  "sec-fetch-dest": "document",
  "sec-fetch-mode": "navigate",
  "user-agent": chrome,
};
const page = (host: string, path = "/login", headers: Record<string, string> = {}) =>
  new Request(`https://${host}${path}`, { redirect: "manual", headers: { ...pageHeaders, ...headers } });

const fine = { hosts: ["login.fine.com"], origin: "https://id.fine.com" };
const wide = { hosts: ["*.wide.com", "login.wide.net"], origin: "https://id.wide.com" };
const right = {
  hosts: ["login.broken.com"],
  origin: "https://id.broken.com",
  origin_headers: { "X-Lane": "blue" },
  stamp: { query: { variation_id: "ext-variation", config: "ext_config" } },
};

const ORIGIN_HEADERS = JSON.stringify({ broken: { "cname-api-key": "hunter2" }, fine: { "x-fine": "secret" } });

/** @param broken its part of TENANTS, as JSON where it cannot be written otherwise */
function stageWith(broken: unknown, vars: Record<string, unknown> = {}): WorkerHarness {
  const text = typeof broken === "string" ? broken : JSON.stringify(broken);
  const TENANTS = `{"fine":${JSON.stringify(fine)},"broken":${text},"wide":${JSON.stringify(wide)}}`;
  return createWorkerHarness({ TENANTS, ORIGIN_HEADERS, ...vars });
}

const forged = {
  "x-experiment-id": "exp_Page",
  "x-experiment-variation-id": "var_b",
  "X-Experiment-Failed-Open": "none",
  forwarded: "for=6.6.6.6;host=evil.example",
  "x-forwarded-host": "evil.example",
  "x-forwarded-for": "6.6.6.6",
  x_forwarded_proto: "ftp",
  "x-real-ip": "6.6.6.6",
  "x-original-url": "/admin",
};
const body = crypto.getRandomValues(new Uint8Array(40_000));
const query = "?a=%7E&ext-variation=evil&b=+&EXT%2Dvariation=evil;ext.config=evil&c=%00&&d=%2f";
const kept = "?a=%7E&b=+&c=%00&&d=%2f";

/** The target, the headers and the body arrive as they should, byte for byte. */
async function expectForwarded(
  stage: WorkerHarness,
  {
    host = "login.broken.com",
    target = "https://id.broken.com",
    search = kept,
    headers = {} as Record<string, string>,
  } = {},
) {
  const form = new Request(`https://${host}/u/login%2fx/..;/y${query}`, {
    method: "POST",
    body,
    redirect: "manual",
    headers: {
      ...forged,
      "cf-connecting-ip": "203.0.113.7",
      "content-type": "application/octet-stream",
      cookie: "a=b; c",
      "x-own": "kept",
    },
  });
  const path = new URL(form.url).pathname;
  const visit = await stage.send(form);
  expect(visit.seen.url).toBe(`${target}${path}${search}`);
  expect(visit.seen.method).toBe("POST");
  expect(visit.seen.body).toEqual(body);
  expect(Object.fromEntries(visit.seen.headers)).toEqual({
    "cf-connecting-ip": "203.0.113.7",
    "content-type": "application/octet-stream",
    cookie: "a=b; c",
    "x-own": "kept",
    "x-forwarded-for": "203.0.113.7",
    "x-forwarded-host": host,
    "x-forwarded-port": "443",
    "x-forwarded-proto": "https",
    "x-experiment-failed-open": "settings",
    ...headers,
  });
  const opened = await stage.send(page(host, "/login?experiment_id=exp_Page&variation_id=var_b"));
  expect(opened.seen.url).toBe(`${target}/login?experiment_id=exp_Page&variation_id=var_b`);
  expect([opened.stamp("failed-open"), opened.stamp("id"), opened.stamp("stamp")]).toEqual(["settings", null, null]);
  for (const { response, events } of [visit, opened]) {
    expect([response.status, response.headers.get("x-origin"), response.headers.getSetCookie()]).toEqual([
      200,
      "yes",
      [],
    ]);
    expect(await response.text()).toBe("<!doctype html><title>Log in</title>");
    expect(events).toEqual([]);
  }
}

/** Stamped, exposed, and counted for themselves. */
async function expectOthersServed(stage: WorkerHarness, without: readonly string[] = []) {
  const others = [
    ["fine", "login.fine.com", "https://id.fine.com"],
    ["wide", "a.b.wide.com", "https://id.wide.com"],
    ["wide", "LOGIN.wide.net.", "https://id.wide.com"],
  ].filter(([tenant = ""]) => !without.includes(tenant));
  for (const [tenant, host = "", target] of others) {
    const first = await stage.send(page(host));
    expect(first.seen.url).toBe(`${target}/login`);
    expect([first.stamp("id"), first.stamp("method"), first.stamp("failed-open")]).toEqual(["exp_Page", "auto", null]);
    expect(first.stamp("variation-id")).toMatch(/^var_[ab]$/);
    expect(first.seen.headers.get("x-fine")).toBe(tenant === "fine" ? "secret" : null);
    expect(first.events.map((event) => [event.tenant, event.type])).toEqual([
      [tenant, "assignment"],
      [tenant, "exposure"],
    ]);
    const cookie = first.response.headers
      .getSetCookie()
      .map((line) => line.split(";")[0])
      .join("; ");
    const again = await stage.send(page(host, "/login", { cookie }));
    expect([again.stamp("variation-id"), again.stamp("method")]).toEqual([first.stamp("variation-id"), "session"]);
  }
}

const own = { "x-lane": "blue", "cname-api-key": "hunter2" };
const asItCame = { target: "https://login.broken.com" };
const deep = `${'{"a":'.repeat(200)}1${"}".repeat(200)}`;

/** The broken tenant's settings, and what forwarding looks like where it differs. */
const wrong: [what: string, broken: unknown, forwarded?: Parameters<typeof expectForwarded>[1]][] = [
  ["an origin without a scheme", { ...right, origin: "id.broken.com" }],
  [
    "an origin without a scheme, with a port",
    { ...right, origin: "id.broken.com:8443" },
    { target: "https://id.broken.com:8443" },
  ],
  ["an origin that begins with slashes", { ...right, origin: "//id.broken.com" }],
  ["an origin with a path", { ...right, origin: "https://id.broken.com/base?x=1#y" }],
  ["an origin with a user", { ...right, origin: "https://me:secret@id.broken.com" }],
  ["an origin of another scheme", { ...right, origin: "ftp://id.broken.com" }, asItCame],
  ["an origin that is a script", { ...right, origin: "javascript:alert(1)" }, asItCame],
  ["an origin that is no host", { ...right, origin: "https://exa mple" }, asItCame],
  ["an empty origin", { ...right, origin: "" }, asItCame],
  ["an origin that is a number", { ...right, origin: 5 }, asItCame],
  ["an origin that is a list", { ...right, origin: ["https://id.broken.com"] }, asItCame],
  ["no origin, where the rest is wrong", { ...right, origin: undefined, provider: "ping" }, asItCame],
  ["an origin's host that is none", { ...right, origin_host: "exa mple" }],
  ["an unknown provider", { ...right, provider: "ping" }],
  ["a provider that every object has", { ...right, provider: "constructor" }],
  ["a consent pattern that is none", { ...right, consent: { cookie: "c", pattern: "(" } }],
  ["a consent pattern that backtracks without end", { ...right, consent: { cookie: "c", pattern: "(a+)+$(?=b)" } }],
  ["a consent pattern with a back reference", { ...right, consent: { cookie: "c", pattern: "(a*)\\1" } }],
  ["a consent pattern that is too long", { ...right, consent: { cookie: "c", pattern: "a".repeat(10_000) } }],
  ["a consent pattern that is too large", { ...right, consent: { cookie: "c", pattern: "((a{99}){99}){99}" } }],
  ["a consent cookie that is none", { ...right, consent: { cookie: "c; d", pattern: "yes" } }],
  ["consent that is a text", { ...right, consent: "yes" }],
  ["a path pattern that is none", { ...right, paths: ["login"] }],
  ["a path pattern with too many stars", { ...right, paths: ["/**/a/**/b/**"] }],
  ["paths that are no list", { ...right, paths: "/login" }],
  ["a page of no flow", { ...right, pages: [{ path: "/x", flow: "mfa" }] }],
  ["an outcome rule without an outcome", { ...right, outcomes: [{ path: "/x" }] }],
  ["an outcome rule with an unknown member", { ...right, outcomes: [{ outcome: "success", when: "always" }] }],
  ["an outcome rule with a status of its own", { ...right, outcomes: [{ outcome: "success", status: [1] }] }],
  ["headers that cannot be sent", { ...right, origin_headers: { ...right.origin_headers, "x key": "v", "x-b": "ü" } }],
  [
    "headers that are the gate's",
    { ...right, origin_headers: { ...right.origin_headers, "x-experiment-id": "v", Host: "x" } },
  ],
  ["headers that are a text", { ...right, origin_headers: "x" }, { headers: { "cname-api-key": "hunter2" } }],
  [
    "names for the stamp that cannot be in a query",
    { ...right, stamp: { query: { ...right.stamp.query, method: "bad&name" } } },
  ],
  ["a stamp value that is none", { ...right, stamp: { query: { ...right.stamp.query, color: "ext-color" } } }],
  ["a stamp with more than a query", { ...right, stamp: { ...right.stamp, headers: true } }],
  ["names for the stamp that are no texts", { ...right, stamp: { query: { ...right.stamp.query, stamp: 5 } } }],
  [
    "a name for the stamp that is endless",
    { ...right, stamp: { query: { ...right.stamp.query, stamp: "x".repeat(5_000) } } },
  ],
  ["a policy that is none", { ...right, overrides: "sometimes" }],
  ["an unknown option", { ...right, colour: "blue" }],
  ["users of an issuer that is no address", { ...right, user: { issuer: "here", jwks_uri: "", token: "cookie:t" } }],
  [
    "a user's token from nowhere",
    { ...right, user: { issuer: "https://i.com", jwks_uri: "https://i.com/k", token: "body:t" } },
  ],
  ["thresholds that are none", { ...right, diagnosis: { srm: "never" } }],
  ["a limit that is none", { ...right, active_experiment_limit: 1e9 }],
  ["a host that is none beside the right one", { ...right, hosts: ["login.broken.com", "exa mple", 5, null] }],
  ["a member deep inside", `${JSON.stringify(right).slice(0, -1)},"diagnosis":${deep}}`],
  ["a prototype of its own", `${JSON.stringify(right).slice(0, -1)},"__proto__":{"entitled":false}}`],
  ["a constructor", `${JSON.stringify(right).slice(0, -1)},"constructor":{"prototype":{"x":1}}}`],
  [
    "prototypes inside",
    `${JSON.stringify({ ...right, consent: null }).slice(0, -1)},"user":{"__proto__":{"issuer":"x"}}}`,
  ],
];

describe("a tenant with", () => {
  it.each(wrong)("%s is forwarded, and the others are served", async (_, broken, forwarded = {}) => {
    const stage = stageWith(broken);
    const { headers = own } = forwarded;
    await expectForwarded(stage, { ...forwarded, headers });
    await expectOthersServed(stage);
    // One line names every error, and no secret.
    const lines = stage.logged.filter((line) => line.includes("settings_invalid"));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain("TENANTS.broken: ");
    expect(stage.logged.join()).not.toMatch(/hunter2|TENANTS\.(fine|wide)/);
  });

  it("no object at all has no host, and the others are served", async () => {
    for (const broken of [null, 5, true, "text", [], ["x"], [right]]) {
      const stage = stageWith(JSON.stringify(broken));
      const { seen, stamp } = await stage.send(page("login.broken.com"));
      expect(seen.url).toBe("https://login.broken.com/login");
      expect(stamp("id")).toBeNull();
      await expectOthersServed(stage);
      vi.unstubAllGlobals();
    }
  });

  it("hosts that are none is reached by none", async () => {
    for (const hosts of [
      undefined,
      null,
      "login.broken.com",
      {},
      [],
      [""],
      ["https://login.broken.com"],
      ["*broken.com"],
    ]) {
      const stage = stageWith({ ...right, hosts });
      const { seen, stamp } = await stage.send(page("login.broken.com"));
      expect(seen.url).toBe("https://login.broken.com/login");
      expect(stamp("id")).toBeNull();
      await expectOthersServed(stage);
      vi.unstubAllGlobals();
    }
  });
});

describe("any option of a wrong type", () => {
  const options = [
    ..."origin_host origin_headers entitled active_experiment_limit provider paths signup_paths authorize_paths".split(
      " ",
    ),
    ..."outcomes pages stamp inject overrides consent device_cookie user management log_user_ids diagnosis".split(" "),
    "sign_client_ip",
  ];
  const values = [null, 5, -1, 1e300, "", "\u0000", "💥", [], [null], [[]], {}, { a: 1 }, true, false];

  it.each(options)("%s: switches off no more than that tenant's experiments", async (name) => {
    for (const value of values) {
      const given = { ...right, [name]: value };
      const stage = stageWith(given);
      const isValid = !readSettings(stage.env as never).errors.some((error) => error.startsWith("TENANTS.broken: "));
      const { seen, stamp } = await stage.send(page("login.broken.com"));
      expect(seen.url).toBe("https://id.broken.com/login");
      expect(seen.headers.get("cname-api-key")).toBe("hunter2");
      // A value that is valid is an option like any other.
      if (isValid) expect(stamp("failed-open")).toBeNull();
      else expect([stamp("failed-open"), stamp("id")]).toEqual(["settings", null]);
      await expectOthersServed(stage);
      vi.unstubAllGlobals();
    }
  });
});

describe("a host", () => {
  it("that two tenants claim stays the first one's; the other is forwarded on what is left of its own", async () => {
    for (const host of ["login.fine.com", "LOGIN.FINE.COM", "login.fine.com."]) {
      const stage = stageWith({ ...right, hosts: ["login.broken.com", host] });
      await expectForwarded(stage, { headers: own });
      await expectOthersServed(stage);
      vi.unstubAllGlobals();
    }
  });

  it("that a wrong tenant has within another's wildcard is its own", async () => {
    const stage = stageWith({ ...right, hosts: ["login.broken.com", "id.wide.com"], provider: "ping" });
    await expectForwarded(stage, { host: "id.wide.com", headers: own });
    await expectOthersServed(stage);
  });

  it("of no tenant is forwarded as it came, whatever is wrong", async () => {
    const stage = stageWith({ ...right, provider: "ping" });
    const { seen, stamp } = await stage.send(page("elsewhere.example", "/a?ext-variation=1", forged));
    expect(seen.url).toBe("https://elsewhere.example/a?ext-variation=1");
    expect([stamp("id"), stamp("failed-open"), seen.headers.get("x-forwarded-host")]).toEqual([
      null,
      null,
      "elsewhere.example",
    ]);
  });

  it("of the tenant on every host is forwarded while it is wrong, beside the others", async () => {
    const TENANTS = JSON.stringify({ default: { provider: "ping" }, fine, wide });
    const stage = createWorkerHarness({
      TENANTS,
      ORIGIN: "https://id.example.com",
      ORIGIN_HEADERS: JSON.stringify({ fine: { "x-fine": "secret" } }),
    });
    const { seen, stamp } = await stage.send(page("anything.example"));
    expect([seen.url, stamp("failed-open")]).toEqual(["https://id.example.com/login", "settings"]);
    await expectOthersServed(stage);
  });
});

describe("a tenant's name that is none", () => {
  it.each(["Bad Name", "-x", "a".repeat(64), "", "ü", "a/b", "__proto__"])("%j costs no other tenant", async (name) => {
    const TENANTS = `{"fine":${JSON.stringify(fine)},${JSON.stringify(name)}:${JSON.stringify(right)},"wide":${JSON.stringify(wide)}}`;
    const stage = createWorkerHarness({ TENANTS, ORIGIN_HEADERS: JSON.stringify({ fine: { "x-fine": "secret" } }) });
    await expectForwarded(stage, { headers: { "x-lane": "blue" } });
    await expectOthersServed(stage);
  });

  it.each(["constructor", "tostring", "valueof", "hasownproperty"])("%j is one like any other", async (name) => {
    await publish(resources(), 1, name);
    const TENANTS = JSON.stringify({ fine, [name]: right, wide });
    const stage = createWorkerHarness({ TENANTS, ORIGIN_HEADERS: JSON.stringify({ fine: { "x-fine": "secret" } }) });
    const { seen, stamp } = await stage.send(page("login.broken.com"));
    expect([seen.url, stamp("id"), stamp("failed-open")]).toEqual(["https://id.broken.com/login", "exp_Page", null]);
    await expectOthersServed(stage);
    await clearStores([name]);
  });
});

describe("secret headers", () => {
  it.each([
    ["a text", "x", {}],
    ["a list", ["x"], {}],
    ["null", null, {}],
    ["a name that is none", { "bad name": "hunter2", "x-good": "1" }, { "x-good": "1" }],
    ["a value that is none", { "x-bad": "hunter2\r\nx-evil: 1", "x-good": "1" }, { "x-good": "1" }],
    ["a value that is no text", { "x-bad": 5, "x-good": "1" }, { "x-good": "1" }],
    [
      "a name of the gate's",
      { "X-Forwarded-Host": "evil", "x-experiment-id": "evil", "x-good": "1" },
      { "x-good": "1" },
    ],
  ])("of one tenant that are wrong cost no other: %s", async (_, headers, sent) => {
    const stage = stageWith(right, {
      ORIGIN_HEADERS: JSON.stringify({ broken: headers, fine: { "x-fine": "secret" } }),
    });
    await expectForwarded(stage, { headers: { "x-lane": "blue", ...sent } });
    await expectOthersServed(stage);
    expect(stage.logged.join()).not.toMatch(/hunter2|secret/);
  });

  it("of a tenant that does not exist cost no other", async () => {
    const stage = stageWith(
      { ...right, provider: "ping" },
      { ORIGIN_HEADERS: JSON.stringify({ missing: { a: "b" }, fine: { "x-fine": "secret" } }) },
    );
    await expectOthersServed(stage);
  });

  it("that cannot be read at all concern every tenant: each is forwarded to its own origin", async () => {
    for (const text of ["not json", "[]", "5", '"x"', '{"fine":']) {
      const stage = stageWith(right, { ORIGIN_HEADERS: text });
      await expectForwarded(stage, { headers: { "x-lane": "blue" } });
      const { seen, stamp } = await stage.send(page("login.fine.com"));
      expect([seen.url, stamp("failed-open")]).toEqual(["https://id.fine.com/login", "settings"]);
      vi.unstubAllGlobals();
    }
  });
});

describe("what all tenants share", () => {
  it.each([
    [{ COOKIE_KEYS: "" }],
    [{ COOKIE_KEYS: "k1:short" }],
    [{ STAMP_KEY: "" }],
    [{ STAMP_KEY: "not base64url!" }],
    [{ UNIT_KEY: "short" }],
    [{ ADMIN_TOKEN: "short" }],
    [{ DECISION_BUDGET_MS: "soon" }],
    [{ ADMIN_HOSTS: "exa mple" }],
    [{ EVENTS: undefined }],
    [{ SNAPSHOTS: null }],
  ])("wrong, forwards every tenant by its own origin, with its headers: %j", async (vars) => {
    const stage = stageWith(right, vars);
    await expectForwarded(stage, { headers: own });
    const { seen, stamp } = await stage.send(page("login.fine.com"));
    expect([seen.url, seen.headers.get("x-fine"), stamp("failed-open"), stamp("id")]).toEqual([
      "https://id.fine.com/login",
      "secret",
      "settings",
      null,
    ]);
  });

  it.each(["not json", "[]", "null", '"text"', "{", "5"])("TENANTS that cannot be read: %s", async (TENANTS) => {
    const stage = createWorkerHarness({ TENANTS, ORIGIN: "https://id.example.com" });
    const { seen, stamp } = await stage.send(page("login.fine.com", "/login", forged));
    expect(seen.url).toBe("https://id.example.com/login");
    expect([stamp("failed-open"), stamp("id")]).toEqual(["settings", null]);
    expect(seen.headers.get("x-forwarded-host")).toBe("login.fine.com");
  });
});

describe("a store that fails one tenant", () => {
  const names = ["hang", "error", "throw", "garbage"] as const;
  type Fault = (typeof names)[number];
  const html = "<html>502 Bad Gateway</html>";
  const garbage = {
    kv: async () => ({ value: new Blob([html]).stream(), metadata: { version: 99 } }),
    cache: async () => new Response(html),
    queue: async () => html,
    crypto: async () => new ArrayBuffer(32),
  };
  const faulty = (store: keyof typeof garbage, fault: Fault) =>
    (fault === "garbage" ? garbage[store] : callFaults[fault]) as (...args: unknown[]) => unknown;

  /** The store, whose calls about the broken tenant fail. */
  function failing<T extends object>(
    store: T,
    fail: (...args: unknown[]) => unknown,
    concerns: (args: unknown[]) => boolean = mentions,
  ): T {
    return new Proxy(store, {
      get(target, name) {
        const value = Reflect.get(target, name);
        if (typeof value !== "function") return value;
        return (...args: unknown[]) => (concerns(args) ? fail(...args) : Reflect.apply(value, target, args));
      },
    });
  }
  const mentions = (args: unknown[]) =>
    args.some((arg) => (typeof arg === "string" ? arg : ((arg as Request)?.url ?? "")).includes("broken"));
  const start = () => stageWith(right, { DECISION_BUDGET_MS: "100" });

  /** Fails open or goes on; never a control, never another answer. */
  async function expectSafe(stage: WorkerHarness, reasons: RegExp) {
    const { seen, stamp, response } = await stage.send(page("login.broken.com"), false);
    expect(seen.url).toBe("https://id.broken.com/login");
    expect([response.status, await response.text()]).toEqual([200, "<!doctype html><title>Log in</title>"]);
    expect(stamp("failed-open") ?? "none").toMatch(reasons);
    if (stamp("failed-open") !== null) expect([stamp("id"), stamp("control")]).toEqual([null, null]);
  }

  it.each(names)("KV: %s", { retry: 2 }, async (fault) => {
    const stage = start();
    stage.stores.kv = failing(realStores.kv, faulty("kv", fault));
    await expectSafe(stage, /^(error|budget)$/);
    await expectOthersServed(stage);
    // Again and again: what is in memory stays there, whatever becomes of KV's circuit.
    for (let time = 0; time < 25; time++) await expectSafe(stage, /^(error|budget|circuit_open)$/);
    await expectOthersServed(stage);
  });

  it("KV: one tenant's garbage opens no circuit before the others", async () => {
    await realStores.kv.put("snapshot:broken", "<html>", { metadata: { version: 99 } });
    const stage = start();
    for (let time = 0; time < 30; time++) await expectSafe(stage, /^error$/);
    await expectOthersServed(stage);
  });

  it.each(names)("cache: %s", { retry: 2 }, async (fault) => {
    const stage = start();
    stage.stores.cache = failing(realStores.cache, faulty("cache", fault));
    await expectSafe(stage, /^none$/);
    await expectOthersServed(stage);
  });

  it.each(names)("KV and cache: %s", { retry: 2 }, async (fault) => {
    const stage = start();
    stage.stores.kv = failing(realStores.kv, faulty("kv", fault));
    stage.stores.cache = failing(realStores.cache, faulty("cache", fault));
    await expectSafe(stage, /^(error|budget)$/);
    await expectOthersServed(stage);
  });

  it.each(names)("queue: %s", async (fault) => {
    const stage = start();
    const isBroken = ([batch]: unknown[]) => JSON.stringify(batch).includes('"broken"');
    stage.stores.queue = failing(stage.stores.queue as object, faulty("queue", fault), isBroken);
    await expectSafe(stage, /^none$/);
    await expectOthersServed(stage);
    expect(JSON.stringify(stage.queued)).not.toContain('"broken"');
  });

  it.each(names)("cryptography, for one request: %s", { retry: 2 }, async (fault) => {
    for (const part of ["sign", "importKey"] as const) {
      if (part === "importKey" && fault === "garbage") continue;
      const stage = start();
      vi.spyOn(crypto.subtle, part).mockImplementation(faulty("crypto", fault) as () => never);
      const { seen, stamp } = await stage.send(page("login.broken.com"), fault === "garbage");
      expect(seen.url).toBe("https://id.broken.com/login");
      if (fault !== "garbage") expect(stamp("failed-open")).toMatch(/^(error|budget)$/);
      if (stamp("failed-open") !== null) expect(stamp("id")).toBeNull();
      vi.restoreAllMocks();
      await expectOthersServed(stage);
      vi.unstubAllGlobals();
    }
  });
});
