import { createExecutionContext } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import worker from "../src/worker.ts";
import { type Bindings, type Env, joined } from "./all-workers.ts";

const key = "A".repeat(43);
const good = {
  COOKIE_KEYS: `k1:${key}`,
  STAMP_KEY: key,
  ORIGIN: "https://id.example.com",
  ADMIN_HOSTS: "admin.example.com",
};
const kv = { getWithMetadata: async () => ({ value: null, metadata: null }) };

let forwarded: Request[] = [];
beforeEach(() => {
  forwarded = [];
  vi.stubGlobal("fetch", async (input: RequestInfo, init?: RequestInit) => {
    forwarded.push(new Request(input, init));
    return new Response("from the origin", { status: 203 });
  });
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

async function ask(address: string, vars: Record<string, unknown> = {}, init: RequestInit = {}) {
  const objects = { CONTROL: {}, COHORTS: {}, LOGBOOK: {}, LEDGER: {} };
  const own = { SNAPSHOTS: kv, EVENTS: {}, ...objects, ...good, ...vars } as unknown as Bindings;
  const env = { ...joined(own), ...vars } as Env;
  const request = new Request(address, init) as Parameters<typeof worker.fetch>[0];
  return worker.fetch(request, env, createExecutionContext());
}

describe("hosts", () => {
  const TENANTS = JSON.stringify({
    acme: { hosts: ["login.acme.com"], origin: "https://id.acme.com" },
    wide: { hosts: ["*.acme.com"], origin: "https://wide.acme.com" },
  });

  it.each([
    ["https://login.acme.com/a?b", "https://id.acme.com/a?b"],
    ["https://other.acme.com/a", "https://wide.acme.com/a"],
    ["https://example.net/a", "https://id.example.com/a"],
  ])("%s leads to %s", async (address, target) => {
    expect((await ask(address, { TENANTS })).status).toBe(203);
    expect(forwarded.map(({ url }) => url)).toEqual([target]);
  });

  it("that are nobody's are fetched as they came, without forged stamps", async () => {
    const headers = { "X-Experiment-Id": "forged", "X-Forwarded-Host": "evil.example", X_Forwarded_Proto: "ftp" };
    await ask("https://example.net/a", { TENANTS, ORIGIN: "" }, { headers });
    expect(forwarded[0]?.url).toBe("https://example.net/a");
    expect(Object.fromEntries(forwarded[0]?.headers ?? [])).toEqual({
      "x-forwarded-host": "example.net",
      "x-forwarded-port": "443",
      "x-forwarded-proto": "https",
    });
  });
});

describe("wrong settings", () => {
  it("that all tenants share run no experiment anywhere, and all is forwarded", async () => {
    const error = vi.spyOn(console, "error").mockImplementation(() => {});
    const response = await ask("https://login.example.com/a", { COOKIE_KEYS: "", STAMP_KEY: "x" });
    expect(response.status).toBe(203);
    expect(forwarded[0]?.headers.get("x-experiment-failed-open")).toBe("settings");
    expect(error).toHaveBeenCalledTimes(1);
    expect(error.mock.calls[0]?.[0]).toMatch(/COOKIE_KEYS.*STAMP_KEY/);
  });

  const stamped = { query: { variation_id: "ext-variation" } };
  const broken = { hosts: ["login.acme.com"], origin: "id.acme.com", provider: "?", stamp: stamped };

  it("of one tenant still lead to its origin, with its headers and without forged parameters", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    const TENANTS = JSON.stringify({ acme: { ...broken, origin_headers: { "X-Lane": "blue" } } });
    const ORIGIN_HEADERS = JSON.stringify({ acme: { "cname-api-key": "hunter2" } });
    const address = "https://login.acme.com/authorize?client_id=a;EXT%2Dvariation=evil&state=%7e";
    await ask(address, { TENANTS, ORIGIN_HEADERS });
    expect(forwarded[0]?.url).toBe("https://id.acme.com/authorize?client_id=a&state=%7e");
    expect(Object.fromEntries(forwarded[0]?.headers ?? [])).toMatchObject({
      "cname-api-key": "hunter2",
      "x-lane": "blue",
      "x-experiment-failed-open": "settings",
    });
  });

  it("of one tenant are nothing to another", async () => {
    const error = vi.spyOn(console, "error").mockImplementation(() => {});
    const read: string[] = [];
    const SNAPSHOTS = {
      async getWithMetadata(key: string) {
        read.push(key);
        return { value: null, metadata: null };
      },
    };
    const TENANTS = JSON.stringify({ acme: broken, wide: { hosts: ["*.wide.com"], origin: "https://id.wide.com" } });
    const headers = { accept: "text/html", "sec-fetch-dest": "document" };
    await ask("https://login.wide.com/login", { TENANTS, SNAPSHOTS }, { headers });
    expect(forwarded[0]?.url).toBe("https://id.wide.com/login");
    expect(forwarded[0]?.headers.has("x-experiment-failed-open")).toBe(false);
    expect(read).toEqual(["snapshot:wide"]);
    expect(error.mock.calls[0]?.[0]).toMatch(/TENANTS.acme: provider/);
  });

  it("are listed by health without any secret", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    const ORIGIN_HEADERS = JSON.stringify({ acme: { "x key": "hunter2", good: "hunter2\n" }, other: { a: "hunter2" } });
    const TENANTS = JSON.stringify({ acme: { hosts: ["login.acme.com"] } });
    const response = await ask("https://admin.example.com/_vestibule/health", { TENANTS, ORIGIN_HEADERS });
    const text = await response.text();
    expect([response.status, JSON.parse(text).errors.length]).toEqual([503, 3]);
    expect(text).not.toContain("hunter2");
  });
});

describe("whatever is thrown", () => {
  it.each(["SNAPSHOTS", "EVENTS"])("the request is forwarded: %s", async (name) => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    const own = { ...good, MANAGEMENT: {}, DASHBOARD: {}, COHORTS: {}, SNAPSHOTS: kv, EVENTS: {} };
    const env = Object.defineProperty({ ...own }, name, {
      get() {
        throw new Error("no such binding");
      },
    }) as unknown as Env;
    const init = { method: "POST", body: "password=1", redirect: "manual" } as const;
    const request = new Request("https://login.example.com/login", init) as Parameters<typeof worker.fetch>[0];
    expect((await worker.fetch(request, env, createExecutionContext())).status).toBe(203);
    expect(await forwarded[0]?.text()).toBe("password=1");
  });

  it("by a setting's getter too", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    const env = new Proxy({} as Env, {
      get() {
        throw new Error("no environment");
      },
    });
    const request = new Request("https://login.example.com/login") as Parameters<typeof worker.fetch>[0];
    expect((await worker.fetch(request, env, createExecutionContext())).status).toBe(203);
  });
});

describe("the Workers behind", () => {
  const unreachable = async () => {
    throw new Error("no such Worker");
  };
  const page = "https://admin.example.com/_vestibule/";
  const operation = "https://admin.example.com/api/v2/experimentation/segments";

  it("are handed every variable and secret with what they are asked", async () => {
    const answer = vi.fn(async () => new Response("from behind"));
    const show = vi.fn(async () => new Response("a page"));
    const vars = { MANAGEMENT: { answer }, DASHBOARD: { show }, ADMIN_TOKEN: "a-root-token-for-tests" };
    expect(await (await ask(operation, vars)).text()).toBe("from behind");
    expect(await (await ask(page, vars)).text()).toBe("a page");
    const handed = { ...good, ADMIN_TOKEN: vars.ADMIN_TOKEN };
    expect(answer).toHaveBeenCalledWith(expect.any(Request), handed);
    expect(show).toHaveBeenCalledWith(expect.any(Request), handed, expect.objectContaining({ snapshots: {} }));
  });

  it("are told of by an answer of their kind while they cannot be reached; log-ins go on", async () => {
    const error = vi.spyOn(console, "error").mockImplementation(() => {});
    const vars = { MANAGEMENT: { answer: unreachable }, DASHBOARD: { show: unreachable } };
    const managed = await ask(operation, vars);
    expect([managed.status, await managed.json()]).toEqual([
      503,
      expect.objectContaining({ statusCode: 503, errorCode: "control_unavailable" }),
    ]);
    expect((await ask(page, vars)).status).toBe(503);
    const sent = await ask(operation, vars, { method: "POST", body: "{}" });
    expect(await sent.json()).toMatchObject({ message: expect.stringMatching(/It may have been done/) });
    expect(error).toHaveBeenCalledTimes(3);
    expect((await ask("https://login.example.com/a", vars)).status).toBe(203);
    expect(forwarded[0]?.headers.has("x-experiment-failed-open")).toBe(false);
  });

  it.each(["SNAPSHOTS", "EVENTS", "COHORTS", "MANAGEMENT", "DASHBOARD"])(
    "and every store are bound, or it is an error: %s",
    async (name) => {
      vi.spyOn(console, "error").mockImplementation(() => {});
      const response = await ask("https://admin.example.com/_vestibule/health", { [name]: undefined });
      expect(await response.json()).toEqual({ status: "settings_wrong", errors: [expect.stringContaining(name)] });
    },
  );
});

describe("health", () => {
  it("is seen on admin hosts", async () => {
    const response = await ask("https://admin.example.com/_vestibule/health");
    expect([response.status, await response.json()]).toEqual([
      200,
      expect.objectContaining({ status: "ok", errors: [] }),
    ]);
  });

  it("lists what is wrong", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    const response = await ask("https://admin.example.com/_vestibule/health", { STAMP_KEY: "" });
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({ status: "settings_wrong", errors: [expect.stringContaining("STAMP_KEY")] });
  });

  it("does not exist elsewhere: the address is forwarded like any other", async () => {
    await ask("https://login.example.com/_vestibule/health");
    expect(forwarded[0]?.url).toBe("https://id.example.com/_vestibule/health");
  });
});

describe("the management API", () => {
  const path = "/api/v2/experimentation/segments";
  const ADMIN_TOKEN = "a-root-token-for-tests";
  const TENANTS = JSON.stringify({
    acme: { hosts: ["login.acme.com", "admin.acme.com"], origin: "https://id.acme.com" },
    wide: { hosts: ["*.acme.com"], origin: "https://wide.acme.com" },
  });
  const ADMIN_HOSTS = "admin.acme.com,admin.else.com,ops.acme.com,admin.example.com";

  /** Whose control plane is asked, or what the API refuses with. */
  async function managed(host: string, vars: Record<string, unknown>, headers: Record<string, string> = {}) {
    const asked: string[] = [];
    const execute = async () => ({ ok: true, json: "{}" });
    const CONTROL = {
      idFromName: (name: string) => name,
      get(name: string) {
        asked.push(name);
        return { execute };
      },
    };
    const authorization = `Bearer ${ADMIN_TOKEN}`;
    const response = await ask(
      `https://${host}${path}`,
      { ADMIN_TOKEN, ADMIN_HOSTS, CONTROL, ORIGIN: "", ...vars },
      { headers: { authorization, ...headers } },
    );
    const { errorCode } = await response.json<{ errorCode?: string }>();
    return errorCode === undefined ? asked : [response.status, errorCode];
  }
  const name = (tenant: string) => ({ "x-vestibule-tenant": tenant });

  it("is about the tenant that the request names, wherever it comes in", async () => {
    expect(await managed("admin.acme.com", { TENANTS }, name("wide"))).toEqual(["wide"]);
    expect(await managed("admin.else.com", { TENANTS }, name("acme"))).toEqual(["acme"]);
    for (const tenant of ["other", "", "acme, acme", "__proto__"]) {
      expect(await managed("admin.acme.com", { TENANTS }, name(tenant))).toEqual([404, "tenant_not_found"]);
    }
  });

  it("or else about the one whose host it is, the most telling first", async () => {
    expect(await managed("admin.acme.com", { TENANTS })).toEqual(["acme"]);
    expect(await managed("ops.acme.com", { TENANTS })).toEqual(["wide"]);
    expect(await managed("admin.else.com", { TENANTS, ORIGIN: "https://id.example.com" })).toEqual(["default"]);
  });

  it("or else about the only one", async () => {
    const only = JSON.stringify({ acme: { hosts: ["login.acme.com"], origin: "https://id.acme.com" } });
    expect(await managed("admin.else.com", { TENANTS: only })).toEqual(["acme"]);
    expect(await managed("admin.else.com", { TENANTS: "", ORIGIN: "" })).toEqual(["default"]);
  });

  it("or else about none", async () => {
    expect(await managed("admin.else.com", { TENANTS })).toEqual([400, "tenant_required"]);
  });

  it("is about no other tenant where one's settings are wrong", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    const wrong = JSON.stringify({
      acme: { hosts: ["admin.acme.com"], origin: "https://id.acme.com", provider: "?" },
      wide: { hosts: ["*"], origin: "https://wide.acme.com" },
    });
    for (const headers of [{}, name("acme")]) {
      expect(await managed("admin.acme.com", { TENANTS: wrong }, headers)).toEqual([503, "control_unavailable"]);
    }
    expect(await managed("admin.acme.com", { TENANTS: wrong }, name("wide"))).toEqual(["wide"]);
  });

  it.each([
    ["https://login.acme.com", path],
    ["https://login.acme.com", "/api/v2/experimentation"],
    ["https://admin.acme.com", "/api/v2/experimentations"],
    ["https://admin.acme.com", "/api/v2/users"],
    ["https://admin.acme.com", "/x/api/v2/experimentation/segments"],
  ])("does not exist at %s%s: it is forwarded, token and all", async (origin, address) => {
    const headers = { authorization: `Bearer ${ADMIN_TOKEN}`, "x-correlation-id": "mine" };
    const vars = { TENANTS, ADMIN_TOKEN, ADMIN_HOSTS: "admin.acme.com" };
    const response = await ask(`${origin}${address}`, vars, { headers });
    expect(response.status).toBe(203);
    expect(forwarded[0]?.url).toBe(`https://id.acme.com${address}`);
    expect(forwarded[0]?.headers.get("authorization")).toBe(headers.authorization);
  });
});

describe("the fetch APIs", () => {
  const path = "/sdk/stream/v1/flags";
  const TENANTS = JSON.stringify({ acme: { hosts: ["login.acme.com"], origin: "https://id.acme.com" } });

  it.each(["login.acme.com", "admin.example.com"])("are there on %s", async (host) => {
    expect((await ask(`https://${host}${path}`, { TENANTS, ORIGIN: "" })).status).toBe(501);
    expect((await ask(`https://${host}/${path}`, { TENANTS, ORIGIN: "" })).status).toBe(501);
    expect(forwarded).toEqual([]);
  });

  it.each([
    ["login.acme.com", ["snapshot:acme"]],
    ["else.example.com", []],
    ["admin.example.com", ["snapshot:acme", "snapshot:wide"]],
    ["admin.wide.com", ["snapshot:wide", "snapshot:acme"]],
  ])("look on %s for a key among %j", async (host, expected) => {
    const read: string[] = [];
    const SNAPSHOTS = {
      async getWithMetadata(key: string) {
        read.push(key);
        return { value: null, metadata: null };
      },
    };
    const both = { ...JSON.parse(TENANTS), wide: { hosts: ["*.wide.com"], origin: "https://wide.com" } };
    const ADMIN_HOSTS = "admin.example.com,admin.wide.com";
    const vars = { TENANTS: JSON.stringify(both), ORIGIN: "", SNAPSHOTS, ADMIN_HOSTS };
    await ask(`https://${host}/v1/flags`, vars, { headers: { authorization: "Api-Key some-key" } });
    expect(read).toEqual(expected);
  });

  it("do not exist on a host that is nobody's, nor with wrong settings", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    expect((await ask(`https://example.net${path}`, { TENANTS, ORIGIN: "" })).status).toBe(203);
    expect((await ask(`https://login.acme.com${path}`, { TENANTS, STAMP_KEY: "" })).status).toBe(203);
    expect(forwarded.map(({ url }) => url)).toEqual([`https://example.net${path}`, `https://id.acme.com${path}`]);
  });
});
