import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createVisitor, type Visitor } from "../../scripts/browserless/visitor.ts";
import { demoPassword } from "../../scripts/demo/accounts.ts";
import { callbackOf, finishLogin, ourCookies, shapeOfHop, startLogin } from "./log-in-client.ts";
import { type Side, type Stack, startStack } from "./stack.ts";

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.close());

/** What came out of the same visit on both sides; the gate's first. */
async function onBothSides<T>(visit: (side: Side, visitor: Visitor) => Promise<T>): Promise<[T, T]> {
  const [one, other] = await Promise.all(
    [stack.gate, stack.direct].map(async (side) => {
      const visitor = createVisitor();
      const outcome = await visit(side, visitor);
      return { outcome, hops: visitor.hops.map((hop) => shapeOfHop(hop, side)) };
    }),
  );
  if (one === undefined || other === undefined) throw new Error("there are two sides");
  expect(one.hops).toEqual(other.hops);
  return [one.outcome, other.outcome];
}

/** Signs in by the library and says what it was told, without what is random or a moment. */
async function signIn(side: Side, visitor: Visitor, fields: Record<string, string>, parameters = {}) {
  const login = await startLogin(side, parameters);
  await visitor.get(login.url.href);
  await visitor.submit(fields, { stopAt: side.redirectUri });
  const { tokens, claims, userInfo } = await finishLogin(login, visitor);
  return {
    issuer: claims.iss === side.issuer,
    audience: claims.aud,
    claims: Object.keys(claims),
    lifetime: claims.exp - claims.iat,
    tokens: Object.keys(tokens),
    type: tokens.token_type,
    expiresIn: tokens.expires_in,
    subject: claims.sub,
    userInfo,
  };
}

describe("a log-in through the gate and the same log-in without it", () => {
  it("find the same endpoints by discovery", async () => {
    const [gated, direct] = await Promise.all(
      [stack.gate, stack.direct].map(async ({ issuer }) => {
        const answer = await fetch(`${issuer}/.well-known/openid-configuration`);
        return JSON.parse((await answer.text()).replaceAll(issuer, "provider"));
      }),
    );
    expect(gated).toEqual(direct);
    expect(gated.authorization_endpoint).toBe("provider/auth");
  });

  it("give the application the same tokens and claims", async () => {
    const fields = { email: "someone@example.com", password: demoPassword };
    const [gated, direct] = await onBothSides((side, visitor) => signIn(side, visitor, fields));
    expect(gated).toEqual(direct);
    expect(gated).toMatchObject({ issuer: true, userInfo: { email: "someone@example.com" } });
  });

  it("sign up alike", async () => {
    const fields = { email: "new@example.com", password: "long enough" };
    const [gated, direct] = await onBothSides((side, visitor) => signIn(side, visitor, fields, { prompt: "create" }));
    expect(gated).toEqual(direct);
    expect(gated).toMatchObject({ issuer: true, userInfo: { email: "new@example.com" } });
  });

  it("refuse a wrong password alike, and let the visitor try again", async () => {
    const [gated, direct] = await onBothSides(async (side, visitor) => {
      const login = await startLogin(side);
      await visitor.get(login.url.href);
      const refused = await visitor.submit({ email: "someone@example.com", password: "wrong" });
      await visitor.submit({ email: "someone@example.com", password: demoPassword }, { stopAt: side.redirectUri });
      const { claims } = await finishLogin(login, visitor);
      return { status: refused.status, says: refused.body.includes("Wrong e-mail address"), subject: claims.sub };
    });
    expect(gated).toEqual(direct);
    expect(gated).toMatchObject({ status: 400, says: true });
  });

  it("refuse a faulty request alike, at the application and on a page", async () => {
    const [gated, direct] = await onBothSides(async (side, visitor) => {
      const { url } = await startLogin(side);
      url.searchParams.set("code_challenge_method", "none");
      await visitor.get(url.href, { stopAt: side.redirectUri });
      const error = callbackOf(visitor).searchParams.get("error");
      url.searchParams.set("redirect_uri", "http://elsewhere.example/");
      return { error, status: (await visitor.get(url.href)).status };
    });
    expect(gated).toEqual(direct);
    expect(gated).toEqual({ error: "invalid_request", status: 400 });
  });

  it("survive a reload, and end with the session the visitor signs out of", async () => {
    const [gated, direct] = await onBothSides(async (side, visitor) => {
      await visitor.get(side.app);
      await visitor.click("Sign in");
      await visitor.get(visitor.page.url);
      await visitor.submit({ email: "someone@example.com", password: demoPassword });
      const isIn = visitor.page.body.includes("<strong>someone@example.com</strong>");
      await visitor.submit({});
      await visitor.submit({ logout: "yes" });
      const end = visitor.page.url === `${side.app}/`;
      // Signed out at the provider too: it asks again.
      await visitor.click("Sign in");
      return { isIn, end, asksAgain: visitor.page.body.includes('name="password"') };
    });
    expect(gated).toEqual(direct);
    expect(gated).toEqual({ isIn: true, end: true, asksAgain: true });
  });
});

describe("a silent request (prompt=none)", () => {
  it("is answered alike with and without a session at the provider", async () => {
    const [gated, direct] = await onBothSides(async (side, visitor) => {
      const early = await startLogin(side, { prompt: "none" });
      await visitor.get(early.url.href, { stopAt: side.redirectUri });
      const error = callbackOf(visitor).searchParams.get("error");
      await signIn(side, visitor, { email: "someone@example.com", password: demoPassword });
      const silent = await startLogin(side, { prompt: "none" });
      await visitor.get(silent.url.href, { stopAt: side.redirectUri });
      return { error, subject: (await finishLogin(silent, visitor)).claims.sub };
    });
    expect(gated).toEqual(direct);
    expect(gated.error).toBe("login_required");
  });

  it("takes no part in an experiment: no cookie of ours, no stamp", async () => {
    const [visitor, side] = [createVisitor(), stack.gate];
    const silent = async () => {
      await stack.takeStamps();
      const { url } = await startLogin(side, { prompt: "none" });
      const before = visitor.hops.length;
      await visitor.get(url.href, { stopAt: side.redirectUri });
      expect(ourCookies(visitor.hops.slice(before))).toEqual([]);
      expect(await stack.takeStamps()).toEqual([]);
    };
    await silent();
    expect(visitor.cookies.get(side.issuer, "vst_did")).toBeUndefined();
    await signIn(side, visitor, { email: "someone@example.com", password: demoPassword });
    expect(visitor.cookies.get(side.issuer, "vst_did")).toBeDefined();
    await silent();
  });
});
