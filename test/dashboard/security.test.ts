/** Who gets in, what a page of another site can do, and what is told to whom. */
import { base64url } from "jose";
import { describe, expect, it, vi } from "vitest";
import { createClient, rootToken } from "../api/client.ts";
import { createVisitor, origin, type Shown, type Visitor } from "./visitor.ts";

const signInPage = "/_vestibule/sign-in";

async function signedIn(visitor: Visitor = createVisitor()): Promise<Visitor> {
  const { status, headers } = await visitor.signIn();
  expect([status, headers.get("location")]).toEqual([303, "/_vestibule/"]);
  return visitor;
}

/** What a browser says of a form that another site sent. */
const foreign = [
  ["origin", "https://evil.example"],
  ["origin", "null"],
  ["sec-fetch-site", "cross-site"],
  ["sec-fetch-site", "same-site"],
] as const;

const locationOf = ({ status, headers }: Shown) => [status, headers.get("location")];

describe("without a session", () => {
  it.each(["/", "/experiments", "/experiments/exp_1", "/nobody", "/assets", "/tokens/new?x=1", "/sign-out", "/tenant"])(
    "%s leads to the sign-in page",
    async (path) => {
      const { look } = createVisitor();
      const to = path === "/" ? "" : `?to=${encodeURIComponent(`/_vestibule${path}`)}`;
      expect(locationOf(await look(`/_vestibule${path}`))).toEqual([303, signInPage + to]);
    },
  );

  it.each(["/", "/experiments/exp_1/status", "/tokens/new", "/sign-out", "/tenant", "/nobody"])(
    "nothing is done at %s",
    async (path) => {
      const { post } = createVisitor();
      const { status, text } = await post(`/_vestibule${path}`, { name: "Mine" });
      expect(status).toBe(401);
      expect(text).toContain("Nothing was changed");
    },
  );

  it("no asset is served but what the sign-in page is made of", async () => {
    const visitor = createVisitor();
    for (const name of [
      "page.js",
      "icon.svg",
      "plots.js",
      "uplot.js",
      "uplot.css",
      "../openapi.json",
      "nobody.css",
      "",
    ]) {
      expect([name, (await visitor.look(`/_vestibule/assets/${name}`)).status]).not.toEqual([name, 200]);
    }
    expect((await visitor.look("/_vestibule/assets/style.css")).status).toBe(200);
    const { text } = await visitor.look(signInPage);
    expect([...text.matchAll(/\/assets\/([^"]+)"/g)].map(([, name]) => name)).toEqual(["style.css"]);
  });

  it.each(["", "x.y.z", "k1.AAAA.AAAA", `k1.${"A".repeat(16)}.${"A".repeat(300)}`, "k9.AAAAAAAAAAAAAAAA.AAAA"])(
    "a made-up cookie %j is none",
    async (value) => {
      const visitor = createVisitor();
      visitor.cookie = `__Secure-vst_admin=${value}`;
      expect((await visitor.look("/_vestibule/")).status).toBe(303);
    },
  );

  it("does not exist on hosts that are no admin's", async () => {
    const forwarded: string[] = [];
    vi.stubGlobal("fetch", async (input: RequestInfo, init?: RequestInit) => {
      forwarded.push(new URL(new Request(input, init).url).pathname);
      return new Response("the origin's");
    });
    const visitor = createVisitor(createClient({ vars: { ADMIN_HOSTS: "elsewhere.example.com" } }));
    expect((await visitor.look("/_vestibule/sign-in")).text).toBe("the origin's");
    expect(forwarded).toEqual(["/_vestibule/sign-in"]);
    vi.unstubAllGlobals();
  });
});

describe("signing in", () => {
  it.each([
    ["", 400],
    ["wrong", 401],
    [`vst_${"x".repeat(43)}`, 401],
    ["with a space", 400],
    ["x".repeat(5_000), 400],
    ["ümlaut", 400],
  ])("is refused with %j", async (token, status) => {
    const visitor = createVisitor();
    const shown = await visitor.signIn(token);
    expect([shown.status, shown.headers.get("set-cookie")]).toEqual([status, null]);
    expect(shown.text).toContain('role="alert"');
    if (token.length > 3) expect(shown.text).not.toContain(token);
  });

  it("gives a cookie that scripts, other sites and plain http never see, and that tells nothing", async () => {
    const visitor = createVisitor();
    const cookie = (await visitor.signIn()).headers.get("set-cookie") ?? "";
    expect(cookie).toMatch(/^__Secure-vst_admin=k1\.[\w-]+\.[\w-]+; /);
    for (const attribute of ["HttpOnly", "Secure", "SameSite=Strict", "Path=/_vestibule", "Max-Age=28800"]) {
      expect(cookie.split("; ")).toContain(attribute);
    }
    expect(cookie).not.toMatch(/domain/i);
    for (const part of visitor.cookie.split(/[=.]/).slice(1)) {
      expect(new TextDecoder().decode(base64url.decode(part))).not.toContain(rootToken.slice(0, 6));
    }
  });

  it("takes one back to the page that was asked for", async () => {
    const visitor = createVisitor();
    expect(locationOf(await visitor.signIn(rootToken, { to: "/_vestibule/changes?take=3" }))).toEqual([
      303,
      "/_vestibule/changes?take=3",
    ]);
  });

  it.each([
    "https://evil.example/",
    "//evil.example/_vestibule/",
    "/\\evil.example/_vestibule/",
    "/_vestibule/\\..\\..\\",
    "/_vestibule/../login",
    "/_vestibule/%2e%2e/login",
    "\t//evil.example",
    "/_vestibule/\n//evil.example",
    "javascript:alert(1)",
    "/_vestibule@evil.example",
    "/_vestibule.evil.example/",
    "/api/v2/experimentation/export",
    "/_vestibule/sign-in",
    "/_vestibule/health",
    "/_vestibule/v1/assignments",
  ])("leads nowhere else: %j", async (to) => {
    for (const shown of [
      await createVisitor().signIn(rootToken, { to }),
      await signedIn().then(({ look }) => look(`${signInPage}?to=${encodeURIComponent(to)}`)),
    ]) {
      expect(locationOf(shown)).toEqual([303, "/_vestibule/"]);
    }
  });

  it("is not done for another site", async () => {
    const visitor = createVisitor();
    const body = new URLSearchParams({ token: rootToken }).toString();
    for (const headers of [
      { origin: "https://evil.example" },
      { origin: "null" },
      { "sec-fetch-site": "cross-site" },
      { "sec-fetch-site": "same-site" },
    ]) {
      const shown = await visitor.post(signInPage, { token: rootToken }, headers as Record<string, string>);
      expect([shown.status, shown.headers.get("set-cookie"), body.length]).toEqual([403, null, body.length]);
    }
  });

  it("is of the tenant that the token is of", async () => {
    const hosts = (name: string) => ({ hosts: [`${name}.example.com`], origin: "https://id.example.com" });
    const id = crypto.randomUUID().slice(0, 8);
    const [one, two] = [`one-${id}`, `two-${id}`];
    const api = createClient({ vars: { TENANTS: JSON.stringify({ [one]: hosts("one"), [two]: hosts("two") }) } });
    const read = { name: "Reader", scopes: ["read:experimentation"] };
    const { body } = await api.send("POST", "/tokens", read, { "x-vestibule-tenant": two });
    const visitor = createVisitor(api);
    const refused = await visitor.signIn(body.token);
    expect(refused.text).toMatch(/id="tenant-error"[^>]*>[^<]*say which one/);
    expect(refused.text).not.toContain('id="token-error"');
    expect((await visitor.signIn(body.token, { tenant: one })).status).toBe(401);
    expect((await visitor.signIn(body.token, { tenant: "nobody" })).status).toBe(401);
    expect((await visitor.signIn(body.token, { tenant: two })).status).toBe(303);
    const { text } = await visitor.look("/_vestibule/");
    expect(text).toContain(`<strong>${two}</strong>`);
    expect(text).not.toContain(one);
    expect((await visitor.post("/_vestibule/tenant", { tenant: one })).status).toBe(401);

    const root = createVisitor(api);
    expect((await root.signIn(rootToken, { tenant: one })).status).toBe(303);
    expect(locationOf(await root.post("/_vestibule/tenant", { tenant: two }))).toEqual([303, "/_vestibule/"]);
    expect((await root.look("/_vestibule/")).text).toMatch(new RegExp(`<option selected="">${two}</option>`));
  });
});

describe("a session", () => {
  it("ends where one signs out, for whoever has kept the cookie", async () => {
    const visitor = await signedIn();
    const kept = visitor.cookie;
    const shown = await visitor.post("/_vestibule/sign-out");
    expect([...locationOf(shown), visitor.cookie]).toEqual([303, signInPage, ""]);
    visitor.cookie = kept;
    expect((await visitor.look("/_vestibule/")).status).toBe(303);
    // Another isolate knows of it by the store alone.
    const elsewhere = createVisitor({ ...visitor.api, env: { ...visitor.api.env } });
    elsewhere.cookie = kept;
    expect((await elsewhere.look("/_vestibule/")).status).toBe(303);
  });

  it("ends with its token", async () => {
    const visitor = createVisitor();
    const { id, token } = await visitor.api.post("/tokens", { name: "Reader", scopes: ["read:experimentation"] });
    await visitor.signIn(token);
    expect((await visitor.look("/_vestibule/")).status).toBe(200);
    await visitor.api.delete(`/tokens/${id}`);
    expect(locationOf(await visitor.look("/_vestibule/"))).toEqual([303, signInPage]);
  });

  it("runs out after eight hours in which nobody came, and goes on while somebody does", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const visitor = await signedIn();
    const hour = 3_600_000;
    for (const hours of [7, 7]) {
      vi.setSystemTime(Date.now() + hours * hour);
      const { status, headers } = await visitor.look("/_vestibule/");
      expect([status, headers.has("set-cookie")]).toEqual([200, true]);
    }
    expect((await visitor.look("/_vestibule/")).headers.has("set-cookie")).toBe(false);
    vi.setSystemTime(Date.now() + 9 * hour);
    expect((await visitor.look("/_vestibule/")).status).toBe(303);
    vi.useRealTimers();
  });

  it("outlives a rotation of the keys, and not their loss", async () => {
    const visitor = await signedIn();
    const { env } = visitor.api;
    const newer = `k2:${"B".repeat(43)}`;
    const rotated = createVisitor({ ...visitor.api, env: { ...env, COOKIE_KEYS: `${newer},${env.COOKIE_KEYS}` } });
    rotated.cookie = visitor.cookie;
    expect((await rotated.look("/_vestibule/")).headers.get("set-cookie")).toMatch(/=k2\./);
    const lost = createVisitor({ ...visitor.api, env: { ...env, COOKIE_KEYS: newer } });
    lost.cookie = visitor.cookie;
    expect((await lost.look("/_vestibule/")).status).toBe(303);
  });

  it("does nothing for a form without its key, or of another site", async () => {
    const visitor = await signedIn();
    const other = await signedIn(createVisitor(visitor.api));
    const key = /name="_key" value="([^"]+)"/.exec((await other.look("/_vestibule/")).text)?.[1] ?? "";
    for (const _key of ["", "x", key]) {
      expect((await visitor.post("/_vestibule/sign-out", { _key })).status).toBe(403);
    }
    for (const [name, value] of foreign) {
      expect((await visitor.post("/_vestibule/sign-out", {}, { [name]: value })).status).toBe(403);
    }
    expect((await visitor.look("/_vestibule/")).status).toBe(200);
  });
});

describe("every answer", () => {
  it("may be framed, sniffed, kept or scripted by nobody", async () => {
    const visitor = await signedIn();
    const stranger = createVisitor(visitor.api);
    for (const shown of [
      await visitor.look("/_vestibule/"),
      await visitor.look("/_vestibule/nobody"),
      await stranger.look(signInPage),
      await stranger.look("/_vestibule/"),
      await stranger.look("/_vestibule/assets/style.css"),
      await stranger.post("/_vestibule/"),
    ]) {
      const { headers } = shown;
      const policy = (headers.get("content-security-policy") ?? "").split("; ");
      expect(policy).toEqual(
        expect.arrayContaining([
          "default-src 'none'",
          "script-src 'self'",
          "frame-ancestors 'none'",
          "form-action 'self'",
          "base-uri 'none'",
        ]),
      );
      expect(policy.join()).not.toMatch(/unsafe|\*|http/);
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("referrer-policy")).toBe("same-origin");
      expect(headers.get("cache-control")).toMatch(/no-store|private, no-cache/);
      expect(shown.text).not.toMatch(/<script(?![^>]*\ssrc=)|\sstyle=|\son\w+=|javascript:/i);
    }
  });

  it("that fails says so and no more", async () => {
    const error = vi.spyOn(console, "error").mockImplementation(() => {});
    vi.spyOn(crypto.subtle, "encrypt").mockRejectedValue(new Error("inner words"));
    const { status, text } = await createVisitor().signIn();
    vi.restoreAllMocks();
    expect([status, text]).toEqual([500, expect.stringContaining("Something failed")]);
    expect(text).not.toContain("inner words");
    expect(error).toHaveBeenCalledOnce();
    expect(error.mock.calls[0]?.[0]).toContain("inner words");
  });

  it("to HEAD has no body, and other methods are refused", async () => {
    const { ask } = await signedIn();
    const head = await ask("/_vestibule/", { method: "HEAD" });
    expect([head.status, head.text]).toEqual([200, ""]);
    for (const method of ["PUT", "DELETE", "OPTIONS", "PATCH"]) {
      expect((await ask("/_vestibule/", { method })).status).toBe(405);
    }
  });

  it("to a form that is none of ours is short", async () => {
    const { ask, cookie } = await signedIn();
    expect(cookie).not.toBe("");
    const send = async (type: string, length: string | null, body: string) =>
      (
        await ask(
          "/_vestibule/sign-out",
          { method: "POST", body },
          { origin, "content-type": type, ...(length && { "content-length": length }) },
        )
      ).status;
    expect(await send("application/json", "2", "{}")).toBe(415);
    expect(await send("multipart/form-data; boundary=x", "2", "{}")).toBe(400);
    expect(await send("application/x-www-form-urlencoded", "99999999", "")).toBe(413);
    expect(await send("application/x-www-form-urlencoded", null, "a".repeat(13 * 1024 * 1024))).toBe(413);
    expect(await send("application/x-www-form-urlencoded", null, "a=b")).toBe(403);
  });
});
