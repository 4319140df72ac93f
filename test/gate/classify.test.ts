import { describe, expect, it } from "vitest";
import { Address } from "../../src/assignment/address.ts";
import { classify } from "../../src/gate/classify.ts";
import { scanHeaders } from "../../src/gate/header-scan.ts";
import { compileRules } from "../../src/gate/rules.ts";
import { tenantOf } from "./tenant.ts";

const html = "text/html,application/xhtml+xml,*/*;q=0.8";
const page = { "sec-fetch-dest": "document", "sec-fetch-mode": "navigate", accept: html };

function kindOf(path: string, init: RequestInit = {}, tenant = {}) {
  const request = new Request(`https://login.example.com${path}`, init);
  const address = new Address(request.url);
  return classify(request, address, scanHeaders(request.headers), compileRules(tenantOf(tenant)));
}

describe("with fetch metadata", () => {
  it.each(["script", "style", "image", "font", "audio", "video", "manifest", "worker", "track", "report"])(
    "a %s passes straight through",
    (destination) => {
      expect(kindOf("/x", { headers: { "sec-fetch-dest": destination } }).kind).toBe("pass");
    },
  );

  it("a document is assigned and may become a device", () => {
    expect(kindOf("/login", { headers: page })).toMatchObject({ kind: "document", isStart: false });
  });

  it("a frame carries the session on", () => {
    expect(kindOf("/login", { headers: { ...page, "sec-fetch-dest": "iframe" } })).toMatchObject({
      kind: "carry",
      isFrame: true,
    });
  });

  it("a navigation is a document behind a service worker too", () => {
    expect(kindOf("/login", { headers: { ...page, "sec-fetch-dest": "empty" } }).kind).toBe("document");
  });

  it.each(["cors", "same-origin", "no-cors"])("a page's own fetch with the mode %s is none", (mode) => {
    expect(
      kindOf("/login", { headers: { accept: html, "sec-fetch-dest": "empty", "sec-fetch-mode": mode } }),
    ).toMatchObject({ kind: "carry", isFetch: true });
  });

  it.each([
    ["a form post", { method: "POST", headers: page }],
    ["a call of the page", { headers: { "sec-fetch-dest": "empty", accept: html } }],
    ["a HEAD", { method: "HEAD", headers: page }],
    ["a prefetch", { headers: { ...page, "sec-purpose": "prefetch;prerender" } }],
    ["an old prefetch", { headers: { ...page, purpose: "prefetch" } }],
    ["an app's preview", { headers: { ...page, "x-purpose": "preview" } }],
    ["a Mozilla prefetch", { headers: { ...page, "x-moz": "prefetch" } }],
  ])("%s carries the session on", (_, init) => {
    expect(kindOf("/login", init).kind).toBe("carry");
  });

  it("a WebSocket passes", () => {
    expect(kindOf("/ws", { headers: { upgrade: "WebSocket", connection: "upgrade" } }).kind).toBe("pass");
  });
});

describe("without fetch metadata", () => {
  it("who asks for HTML navigates", () => {
    expect(kindOf("/login", { headers: { accept: html } })).toMatchObject({ kind: "document" });
  });

  it("a library's call does not", () => {
    expect(kindOf("/.well-known/openid-configuration", { headers: { accept: "*/*" } }).kind).toBe("carry");
    expect(kindOf("/token", { method: "POST" }).kind).toBe("carry");
  });

  it("an authorize request does", () => {
    expect(kindOf("/auth?client_id=a&response_type=code").kind).toBe("document");
  });
});

describe("authorize requests", () => {
  it.each([
    ["oidc", "/any/path?client_id=a&response_type=code", true],
    ["oidc", "/any/path?client_id=a&request_uri=urn%3Ax", true],
    ["oidc", "/any/path?response_type=code", false],
    ["oidc", "/any/path?my_client_id=a&response_type=code", false],
    ["auth0", "/authorize?client_id=a", true],
    ["auth0", "/authorize/resume?state=x", false],
    ["keycloak", "/realms/acme/protocol/openid-connect/auth?client_id=a", true],
    ["keycloak", "/auth/realms/acme/protocol/openid-connect/auth", true],
    ["keycloak", "/realms/acme/protocol/openid-connect/token", false],
    ["cognito", "/oauth2/authorize?client_id=a", true],
    ["cognito", "/oauth2/token", false],
  ])("of %s: %s is one: %s", (provider, path, expected) => {
    expect(kindOf(path, { headers: page }, { provider }).isStart).toBe(expected);
  });

  it.each(["prompt=none", "prompt=none%20login", "prompt=login+none"])("with %s run no experiment", (prompt) => {
    expect(kindOf(`/auth?client_id=a&response_type=code&${prompt}`, { headers: page }).kind).toBe("pass");
  });

  it.each(["prompt=login", "prompt=nonesuch", "xprompt=none"])("with %s run as ever", (prompt) => {
    expect(kindOf(`/auth?client_id=a&response_type=code&${prompt}`, { headers: page }).kind).toBe("document");
  });
});

describe("pages", () => {
  it.each([
    ["auth0", {}, "/u/login/identifier", "document"],
    ["auth0", {}, "/u/signup", "document"],
    ["auth0", {}, "/other", "carry"],
    ["auth0", { paths: ["/portal/*"] }, "/portal/home", "document"],
    ["keycloak", {}, "/realms/acme/login-actions/authenticate", "document"],
    ["keycloak", {}, "/realms/acme/account", "carry"],
    ["cognito", {}, "/login", "document"],
    ["cognito", {}, "/forgotPassword", "document"],
    ["oidc", {}, "/anything", "document"],
    ["oidc", { paths: ["/login"] }, "/anything", "carry"],
    ["oidc", { paths: ["/login"] }, "/login", "document"],
  ] as const)("of %s with %o: %s is %s", (provider, more, path, kind) => {
    expect(kindOf(path, { headers: page }, { provider, ...more }).kind).toBe(kind);
  });

  it.each([
    ["oidc", "/signup", true],
    ["oidc", "/interaction/x/signup", true],
    ["oidc", "/interaction/x", false],
    ["auth0", "/u/signup/password", true],
    ["auth0", "/u/signup-id", true],
    ["auth0", "/u/login", false],
    ["keycloak", "/realms/acme/login-actions/registration", true],
    ["cognito", "/signup", true],
  ])("of %s: %s is sign-up: %s", (provider, path, expected) => {
    expect(kindOf(path, { headers: page }, { provider }).isSignup).toBe(expected);
  });

  it("a path of any length is answered for at once", () => {
    const startedAt = performance.now();
    kindOf(`/${"a/".repeat(30_000)}`, { headers: page }, { paths: ["/**/x/**/y"] });
    expect(performance.now() - startedAt).toBeLessThan(500);
  });
});
