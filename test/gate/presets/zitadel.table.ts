import { app, type PresetCase, page } from "./case.ts";

const query = "client_id=a&response_type=code&state=st&redirect_uri=https%3A%2F%2Fapp.example.com%2Fcb";
const start = { starts: true, page: "authentication/start" } as const;
const login = { page: "authentication/login" } as const;
const signup = { page: "authentication/signup" } as const;

export const cases: readonly PresetCase[] = [
  // Version 1
  [
    "GET",
    `/oauth/v2/authorize?${query}`,
    "navigation",
    { status: 302, location: "/ui/login/login?authRequestID=r" },
    start,
  ],
  ["GET", "/ui/login/login?authRequestID=r", "navigation", page, login],
  ["POST", "/ui/login/loginname", "navigation", { status: 200, form: ["password"] }, login],
  [
    "POST",
    "/ui/login/password",
    "navigation",
    { status: 200, form: ["authRequestID", "password"] },
    { ...login, outcome: "failure" },
  ],
  ["POST", "/ui/login/password", "navigation", { status: 200, form: ["code", "mfaType"] }, login],
  ["POST", "/ui/login/password", "navigation", { status: 302, location: "/oauth/v2/authorize/callback?id=r" }, login],
  [
    "GET",
    "/oauth/v2/authorize/callback?id=r",
    "navigation",
    { status: 302, location: `${app}?code=c&state=st` },
    { outcome: "success" },
  ],
  ["GET", "/ui/login/register?authRequestID=r", "navigation", page, signup],
  ["GET", "/ui/login/password/init?userID=u&code=c", "navigation", page, { page: "password_reset/password" }],
  ["GET", "/ui/login/password/reset?authRequestID=r", "navigation", page, { page: "password_reset/password" }],
  ["GET", "/ui/login/mfa/prompt?authRequestID=r", "navigation", page, { page: "mfa_enrollment/mfa-prompt" }],
  ["POST", "/ui/login/mfa/init/verify", "navigation", page, { page: "mfa_enrollment/mfa-init" }],
  ["POST", "/ui/login/mfa/verify", "navigation", page, { page: "mfa_challenge/mfa" }],
  ["GET", "/ui/login/login/passwordless/init", "navigation", page, { page: "passkey_enrollment/passwordless-init" }],
  ["GET", "/ui/login/mail/verification", "navigation", page, { page: "email_verification/mail" }],
  // Version 2
  [
    "GET",
    `/oauth/v2/authorize?${query}`,
    "navigation",
    { status: 302, location: "/ui/v2/login/login?authRequest=V2_1" },
    start,
  ],
  [
    "GET",
    "/ui/v2/login/login?authRequest=V2_1",
    "navigation",
    { status: 302, location: "/ui/v2/login/loginname?requestId=oidc_V2_1" },
    login,
  ],
  ["GET", "/ui/v2/login/loginname?requestId=oidc_V2_1", "navigation", page, login],
  // The server action hands the callback to a script, which the gate does not read.
  ["POST", "/ui/v2/login/password?requestId=oidc_V2_1", "fetch", { status: 200 }, login],
  // Early releases, and an existing session
  [
    "GET",
    "/ui/v2/login/login?sessionId=s&requestId=oidc_V2_1",
    "navigation",
    { status: 307, location: `${app}?code=c&state=st` },
    { ...login, outcome: "success" },
  ],
  ["GET", "/ui/v2/login/register?requestId=oidc_V2_1", "navigation", page, signup],
  ["GET", "/ui/v2/login/password/set", "navigation", page, { page: "password_reset/password-set" }],
  ["GET", "/ui/v2/login/passkey/set", "navigation", page, { page: "passkey_enrollment/passkey-set" }],
  ["GET", "/ui/v2/login/passkey", "navigation", page, login],
  ["GET", "/ui/v2/login/mfa/set", "navigation", page, { page: "mfa_enrollment/mfa-set" }],
  ["GET", "/ui/v2/login/otp/time-based/set", "navigation", page, { page: "mfa_enrollment/otp-set" }],
  ["GET", "/ui/v2/login/otp/time-based", "navigation", page, { page: "mfa_challenge/otp" }],
  ["GET", "/ui/v2/login/verify?userId=u", "navigation", page, { page: "email_verification/verify" }],
  [
    "GET",
    "/saml/v2/SSO?SAMLRequest=x",
    "navigation",
    { status: 302, location: "/ui/v2/login/login?samlRequest=V2_2" },
    start,
  ],
  [
    "GET",
    "/ui/v2/login/saml-post",
    "navigation",
    { status: 200, form: ["SAMLResponse", "RelayState"], autoPost: true },
    { ...login, outcome: "success" },
  ],
  // No outcome, no page
  ["POST", "/oauth/v2/token", "fetch", { status: 400, json: { error: "invalid_grant" } }, {}],
  ["POST", "/oauth/v2/introspect", "fetch", { status: 401 }, {}],
  ["POST", "/oauth/v2/revoke", "fetch", { status: 400 }, {}],
  ["POST", "/oauth/v2/device_authorization", "fetch", { status: 400 }, {}],
  ["GET", "/oauth/v2/keys", "fetch", { status: 200, json: { keys: [] } }, {}],
  ["GET", "/oidc/v1/userinfo", "fetch", { status: 401 }, {}],
  ["GET", "/oidc/v1/end_session?state=st", "navigation", { status: 302, location: `${app}?state=st` }, {}],
  ["GET", "/ui/login/logout/done", "navigation", { status: 200 }, {}],
  ["GET", "/ui/v2/login/logout", "navigation", { status: 200 }, {}],
  ["GET", "/ui/login/device", "navigation", { status: 200 }, {}],
  ["GET", "/ui/login/resources/themes/css/zitadel.css", "fetch", { status: 200 }, {}],
];
