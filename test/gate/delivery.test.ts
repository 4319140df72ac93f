import { base64url, exportJWK, generateKeyPair, jwtVerify, SignJWT } from "jose";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { experiment, flag, share, variation, variations } from "../model/resources.ts";
import { clearStores, createBrowser, createStage, host, navigation, publish, type Seen } from "./stage.ts";

beforeEach(() => clearStores());
afterEach(() => vi.unstubAllGlobals());

const key = base64url.decode("s".repeat(43));
const verify = (token: string | null, now: number) =>
  jwtVerify(token ?? "", key, {
    issuer: "vestibule",
    audience: "acme",
    algorithms: ["HS256"],
    currentDate: new Date(now),
  });
/** Everybody gets var_b. */
const all = [experiment({ allocations: [share("a", 0, true), share("b", 100)] })];

describe("the stamp", () => {
  it("says in headers and in a signed token what was assigned", async () => {
    const stage = createStage();
    await publish({ experiments: all.map((each) => ({ ...each, epoch: 3 })) });
    const { stamp } = await stage.send(navigation("/u/login?a=1"));
    expect([stamp("id"), stamp("variation-id"), stamp("control"), stamp("method"), stamp("segment-id")]).toEqual([
      "exp_Page",
      "var_b",
      "false",
      "auto",
      null,
    ]);
    const config = JSON.parse(new TextDecoder().decode(base64url.decode(stamp("config") ?? "")));
    expect(config).toEqual({ title: "Welcome", wide: false });
    const { payload } = await verify(stamp("stamp"), stage.clock.nowMs);
    const bytes = base64url.decode(stamp("config") ?? "");
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", Uint8Array.from(bytes)));
    expect(payload).toMatchObject({
      host,
      experiments: [
        {
          experiment_id: "exp_Page",
          flag_key: "page",
          variation_id: "var_b",
          control: false,
          method: "auto",
          epoch: 3,
          config_sha256: base64url.encode(digest),
        },
      ],
    });
    // One token for all pages of a minute.
    expect((await stage.send(navigation("/another"))).stamp("stamp")).toBe(stamp("stamp"));
    await expect(verify(stamp("stamp"), stage.clock.nowMs + 121_000)).rejects.toThrow();
    await expect(jwtVerify(stamp("stamp") ?? "", new Uint8Array(32))).rejects.toThrow();
  });

  it("lists several experiments in one order", async () => {
    const stage = createStage({ tenant: { active_experiment_limit: 2 } });
    await publish({
      feature_flags: [flag(), flag({ id: "flg_Other", key: "other", name: "Other" })],
      variations: [...variations, ...["d", "e"].map((name) => variation(name, { feature_flag_id: "flg_Other" }))],
      experiments: [
        ...all,
        experiment({
          id: "exp_Other",
          name: "Other test",
          feature_flag_id: "flg_Other",
          allocations: [share("d", 100, true)],
        }),
      ],
    });
    const browser = createBrowser(stage);
    for (const method of ["auto,auto", "session,session"]) {
      const { stamp } = await browser.open();
      expect([stamp("id"), stamp("variation-id"), stamp("control"), stamp("method")]).toEqual([
        "exp_Page,exp_Other",
        "var_b,var_d",
        "false,true",
        method,
      ]);
      expect(stamp("config")?.split(",")).toHaveLength(2);
    }
  });

  it("is on form posts and calls of the page too, and on no sub-resource", async () => {
    const stage = createStage();
    await publish({ experiments: all });
    const browser = createBrowser(stage);
    await browser.open();
    const cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const post = new Request(navigation("/login", { cookie }), { method: "POST", body: "a=b" });
    expect((await stage.send(post)).stamp("variation-id")).toBe("var_b");
    expect((await stage.send(navigation("/api", { cookie, "sec-fetch-dest": "empty" }))).stamp("method")).toBe(
      "session",
    );
    const { stamp, response } = await stage.send(navigation("/x.css", { cookie, "sec-fetch-dest": "style" }));
    expect([stamp("id"), response.headers.getSetCookie()]).toEqual([null, []]);
  });

  it("goes onto the query of authorize requests where the tenant wants it, and a forged one goes off", async () => {
    const stage = createStage({ tenant: { stamp: { query: { variation_id: "ext-variation", stamp: "ext-stamp" } } } });
    await publish({ experiments: all });
    const authorize = "/authorize?client_id=a&response_type=code&state=%7e";
    const { seen } = await stage.send(navigation(`${authorize}&ext-variation=forged`));
    expect(seen.url).toMatch(
      /\/authorize\?client_id=a&response_type=code&state=%7e&ext-variation=var_b&ext-stamp=ey[\w.-]+$/,
    );
    expect((await stage.send(navigation("/login?ext-variation=mine"))).seen.url).toMatch(/\/login$/);
    const silent = await stage.send(navigation(`${authorize}&prompt=none&ext-variation=forged`));
    expect(silent.seen.url).toMatch(/prompt=none$/);
  });

  it("keeps the page out of shared caches, and has browsers ask each time", async () => {
    const stage = createStage();
    await publish({ experiments: all });
    const answered = async (cacheControl: string) => {
      stage.origin.answer = () =>
        new Response("x", { headers: { "content-type": "text/html", "cache-control": cacheControl } });
      return (await stage.send(navigation())).response.headers.get("cache-control");
    };
    expect(await answered("public, max-age=600")).toBe("private, no-cache");
    expect(await answered("max-age=600, s-maxage=900")).toBe("private, no-cache");
    expect(await answered("public, no-transform")).toBe("private, no-cache, no-transform");
    expect(await answered("no-store")).toBe("private, no-store");
  });
});

it("puts attributes on <html> where the tenant wants it", async () => {
  const stage = createStage({ tenant: { inject: "attributes" } });
  await publish({ experiments: all });
  const page = '<!doctype html><html lang="de"><body>é</body></html>';
  stage.origin.answer = () => new Response(page, { headers: { "content-type": "text/html", etag: '"1"' } });
  const { response } = await stage.send(navigation());
  expect(await response.text()).toBe(
    '<!doctype html><html data-experiment-id="exp_Page" data-variation-id="var_b" lang="de"><body>é</body></html>',
  );
  expect(response.headers.get("etag")).toBeNull();
  stage.origin.answer = () => Response.json({ html: page });
  expect(await (await stage.send(navigation())).response.json()).toEqual({ html: page });
});

it("tells the origin the visitor's address, signed, where the tenant wants it", async () => {
  const stage = createStage({ tenant: { sign_client_ip: true } });
  const { seen } = await stage.send(
    navigation("/login", { "cf-connecting-ip": "203.0.113.7", "x-vestibule-client-ip": "forged" }),
  );
  expect((await verify(seen.headers.get("x-vestibule-client-ip"), stage.clock.nowMs)).payload).toMatchObject({
    ip: "203.0.113.7",
    host,
  });
  expect(seen.headers.get("x-forwarded-for")).toBe("203.0.113.7");
  const without = createStage();
  expect(
    (await without.send(navigation("/", { "x-vestibule-client-ip": "forged" }))).seen.headers.get(
      "x-vestibule-client-ip",
    ),
  ).toBeNull();
});

describe("an experiment of users", () => {
  const issuer = "https://issuer.example.com/";
  const tenant = { user: { issuer, jwks_uri: "https://issuer.example.com/jwks", token: "cookie:id_token" } };

  async function createIssuer() {
    const { publicKey, privateKey } = await generateKeyPair("ES256");
    const jwks = { keys: [{ ...(await exportJWK(publicKey)), alg: "ES256", kid: "1" }] };
    const sign = (sub: string | number, by = issuer) =>
      new SignJWT({ sub: sub as string })
        .setProtectedHeader({ alg: "ES256", kid: "1" })
        .setIssuer(by)
        .setExpirationTime("5m")
        .sign(privateKey);
    const answer = ({ url }: Seen) => (url.endsWith("/jwks") ? Response.json(jwks) : new Response("page"));
    return { sign, answer };
  }

  it("buckets by the verified user id, whatever the device, and by nothing before log-in", async () => {
    const { sign, answer } = await createIssuer();
    const stage = createStage({ tenant });
    stage.origin.answer = answer;
    await publish({ experiments: [experiment({ assignment_config: { subject: "user" } })] });
    const variationOf = async (cookie: string) => {
      const before = stage.origin.seen.length;
      await stage.send(navigation("/mfa", { cookie }));
      const page = stage.origin.seen.slice(before).find(({ url }) => !url.endsWith("/jwks"));
      return page?.headers.get("x-experiment-variation-id");
    };
    expect(await variationOf("")).toBeNull();
    expect(await variationOf("id_token=garbage")).toBeNull();
    expect(await variationOf(`id_token=${await sign("user-1", "https://evil.example.com/")}`)).toBeNull();
    const seen = new Set<string | null | undefined>();
    for (let index = 0; index < 12; index++) {
      const [first, second] = [await sign(`user-${index}`), await sign(`user-${index}`)];
      const given = await variationOf(`id_token=${first}`);
      expect(await variationOf(`id_token=${second}`)).toBe(given);
      seen.add(given);
    }
    expect([...seen].sort()).toEqual(["var_a", "var_b"]);
    // Apps ask by the whole id, and may write a number as text.
    const long = new Set<unknown>();
    for (let index = 0; index < 12; index++) {
      long.add(await variationOf(`id_token=${await sign(`${"u".repeat(400)}${index}`)}`));
    }
    expect(long).toEqual(seen);
    expect(await variationOf(`id_token=${await sign(42)}`)).toBe(await variationOf(`id_token=${await sign("42")}`));
    expect(stage.origin.seen.filter(({ url }) => url.endsWith("/jwks"))).toHaveLength(1);
  });

  it.each([
    [{}, undefined],
    [{ log_user_ids: true }, "auth0|anna"],
  ])("has its user in the log of a tenant with %o as %s, where the token is genuine", async (more, logged) => {
    const { sign, answer } = await createIssuer();
    const stage = createStage({ tenant: { ...tenant, ...more } });
    const location = "https://app.example.com/cb?code=abc";
    stage.origin.answer = (seen) =>
      seen.url.endsWith("/jwks") ? answer(seen) : new Response(null, { status: 302, headers: { location } });
    const entryOf = async (cookie: string) => {
      stage.queued.length = 0;
      await stage.send(navigation("/login", { cookie }));
      return stage.queued.flatMap((message) => (message.kind === "log" ? message.entry : []))[0];
    };
    const entry = await entryOf(`id_token=${await sign("auth0|anna")}`);
    expect([entry?.type, entry?.user_id]).toEqual(["s", logged]);
    const forged = await entryOf(`id_token=${await sign("auth0|anna", "https://evil.example.com/")}`);
    expect([forged?.type, forged?.user_id]).toEqual(["s", undefined]);
  });

  it("tells whose the device turned out to be, by units alone, of those who were assigned by chance", async () => {
    const { sign, answer } = await createIssuer();
    const stage = createStage({ tenant });
    stage.origin.answer = answer;
    await publish({ experiments: all });
    const events = async (path: string, cookie: string) => {
      stage.queued.length = 0;
      await stage.send(navigation(path, { cookie }));
      return stage.queued.flatMap((message) => (message.kind === "event" ? message.event : []));
    };
    const [assignment, identity] = await events("/mfa", `id_token=${await sign("user-1")}`);
    expect([assignment?.type, identity?.type]).toEqual(["assignment", "identity"]);
    expect(identity).toMatchObject({ variation_id: "var_b", subject_kind: "device", unit: assignment?.unit });
    const [, again] = await events("/mfa", `id_token=${await sign("user-1")}`);
    expect(again?.linked_unit).toBe(identity?.linked_unit);
    expect(again?.unit).not.toBe(identity?.unit);
    expect(JSON.stringify(stage.queued)).not.toContain("user-1");
    expect((await events("/mfa", "")).map(({ type }) => type)).toEqual(["assignment"]);
    const forced = "/mfa?experiment_id=exp_Page&variation_id=var_a";
    expect(await events(forced, `id_token=${await sign("user-1")}`)).toEqual([]);
  });

  it("forwards, unassigned, when the issuer's keys cannot be had", async () => {
    const { sign } = await createIssuer();
    const stage = createStage({ tenant });
    stage.origin.answer = ({ url }) =>
      url.endsWith("/jwks") ? new Response("down", { status: 503 }) : new Response("page");
    await publish({ experiments: [experiment({ assignment_config: { subject: "user" } })] });
    const { response } = await stage.send(navigation("/mfa", { cookie: `id_token=${await sign("u")}` }));
    expect(response.status).toBe(200);
    const page = stage.origin.seen.find(({ url }) => url.endsWith("/mfa"));
    expect(page?.headers.get("x-experiment-id")).toBeNull();
  });
});

describe("the origin's Host", () => {
  const tenant = { origin: "https://edge.id.example.net:8443", origin_host: "tenant.example.com" };

  it("is what the tenant wants, where the platform lets the gate choose where to connect", async () => {
    const stage = createStage({ tenant });
    const fetched = vi.spyOn(globalThis, "fetch");
    await stage.send(new Request(navigation("/login?a=1"), { cf: { country: "CH" } as never }));
    expect(fetched.mock.calls[0]?.[0]).toBe("https://tenant.example.com:8443/login?a=1");
    expect(fetched.mock.calls[0]?.[1]).toMatchObject({ cf: { resolveOverride: "edge.id.example.net" } });
  });

  it("is the origin's own elsewhere", async () => {
    const { seen } = await createStage({ tenant }).send(navigation("/login?a=1"));
    expect(seen.url).toBe("https://edge.id.example.net:8443/login?a=1");
  });
});

it("sends the tenant's own headers to its origin, in place of a visitor's", async () => {
  const stage = createStage({ tenant: { origin_headers: { "CNAME-Api-Key": "k", "x-lane": "blue" } } });
  const { seen } = await stage.send(navigation("/login", { "cname-api-key": "forged", "x-lane": "red" }));
  expect([seen.headers.get("cname-api-key"), seen.headers.get("x-lane")]).toEqual(["k", "blue"]);
});
