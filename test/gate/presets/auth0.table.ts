import { app, type PresetCase, page } from "./case.ts";

const query = "client_id=a&response_type=code&state=st&redirect_uri=https%3A%2F%2Fapp.example.com%2Fcb";
const login = { page: "authentication/login" } as const;
const signup = { page: "authentication/signup" } as const;
const challenge = { page: "mfa_challenge/mfa-challenge" } as const;
const enrollment = { page: "mfa_enrollment/mfa-enrollment" } as const;

export const cases: readonly PresetCase[] = [
  // Identifier first, a refused password, a second factor
  [
    "GET",
    `/authorize?${query}`,
    "navigation",
    { status: 302, location: "/u/login/identifier?state=s" },
    { starts: true, page: "authentication/start" },
  ],
  ["GET", "/u/login/identifier?state=s", "navigation", page, login],
  ["POST", "/u/login/identifier?state=s", "navigation", { status: 302, location: "/u/login/password?state=s" }, login],
  ["POST", "/u/login/password?state=s", "navigation", { ...page, status: 400 }, { ...login, outcome: "failure" }],
  ["POST", "/u/login/password?state=s", "navigation", { status: 302, location: "/authorize/resume?state=s" }, login],
  ["GET", "/authorize/resume?state=s", "navigation", { status: 302, location: "/u/mfa-otp-challenge?state=s" }, {}],
  ["GET", "/u/mfa-otp-challenge?state=s", "navigation", page, challenge],
  [
    "POST",
    "/u/mfa-otp-challenge?state=s",
    "navigation",
    { ...page, status: 400 },
    { ...challenge, outcome: "failure" },
  ],
  [
    "GET",
    "/authorize/resume?state=s",
    "navigation",
    { status: 302, location: `${app}?code=c&state=st` },
    { outcome: "success" },
  ],
  ["GET", "/u/signup?state=s", "navigation", page, signup],
  ["GET", "/u/signup/identifier?state=s", "navigation", page, signup],
  ["POST", "/u/signup?state=s", "navigation", { ...page, status: 400 }, { ...signup, outcome: "failure" }],
  ["POST", "/u/mfa-otp-enrollment-qr?state=s", "navigation", { ...page, status: 400 }, enrollment],
  ["POST", "/u/email-otp-challenge?state=s", "navigation", { ...page, status: 400 }, { ...login, outcome: "failure" }],
  // Other flows
  ["GET", "/u/mfa-otp-enrollment-qr?state=s", "navigation", page, enrollment],
  ["GET", "/u/mfa-begin-enroll-options?state=s", "navigation", page, enrollment],
  ["GET", "/u/mfa-push-welcome?state=s", "navigation", page, enrollment],
  ["GET", "/u/mfa-login-options?state=s", "navigation", page, challenge],
  ["GET", "/u/passkey-enrollment?state=s", "navigation", page, { page: "passkey_enrollment/passkey-enrollment" }],
  ["GET", "/u/reset-password/request/db?state=s", "navigation", page, { page: "password_reset/reset-password" }],
  [
    "POST",
    "/u/reset-password/request/db?state=s",
    "navigation",
    { ...page, status: 400 },
    { page: "password_reset/reset-password" },
  ],
  ["GET", "/u/organization/selection?state=s", "navigation", page, { page: "organization_selection/organization" }],
  ["GET", "/u/email-verification?ticket=t", "navigation", page, { page: "email_verification/email-verification" }],
  ["GET", "/u/consent?state=s", "navigation", page, { page: "authentication/consent" }],
  // Classic login
  ["GET", "/login?state=s&client=a&protocol=oauth2", "navigation", page, login],
  [
    "POST",
    "/usernamepassword/login",
    "fetch",
    { status: 401, json: { code: "invalid_user_password" } },
    { outcome: "failure" },
  ],
  ["POST", "/usernamepassword/login", "fetch", { status: 200, form: ["wa", "wresult", "wctx"] }, {}],
  [
    "POST",
    "/login/callback",
    "navigation",
    { status: 302, location: `${app}?code=c&state=st` },
    { ...login, outcome: "success" },
  ],
  [
    "GET",
    "/login/callback?code=up&state=s",
    "navigation",
    { status: 302, location: "/authorize/resume?state=s" },
    login,
  ],
  // SAML
  [
    "GET",
    "/samlp/client1?SAMLRequest=x",
    "navigation",
    { status: 302, location: "/u/login?state=s" },
    { starts: true, page: "authentication/start" },
  ],
  [
    "POST",
    "/samlp/client1",
    "navigation",
    { status: 302, location: "/u/login?state=s" },
    { starts: true, page: "authentication/start" },
  ],
  [
    "GET",
    "/authorize/resume?state=s",
    "navigation",
    { status: 200, form: ["SAMLResponse", "RelayState"], autoPost: true },
    { outcome: "success" },
  ],
  ["GET", "/samlp/metadata?connection=x", "navigation", { status: 200 }, {}],
  ["GET", "/samlp/client1/logout?SAMLRequest=x", "navigation", { status: 302, location: app }, {}],
  // No outcome, no page
  ["POST", "/oauth/token", "fetch", { status: 403, json: { error: "invalid_grant" } }, {}],
  ["POST", "/oauth/device/code", "fetch", { status: 403 }, {}],
  ["POST", "/oauth/par", "fetch", { status: 401 }, {}],
  ["POST", "/oidc/register", "fetch", { status: 403 }, {}],
  ["POST", "/oauth/revoke", "fetch", { status: 401 }, {}],
  ["GET", "/.well-known/jwks.json", "fetch", { status: 200, json: { keys: [] } }, {}],
  ["GET", "/userinfo", "fetch", { status: 401 }, {}],
  ["GET", "/v2/logout?client_id=a&returnTo=x", "navigation", { status: 302, location: app }, {}],
  ["GET", "/oidc/logout", "navigation", { status: 302, location: `${app}?state=st` }, {}],
  ["GET", "/u/device/confirmation?state=s", "navigation", page, {}],
  ["GET", "/user/ssodata", "fetch", { status: 200, json: {} }, {}],
];
