import { createExecutionContext } from "cloudflare:test";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { managementPath } from "../../../src/api/management/address.ts";
import worker from "../../../src/worker.ts";
import { type Answer, adminHost, type Client, createClient, rootToken } from "../client.ts";

const rules = [{ match: { device_type: ["mobile"] } }];
const all = ["read", "create", "update", "delete"].map((verb) => `${verb}:experimentation`);

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
  vi.restoreAllMocks();
});

function expectRefused({ status, body, headers }: Answer) {
  expect([status, body.statusCode, body.error, body.errorCode]).toEqual([401, 401, "Unauthorized", "invalid_token"]);
  expect(body.message).toMatch(/^Invalid token\./);
  expect(headers.get("www-authenticate")).toBe('Bearer error="invalid_token"');
  expect(headers.has("x-ratelimit-limit")).toBe(false);
}

describe("without a genuine token", () => {
  it.each([
    ["another scheme", "Basic cm9vdDpyb290"],
    ["no token", "Bearer"],
    ["two tokens", `Bearer ${rootToken} ${rootToken}`],
    ["an unknown text", "Bearer unknown"],
    ["a token that nobody made", `Bearer vst_${"A".repeat(43)}`],
    ["a JWT without an issuer", "Bearer eyJhbGciOiJub25lIn0.e30.e30"],
    ["part of the root token", `Bearer ${rootToken.slice(0, -1)}`],
    ["more than the root token", `Bearer ${rootToken}x`],
    ["a very long token", `Bearer ${"x.".repeat(9_000)}`],
  ])("%s is refused", async (_, authorization) => {
    const client = createClient();
    expectRefused(await client.send("GET", "/segments", undefined, { authorization }));
  });

  it("a request without credentials is not told that they are wrong", async () => {
    const { env } = createClient();
    const request = new Request(`https://${adminHost}${managementPath}/segments`) as Parameters<typeof worker.fetch>[0];
    const { status, headers } = await worker.fetch(request, env, createExecutionContext());
    expect([status, headers.get("www-authenticate")]).toEqual([401, "Bearer"]);
  });

  it("nothing else is told: neither what exists, nor what is wrong with a request", async () => {
    const { send } = createClient({ token: `vst_${"A".repeat(43)}` });
    for (const [method, path, body] of [
      ["GET", "/nothing/here"],
      ["PUT", "/segments", {}],
      ["POST", "/segments", "{"],
      ["GET", "/segments?unknown=1"],
      ["POST", "/segments", "x".repeat(2_000_000)],
    ] as const) {
      expectRefused(await send(method, path, body, { "x-correlation-id": "mine" }));
    }
  });

  it("nor which tenants there are", async () => {
    const { send } = createClient({ token: `vst_${"A".repeat(43)}` });
    expectRefused(await send("GET", "/segments", undefined, { "x-vestibule-tenant": "other" }));
  });
});

describe("the root token", () => {
  it("may do everything, whatever the case of the scheme", async () => {
    const { send } = createClient();
    for (const scheme of ["Bearer", "bearer", "BEARER "]) {
      const { status } = await send("GET", "/segments", undefined, { authorization: `${scheme} ${rootToken}` });
      expect(status).toBe(200);
    }
  });

  it("is nobody's where none is set", async () => {
    const { send } = createClient({ vars: { ADMIN_TOKEN: undefined } });
    expectRefused(await send("GET", "/segments"));
    expectRefused(await send("GET", "/segments", undefined, { authorization: "Bearer undefined" }));
    expectRefused(await send("GET", "/segments", undefined, { authorization: "Bearer null" }));
  });
});

describe("a token of ours", () => {
  it("may do what its scopes say; what it may not is told before what is wrong", async () => {
    const root = createClient();
    const { token } = await root.post("/tokens", { name: "Reader", scopes: ["read:experimentation"] });
    const authorization = `Bearer ${token}`;
    const send = (method: string, path: string, body?: unknown) => root.send(method, path, body, { authorization });
    expect((await send("GET", "/segments")).status).toBe(200);
    for (const [method, path, body, scope] of [
      ["POST", "/segments", { name: "Phones", rules }, "create"],
      ["POST", "/segments", { nonsense: 1 }, "create"],
      ["POST", "/segments", "{", "create"],
      ["PATCH", "/segments/seg_1", {}, "update"],
      ["DELETE", "/segments/seg_1", undefined, "delete"],
    ] as const) {
      const { status, body: answer, headers } = await send(method, path, body);
      expect([status, answer]).toEqual([
        403,
        {
          statusCode: 403,
          error: "Forbidden",
          message: `Insufficient scope; expected any of: ${scope}:experimentation.`,
          errorCode: "insufficient_scope",
        },
      ]);
      expect(headers.get("www-authenticate")).toBe('Bearer error="insufficient_scope"');
      expect(headers.get("x-ratelimit-limit")).toBe("1000");
    }
    expect((await send("GET", "/nothing/here")).status).toBe(404);
  });

  it("ends when it expires", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const { send, post } = createClient();
    const expires_at = new Date(Date.now() + 60_000).toISOString();
    const { token } = await post("/tokens", { name: "Brief", scopes: all, expires_at });
    const ask = () => send("GET", "/segments", undefined, { authorization: `Bearer ${token}` });
    vi.setSystemTime(Date.now() + 59_000);
    expect((await ask()).status).toBe(200);
    vi.setSystemTime(Date.now() + 1_000);
    const answer = await ask();
    expectRefused(answer);
    expect(answer.body.message).toBe(`Invalid token. It expired at ${expires_at}.`);
  });

  it("is another tenant's nothing", async () => {
    const { token } = await createClient().post("/tokens", { name: "Mine", scopes: all });
    expectRefused(await createClient({ token }).send("GET", "/segments"));
  });
});

describe("a tenant that is not entitled", () => {
  it("is told so, apart from scopes", async () => {
    const { send } = createClient({ tenant: { entitled: false } });
    for (const path of ["/segments", "/segments/seg_1", "/nothing"]) {
      const { status, body } = await send("GET", path);
      expect([status, body]).toEqual([
        403,
        {
          statusCode: 403,
          error: "Forbidden",
          message: "Experiment Center is not enabled for this tenant",
          errorCode: "feature_not_entitled",
        },
      ]);
    }
  });
});

describe("JWTs of the tenant's issuer", async () => {
  const management = {
    issuer: "https://issuer.example.com/",
    jwks_uri: "https://issuer.example.com/.well-known/jwks.json",
    audience: "https://api.example.com",
  };
  const genuine = await generateKeyPair("RS256");
  const stranger = await generateKeyPair("RS256");
  const jwks = { keys: [{ ...(await exportJWK(genuine.publicKey)), kid: "k1", alg: "RS256", use: "sig" }] };
  let fetches: string[];
  let answerKeys: (signal: AbortSignal | undefined) => Response | Promise<Response>;
  beforeEach(() => {
    fetches = [];
    answerKeys = () => Response.json(jwks);
    vi.stubGlobal("fetch", async (url: string, init?: RequestInit) => {
      fetches.push(String(url));
      return answerKeys(init?.signal ?? undefined);
    });
  });

  interface Making {
    claims?: Record<string, unknown>;
    kid?: string;
    key?: CryptoKey;
    expires?: string | null;
    issuer?: string;
    audience?: string | null;
  }
  function sign({ claims = { scope: all.join(" ") }, kid = "k1", key = genuine.privateKey, ...rest }: Making = {}) {
    const { expires = "1h", issuer = management.issuer, audience = management.audience } = rest;
    const jwt = new SignJWT({ sub: "somebody", ...claims }).setProtectedHeader({ alg: "RS256", kid }).setIssuer(issuer);
    if (audience !== null) jwt.setAudience(audience);
    if (expires !== null) jwt.setExpirationTime(expires);
    return jwt.sign(key);
  }
  const tenantWithIssuer = () => createClient({ tenant: { management } });
  async function ask(client: Client, token: string, method = "GET", body?: unknown) {
    return client.send(method, "/segments", body, { authorization: `Bearer ${token}` });
  }

  it("are let in, and named in the change log", async () => {
    const client = tenantWithIssuer();
    expect((await ask(client, await sign(), "POST", { name: "Phones", rules })).status).toBe(201);
    expect((await client.get("/changes")).changes).toMatchObject([{ actor: "jwt:somebody" }]);
    expect(fetches).toEqual([management.jwks_uri]);
    expect((await ask(client, await sign())).status).toBe(200);
    expect(fetches).toHaveLength(1);
  });

  it.each([
    ["scope", { scope: "openid read:experimentation" }],
    ["permissions", { scope: "openid", permissions: ["read:experimentation", "read:else"] }],
  ])("may do what %s says", async (_, claims) => {
    const client = tenantWithIssuer();
    const token = await sign({ claims });
    expect((await ask(client, token)).status).toBe(200);
    const { status, body } = await ask(client, token, "POST", { name: "Phones", rules });
    expect([status, body.errorCode]).toEqual([403, "insufficient_scope"]);
  });

  it("without one of the scopes may do nothing", async () => {
    const { status, body } = await ask(tenantWithIssuer(), await sign({ claims: { scope: 7, permissions: "all" } }));
    expect([status, body.message]).toEqual([403, "Insufficient scope; expected any of: read:experimentation."]);
  });

  it.each<[string, Making, RegExp]>([
    [
      "signed by a stranger",
      { key: stranger.privateKey },
      /^Invalid signature received for JSON Web Token validation\.$/,
    ],
    ["that have expired", { expires: "-1s" }, /^Invalid token\. It has expired\.$/],
    ["that never expire", { expires: null }, /^Invalid token\. Its exp /],
    ["of another issuer", { issuer: "https://else.example.com/" }, /^Invalid token\. Its iss /],
    ["for somebody else", { audience: "https://else.example.com" }, /^Invalid token\. Its aud /],
    ["for nobody", { audience: null }, /^Invalid token\. Its aud /],
    ["of nobody", { claims: { sub: undefined, scope: all.join(" ") } }, /^Invalid token\. Its sub /],
    ["with an unknown key", { kid: "k2" }, /^Invalid token\. Its issuer has no such key\.$/],
  ])("%s are refused", async (_, making, message) => {
    const { status, body, headers } = await ask(tenantWithIssuer(), await sign(making));
    expect([status, body.message]).toEqual([401, expect.stringMatching(message)]);
    expect(headers.get("www-authenticate")).toBe('Bearer error="invalid_token"');
  });

  it("that anybody could have signed with the public key are refused", async () => {
    const payload = { iss: management.issuer, aud: management.audience, sub: "x", scope: all.join(" ") };
    const secret = new TextEncoder().encode(JSON.stringify(jwks.keys[0]));
    const hmac = await new SignJWT(payload)
      .setProtectedHeader({ alg: "HS256", kid: "k1" })
      .setExpirationTime("1h")
      .sign(secret);
    const unsigned = `${btoa('{"alg":"none"}').replaceAll("=", "")}.${hmac.split(".")[1]}.AA`;
    for (const token of [hmac, unsigned]) {
      const { status, body } = await ask(tenantWithIssuer(), token);
      expect([status, body.errorCode]).toEqual([401, "invalid_token"]);
    }
  });

  it("have an issuer's new keys fetched, but not with every made-up key id", async () => {
    const client = tenantWithIssuer();
    await ask(client, await sign());
    for (let index = 0; index < 5; index++) await ask(client, await sign({ kid: `made-up-${index}` }));
    expect(fetches).toHaveLength(1);
  });

  it.each<[string, () => Response | Promise<Response>]>([
    ["fails", () => Promise.reject(new TypeError("no network"))],
    ["answers 500", () => new Response("down", { status: 500 })],
    ["answers garbage", () => new Response("<html>")],
    ["answers no keys", () => Response.json({})],
  ])("cannot be judged while the issuer %s", async (_, outcome) => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    const client = tenantWithIssuer();
    answerKeys = outcome;
    const { status, body } = await ask(client, await sign());
    expect([status, body.errorCode]).toEqual([503, "issuer_unavailable"]);
    expect((await client.send("GET", "/segments")).status).toBe(200);
  });

  it("cannot be judged while the issuer hangs, and a failed issuer is left alone for a while", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    const client = tenantWithIssuer();
    answerKeys = (signal) =>
      new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason), { once: true }));
    const startedAt = Date.now();
    expect((await ask(client, await sign())).status).toBe(503);
    expect(Date.now() - startedAt).toBeLessThan(4_500);
    expect((await ask(client, await sign())).status).toBe(503);
    expect(fetches).toHaveLength(1);
  });
});

it("answers no browser's question across origins", async () => {
  const { send } = createClient();
  const origin = { origin: `https://${adminHost}`, "access-control-request-method": "POST" };
  for (const [method, path, status] of [
    ["OPTIONS", "/segments", 405],
    ["OPTIONS", "/nothing", 404],
    ["GET", "/segments", 200],
    ["GET", "/segments?x=1", 400],
  ] as const) {
    const answer = await send(method, path, undefined, origin);
    expect(answer.status).toBe(status);
    expect([...answer.headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([]);
  }
});
