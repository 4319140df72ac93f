import { app, type PresetCase, page } from "./case.ts";

const query = "client_id=a&response_type=code&state=st&redirect_uri=https%3A%2F%2Fapp.example.com%2Fcb";
const start = { starts: true, page: "authentication/start" } as const;
const other = { page: "authentication/page" } as const;
const signup = { page: "authentication/signup" } as const;

export const cases: readonly PresetCase[] = [
  // oidc-provider: a refused password, then a login
  ["GET", `/auth?${query}`, "navigation", { status: 303, location: "/interaction/u1" }, start],
  ["GET", "/interaction/u1", "navigation", page, other],
  ["POST", "/interaction/u1/login", "navigation", { ...page, status: 401 }, { ...other, outcome: "failure" }],
  ["POST", "/interaction/u1/login", "navigation", { status: 303, location: "/auth/u1" }, other],
  [
    "GET",
    "/auth/u1",
    "navigation",
    { status: 303, location: `${app}?code=c&state=st&iss=i` },
    { ...other, outcome: "success" },
  ],
  [
    "GET",
    "/auth/u1",
    "navigation",
    { status: 303, location: `${app}?error=access_denied&state=st` },
    { ...other, outcome: "failure" },
  ],
  [
    "GET",
    "/auth/u1",
    "navigation",
    { status: 200, form: ["code", "state"], autoPost: true },
    { ...other, outcome: "success" },
  ],
  // An existing session at the provider: no page, a pass-through
  [
    "GET",
    `/auth?${query}`,
    "navigation",
    { status: 303, location: `${app}?code=c&state=st` },
    { ...start, outcome: "success" },
  ],
  // Every way to begin
  ["GET", "/authorize?client_id=a&request_uri=urn:x", "navigation", page, start],
  ["GET", "/authorize?client_id=a&request=jwt", "navigation", page, start],
  ["GET", "/idp?SAMLRequest=x&RelayState=r", "navigation", page, start],
  ["POST", "/connect/authorize", "navigation", page, start],
  ["POST", "/saml/sso", "navigation", page, start],
  ["POST", "/saml2/acme/sso", "navigation", page, start],
  // Pages that are none of the login
  ["GET", "/logout", "navigation", { status: 200 }, {}],
  ["GET", "/connect/endsession?post_logout_redirect_uri=x&state=st", "navigation", { status: 200 }, {}],
  ["GET", "/session/end/confirm", "navigation", { status: 200 }, {}],
  ["GET", "/connect/checksession", "navigation", { status: 200 }, {}],
  ["GET", "/device", "navigation", { status: 200 }, {}],
  ["GET", "/.well-known/openid-configuration", "navigation", { status: 200, json: {} }, {}],
  // Codes and errors of the provider's own
  ["GET", "/forgot", "navigation", { status: 303, location: "/reset?code=123456" }, other],
  ["GET", "/x", "navigation", { status: 303, location: "/error?error=expired" }, other],
  // Machines and background calls
  ["POST", "/token", "fetch", { status: 400, json: { error: "invalid_grant" } }, {}],
  ["POST", "/token", "fetch", { status: 200, json: { access_token: "x", id_token: "y" } }, {}],
  ["POST", "/token/introspection", "fetch", { status: 401 }, {}],
  ["POST", "/introspect", "fetch", { status: 401 }, {}],
  ["POST", "/device/auth", "fetch", { status: 400 }, {}],
  ["POST", "/request", "fetch", { status: 400 }, {}],
  ["POST", "/par", "fetch", { status: 401 }, {}],
  ["POST", "/register", "fetch", { status: 403 }, signup],
  ["GET", "/jwks", "fetch", { status: 200, json: { keys: [] } }, {}],
  ["GET", "/me", "fetch", { status: 401 }, {}],
  ["POST", "/auth/session/refresh", "fetch", { status: 401 }, {}],
  ["GET", "/assets/app.js", "fetch", { status: 200 }, {}],
  // better-auth
  ["GET", `/sign-in?${query}`, "navigation", page, start],
  ["POST", "/api/auth/sign-in/email", "fetch", { status: 401, json: { code: "X" } }, { outcome: "failure" }],
  [
    "POST",
    "/api/auth/sign-in/email",
    "fetch",
    { status: 200, json: { url: `${app}?code=1&state=st` } },
    { outcome: "success" },
  ],
  ["POST", "/api/auth/sign-in/email", "fetch", { status: 200, json: { url: "/consent?client_id=a" } }, {}],
  ["POST", "/api/auth/sign-in/email", "fetch", { status: 200, json: { twoFactorRedirect: true } }, {}],
  [
    "POST",
    "/api/auth/sign-in/email",
    "fetch",
    { status: 200, json: { redirect: false, token: "t", user: { id: "u" } } },
    { outcome: "login" },
  ],
  [
    "POST",
    "/api/auth/sign-in/social",
    "fetch",
    { status: 200, json: { url: "https://accounts.example.net/auth?state=up", redirect: true } },
    {},
  ],
  ["GET", "/sign-up", "navigation", page, signup],
  ["POST", "/api/auth/sign-up/email", "fetch", { status: 422, json: { code: "X" } }, { ...signup, outcome: "failure" }],
  ["POST", "/api/auth/sign-up/email", "fetch", { status: 200, json: { token: null, user: { id: "u" } } }, signup],
  [
    "POST",
    "/api/auth/sign-up/email",
    "fetch",
    { status: 200, json: { token: "t", user: { id: "u" } } },
    { ...signup, outcome: "signup" },
  ],
  ["GET", "/api/auth/get-session", "fetch", { status: 200, json: { session: null } }, {}],
  // SuperTokens
  [
    "POST",
    "/auth/signin",
    "fetch",
    { status: 200, json: { status: "WRONG_CREDENTIALS_ERROR" } },
    { outcome: "failure" },
  ],
  ["POST", "/auth/public/signin", "fetch", { status: 200, json: { status: "OK" } }, { outcome: "login" }],
  ["POST", "/auth/signup", "fetch", { status: 200, json: { status: "OK" } }, { ...signup, outcome: "signup" }],
  ["GET", "/auth/signup/email/exists?email=x", "fetch", { status: 200, json: { status: "OK" } }, signup],
];
