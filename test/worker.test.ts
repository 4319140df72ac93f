import { createExecutionContext } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Env } from "../src/settings.ts";
import worker from "../src/worker.ts";

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
  const env = { SNAPSHOTS: kv, EVENTS: {}, CONTROL: {}, ...good, ...vars } as unknown as Env;
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
    await ask("https://example.net/a", { TENANTS, ORIGIN: "" }, { headers: { "X-Experiment-Id": "forged" } });
    expect(forwarded[0]?.url).toBe("https://example.net/a");
    expect([...(forwarded[0]?.headers.keys() ?? [])]).toEqual([]);
  });
});

describe("wrong settings", () => {
  it("assign nothing and stop nobody", async () => {
    const error = vi.spyOn(console, "error").mockImplementation(() => {});
    const response = await ask("https://login.example.com/a", { COOKIE_KEYS: "", STAMP_KEY: "x" });
    expect(response.status).toBe(203);
    expect(forwarded[0]?.headers.get("x-experiment-failed-open")).toBe("settings");
    expect(error).toHaveBeenCalledTimes(1);
    expect(error.mock.calls[0]?.[0]).toMatch(/COOKIE_KEYS.*STAMP_KEY/);
  });

  it("of one tenant still lead to its origin", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    const TENANTS = JSON.stringify({
      acme: { hosts: ["login.acme.com"], origin: "https://id.acme.com", provider: "?" },
    });
    await ask("https://login.acme.com/a", { TENANTS });
    expect(forwarded[0]?.url).toBe("https://id.acme.com/a");
  });
});

describe("health", () => {
  it("is seen on admin hosts", async () => {
    const response = await ask("https://admin.example.com/_vestibule/health");
    expect([response.status, await response.json()]).toEqual([
      200,
      expect.objectContaining({ status: "ok", faults: [] }),
    ]);
  });

  it("lists what is wrong", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    const response = await ask("https://admin.example.com/_vestibule/health", { STAMP_KEY: "" });
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({ status: "settings_wrong", faults: [expect.stringContaining("STAMP_KEY")] });
  });

  it("does not exist elsewhere: the address is forwarded like any other", async () => {
    await ask("https://login.example.com/_vestibule/health");
    expect(forwarded[0]?.url).toBe("https://id.example.com/_vestibule/health");
  });
});
