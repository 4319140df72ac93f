import { app, type PresetCase, page } from "./case.ts";

const query = "client_id=a&response_type=code&state=st&redirect_uri=https%3A%2F%2Fapp.example.com%2Fcb";
const start = { starts: true, page: "authentication/start" } as const;
const confirmed = { page: "authentication/confirmed" } as const;
const policy = "/contoso.onmicrosoft.com/B2C_1_signupsignin";
const transaction = "tx=StateProperties=x&p=B2C_1_signupsignin";

export const cases: readonly PresetCase[] = [
  // B2C
  ["GET", `${policy}/oauth2/v2.0/authorize?${query}`, "navigation", page, start],
  ["GET", `/contoso.onmicrosoft.com/oauth2/v2.0/authorize?p=B2C_1_signupsignin&${query}`, "navigation", page, start],
  [
    "POST",
    `${policy}/SelfAsserted?${transaction}`,
    "fetch",
    { status: 200, json: { status: "400", message: "x" } },
    { outcome: "failure" },
  ],
  ["POST", `${policy}/SelfAsserted?${transaction}`, "fetch", { status: 200, json: { status: "200" } }, {}],
  [
    "GET",
    `${policy}/api/CombinedSigninAndSignup/confirmed?${transaction}`,
    "navigation",
    { status: 302, location: `${app}?state=st&code=c` },
    { ...confirmed, outcome: "success" },
  ],
  [
    "GET",
    `${policy}/api/SelfAsserted/confirmed?${transaction}`,
    "navigation",
    { status: 200, form: ["id_token", "state"], autoPost: true },
    { ...confirmed, outcome: "success" },
  ],
  [
    "GET",
    `${policy}/api/SelfAsserted/confirmed?${transaction}`,
    "navigation",
    { status: 302, location: `${app}?error=access_denied&state=st` },
    { ...confirmed, outcome: "failure" },
  ],
  [
    "GET",
    `${policy}/api/CombinedSigninAndSignup/unified?local=signup&${transaction}`,
    "navigation",
    page,
    { page: "authentication/signup" },
  ],
  [
    "GET",
    `${policy}/api/CombinedSigninAndSignup/unified?${transaction}`,
    "navigation",
    page,
    { page: "authentication/page" },
  ],
  [
    "GET",
    `/contoso.onmicrosoft.com/b2c_1_passwordreset/oauth2/v2.0/authorize?${query}`,
    "navigation",
    page,
    { starts: true, page: "password_reset/password-reset" },
  ],
  [
    "GET",
    `/contoso.onmicrosoft.com/B2C_1A_PasswordReset/api/SelfAsserted/confirmed?${transaction}`,
    "navigation",
    page,
    { page: "password_reset/password-reset" },
  ],
  [
    "GET",
    `/contoso.onmicrosoft.com/B2C_1_signup/oauth2/v2.0/authorize?${query}`,
    "navigation",
    page,
    { starts: true, page: "authentication/signup" },
  ],
  [
    "GET",
    `${policy}/oauth2/authresp?code=up&state=x`,
    "navigation",
    { status: 302, location: `${app}?code=c&state=st` },
    { outcome: "success" },
  ],
  ["POST", `/contoso.onmicrosoft.com/B2C_1A_saml/samlp/sso/login`, "navigation", page, start],
  // External ID
  ["GET", `/0b1c/oauth2/v2.0/authorize?${query}`, "navigation", page, start],
  ["POST", "/0b1c/login", "navigation", { status: 200 }, { page: "authentication/login" }],
  [
    "POST",
    "/0b1c/login",
    "navigation",
    { status: 302, location: `${app}?code=c&state=st` },
    { page: "authentication/login", outcome: "success" },
  ],
  [
    "POST",
    "/common/SAS/ProcessAuth",
    "navigation",
    { status: 302, location: `${app}?code=c&state=st` },
    { page: "mfa_challenge/second-factor", outcome: "success" },
  ],
  [
    "POST",
    "/kmsi",
    "navigation",
    { status: 200, form: ["code", "state"], autoPost: true },
    { page: "authentication/stay-signed-in", outcome: "success" },
  ],
  ["GET", "/0b1c/saml2?SAMLRequest=x", "navigation", page, start],
  // No outcome, no page
  ["POST", `${policy}/oauth2/v2.0/token`, "fetch", { status: 400, json: { error: "invalid_grant" } }, {}],
  ["POST", "/0b1c/oauth2/v2.0/token", "fetch", { status: 400 }, {}],
  ["POST", "/0b1c/oauth2/v2.0/devicecode", "fetch", { status: 400 }, {}],
  ["POST", "/common/GetCredentialType", "fetch", { status: 200, json: { IfExistsResult: 0 } }, {}],
  ["POST", `${policy}/client/perftrace?${transaction}`, "fetch", { status: 200 }, {}],
  ["GET", `${policy}/discovery/v2.0/keys`, "fetch", { status: 200, json: { keys: [] } }, {}],
  ["GET", `${policy}/openid/v2.0/userinfo`, "fetch", { status: 401 }, {}],
  ["GET", `${policy}/oauth2/v2.0/logout?state=st`, "navigation", { status: 302, location: `${app}?state=st` }, {}],
  ["GET", "/static/tenant/default/css.css", "fetch", { status: 200 }, {}],
];
