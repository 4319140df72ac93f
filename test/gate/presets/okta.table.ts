import { app, type PresetCase, page } from "./case.ts";

const query = "client_id=a&response_type=code&state=st&redirect_uri=https%3A%2F%2Fapp.example.com%2Fcb";
const start = { starts: true, page: "authentication/start" } as const;
const login = { page: "authentication/login" } as const;

export const cases: readonly PresetCase[] = [
  // Identity Engine: the widget is on the authorize page itself.
  ["GET", `/oauth2/default/v1/authorize?${query}`, "navigation", page, start],
  ["GET", `/oauth2/v1/authorize?${query}`, "navigation", page, start],
  ["POST", "/idp/idx/introspect", "fetch", { status: 200, json: { version: "1.0.0" } }, {}],
  ["POST", "/idp/idx/identify", "fetch", { status: 200, json: { remediation: {} } }, {}],
  ["POST", "/idp/idx/challenge/answer", "fetch", { status: 401, json: { messages: {} } }, { outcome: "failure" }],
  [
    "POST",
    "/idp/idx/challenge/answer",
    "fetch",
    { status: 200, json: { success: { href: "https://login.example.com/login/token/redirect?stateToken=x" } } },
    {},
  ],
  ["POST", "/idp/idx/challenge/poll", "fetch", { status: 400 }, {}],
  [
    "GET",
    "/login/token/redirect?stateToken=x",
    "navigation",
    { status: 302, location: "/oauth2/v1/authorize/redirect?okta_key=k" },
    login,
  ],
  [
    "GET",
    "/oauth2/v1/authorize/redirect?okta_key=k",
    "navigation",
    { status: 302, location: `${app}?code=c&state=st` },
    { outcome: "success" },
  ],
  [
    "GET",
    "/login/token/redirect?stateToken=x",
    "navigation",
    { status: 200, form: ["code", "state"], autoPost: true },
    { ...login, outcome: "success" },
  ],
  ["POST", "/idp/idx/enroll/new", "fetch", { status: 400 }, { page: "authentication/signup", outcome: "failure" }],
  // Classic
  ["GET", "/login/login.htm?fromURI=x", "navigation", page, login],
  ["POST", "/api/v1/authn", "fetch", { status: 401, json: { errorCode: "E0000004" } }, { outcome: "failure" }],
  ["POST", "/api/v1/authn", "fetch", { status: 200, json: { status: "MFA_REQUIRED" } }, {}],
  ["POST", "/api/v1/authn/factors/f1/verify", "fetch", { status: 403 }, { outcome: "failure" }],
  ["GET", "/signin/register", "navigation", page, { page: "authentication/signup" }],
  ["GET", "/signin/forgot-password", "navigation", page, { page: "password_reset/forgot-password" }],
  ["GET", "/signin/recovery-question", "navigation", page, { page: "password_reset/recovery" }],
  ["GET", "/reset_password/token", "navigation", page, { page: "password_reset/reset-password" }],
  ["GET", "/signin/verify/okta/push", "navigation", page, { page: "mfa_challenge/verify" }],
  ["GET", "/signin/enroll-activate/okta/push", "navigation", page, { page: "mfa_enrollment/enroll" }],
  // SAML and social login
  ["GET", "/app/acme_hr_1/exk1/sso/saml?SAMLRequest=x", "navigation", page, start],
  ["POST", "/app/acme_hr_1/exk1/sso/saml", "navigation", page, start],
  [
    "GET",
    "/login/token/redirect?stateToken=x",
    "navigation",
    { status: 200, form: ["SAMLResponse", "RelayState"], autoPost: true },
    { ...login, outcome: "success" },
  ],
  [
    "GET",
    "/oauth2/v1/authorize/callback?code=up&state=x",
    "navigation",
    { status: 302, location: `${app}?code=c&state=st` },
    { outcome: "success" },
  ],
  // No outcome, no page
  ["POST", "/oauth2/default/v1/token", "fetch", { status: 400, json: { error: "invalid_grant" } }, {}],
  ["POST", "/oauth2/default/v1/introspect", "fetch", { status: 401 }, {}],
  ["POST", "/oauth2/default/v1/par", "fetch", { status: 400 }, {}],
  ["POST", "/oauth2/v1/device/authorize", "fetch", { status: 401 }, {}],
  ["POST", "/oauth2/v1/clients", "fetch", { status: 403 }, {}],
  ["GET", "/oauth2/v1/keys", "fetch", { status: 200, json: { keys: [] } }, {}],
  ["GET", "/oauth2/default/v1/userinfo", "fetch", { status: 401 }, {}],
  [
    "GET",
    "/oauth2/default/v1/logout?id_token_hint=x&state=st",
    "navigation",
    { status: 302, location: `${app}?state=st` },
    {},
  ],
  ["GET", "/login/signout", "navigation", { status: 302, location: "/" }, {}],
  ["GET", "/api/v1/sessions/me", "fetch", { status: 404 }, {}],
  ["POST", "/idp/idx/cancel", "fetch", { status: 400 }, {}],
];
