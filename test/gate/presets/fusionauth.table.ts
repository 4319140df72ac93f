import { app, type PresetCase } from "./case.ts";

const query = "client_id=a&response_type=code&state=st&redirect_uri=https%3A%2F%2Fapp.example.com%2Fcb";
const page = { status: 200, form: ["client_id", "response_type", "state", "loginId", "password"] } as const;
const start = { starts: true, page: "authentication/login" } as const;
const login = { page: "authentication/login" } as const;
const signup = { page: "authentication/signup" } as const;

export const cases: readonly PresetCase[] = [
  ["GET", `/oauth2/authorize?${query}`, "navigation", page, start],
  ["POST", "/oauth2/authorize", "navigation", page, { ...login, outcome: "failure" }],
  ["POST", "/oauth2/authorize", "navigation", { status: 302, location: "/oauth2/two-factor?twoFactorId=t" }, login],
  [
    "GET",
    "/oauth2/two-factor?twoFactorId=t",
    "navigation",
    { status: 200, form: ["code"] },
    { page: "mfa_challenge/two-factor" },
  ],
  [
    "POST",
    "/oauth2/two-factor",
    "navigation",
    { status: 302, location: `${app}?code=c&locale=en&state=st&userState=Authenticated` },
    { page: "mfa_challenge/two-factor", outcome: "success" },
  ],
  [
    "POST",
    "/oauth2/authorize",
    "navigation",
    { status: 302, location: `${app}?code=c&state=st` },
    { ...login, outcome: "success" },
  ],
  [
    "POST",
    "/oauth2/authorize",
    "navigation",
    { status: 200, form: ["code", "state"], autoPost: true },
    { ...login, outcome: "success" },
  ],
  [
    "GET",
    "/oauth2/callback?code=up&state=x",
    "navigation",
    { status: 302, location: `${app}?code=c&state=st` },
    { ...login, outcome: "success" },
  ],
  ["GET", `/oauth2/register?${query}`, "navigation", page, signup],
  [
    "POST",
    "/oauth2/register",
    "navigation",
    { status: 200, form: ["user.email", "user.password", "passwordConfirm"] },
    { ...signup, outcome: "failure" },
  ],
  ["GET", "/oauth2/complete-registration", "navigation", page, signup],
  ["GET", "/oauth2/two-factor-enable", "navigation", page, { page: "mfa_enrollment/two-factor-enable" }],
  ["GET", "/oauth2/two-factor-methods", "navigation", page, { page: "mfa_challenge/two-factor" }],
  ["GET", "/oauth2/webauthn-reauth-enable", "navigation", page, { page: "passkey_enrollment/webauthn-enable" }],
  ["GET", "/oauth2/webauthn-reauth", "navigation", page, login],
  ["GET", "/oauth2/passwordless", "navigation", page, login],
  ["GET", "/oauth2/consent", "navigation", page, { page: "authentication/consent" }],
  ["GET", `/password/forgot?${query}`, "navigation", page, { page: "password_reset/password" }],
  ["POST", "/password/change/abc", "navigation", page, { page: "password_reset/password" }],
  ["GET", "/email/verify/abc", "navigation", page, { page: "email_verification/email" }],
  ["GET", "/registration/verification-required", "navigation", page, { page: "email_verification/registration" }],
  ["GET", "/confirmation-required", "navigation", page, { page: "email_verification/confirmation" }],
  // SAML
  [
    "GET",
    "/samlv2/login/30663132?SAMLRequest=x",
    "navigation",
    { status: 302, location: "/oauth2/authorize" },
    { starts: true, page: "authentication/start" },
  ],
  [
    "POST",
    "/samlv2/login/30663132",
    "navigation",
    { status: 302, location: "/oauth2/authorize" },
    { starts: true, page: "authentication/start" },
  ],
  [
    "POST",
    "/oauth2/authorize",
    "navigation",
    { status: 200, form: ["SAMLResponse", "RelayState"], autoPost: true },
    { ...login, outcome: "success" },
  ],
  // No outcome, no page
  ["GET", "/samlv2/logout/30663132?SAMLRequest=x", "navigation", { status: 200, form: ["SAMLResponse"] }, {}],
  ["POST", "/oauth2/token", "fetch", { status: 400, json: { error: "invalid_grant" } }, login],
  ["POST", "/oauth2/introspect", "fetch", { status: 401 }, login],
  ["POST", "/oauth2/device_authorize", "fetch", { status: 400 }, {}],
  ["GET", "/oauth2/device?client_id=a", "navigation", { status: 200 }, {}],
  ["GET", "/oauth2/userinfo", "fetch", { status: 401 }, login],
  ["GET", "/.well-known/jwks.json", "fetch", { status: 200, json: { keys: [] } }, {}],
  ["GET", "/oauth2/logout?client_id=a&state=st", "navigation", { status: 302, location: `${app}?state=st` }, {}],
  ["POST", "/api/jwt/refresh", "fetch", { status: 401 }, {}],
  ["GET", "/css/fusionauth-style.css", "fetch", { status: 200 }, {}],
];
