import { app, type PresetCase, page } from "./case.ts";

const query = "client_id=a&response_type=code&state=st&redirect_uri=https%3A%2F%2Fapp.example.com%2Fcb";
const login = { page: "authentication/login" } as const;
const signup = { page: "authentication/signup" } as const;
const mfa = { page: "mfa_challenge/mfa" } as const;

export const cases: readonly PresetCase[] = [
  [
    "GET",
    `/oauth2/authorize?${query}`,
    "navigation",
    { status: 302, location: `/login?${query}` },
    { starts: true, page: "authentication/start" },
  ],
  ["GET", `/login?${query}`, "navigation", page, login],
  [
    "POST",
    `/login?${query}`,
    "navigation",
    { status: 302, location: `/login?${query}&error=Incorrect` },
    { ...login, outcome: "failure" },
  ],
  [
    "POST",
    `/login?${query}`,
    "navigation",
    { status: 302, location: "/error?error=x" },
    { ...login, outcome: "failure" },
  ],
  ["POST", `/login?${query}`, "navigation", { status: 302, location: `/mfa?${query}` }, login],
  ["GET", `/mfa?${query}`, "navigation", page, mfa],
  [
    "POST",
    `/mfa?${query}`,
    "navigation",
    { status: 302, location: `/mfa?${query}&error=x` },
    { ...mfa, outcome: "failure" },
  ],
  [
    "POST",
    `/login?${query}`,
    "navigation",
    { status: 302, location: `${app}?code=c&state=st` },
    { ...login, outcome: "success" },
  ],
  ["GET", `/signup?${query}`, "navigation", page, signup],
  [
    "POST",
    `/signup?${query}`,
    "navigation",
    { status: 302, location: `/signup?${query}&error=x` },
    { ...signup, outcome: "failure" },
  ],
  ["GET", `/confirm?${query}`, "navigation", page, { page: "email_verification/confirm" }],
  ["GET", "/confirmUser?confirmation_code=1&client_id=a", "navigation", page, { page: "email_verification/confirm" }],
  ["GET", `/forgotPassword?${query}`, "navigation", page, { page: "password_reset/forgot-password" }],
  [
    "POST",
    `/forgotPassword?${query}`,
    "navigation",
    { status: 302, location: `/forgotPassword?${query}&error=x` },
    { page: "password_reset/forgot-password" },
  ],
  ["GET", `/confirmforgotPassword?${query}`, "navigation", page, { page: "password_reset/confirm-forgot-password" }],
  ["GET", `/passkeys/add?${query}`, "navigation", page, { page: "passkey_enrollment/add" }],
  // Federated logins end at the user pool's callbacks.
  [
    "GET",
    "/oauth2/idpresponse?code=up&state=x",
    "navigation",
    { status: 302, location: `${app}?code=c&state=st` },
    { outcome: "success" },
  ],
  [
    "POST",
    "/saml2/idpresponse",
    "navigation",
    { status: 302, location: `${app}?code=c&state=st` },
    { outcome: "success" },
  ],
  [
    "GET",
    "/oauth2/idpresponse?error=x",
    "navigation",
    { status: 302, location: `${app}?error=access_denied&state=st` },
    { outcome: "failure" },
  ],
  // No outcome, no page
  ["POST", "/oauth2/token", "fetch", { status: 400, json: { error: "invalid_grant" } }, {}],
  ["POST", "/oauth2/revoke", "fetch", { status: 400 }, {}],
  ["GET", "/oauth2/userInfo", "fetch", { status: 401 }, {}],
  ["GET", "/.well-known/jwks.json", "fetch", { status: 200, json: { keys: [] } }, {}],
  ["GET", "/logout?client_id=a&logout_uri=x", "navigation", { status: 302, location: app }, {}],
  [
    "GET",
    "/logout?client_id=a&response_type=code&redirect_uri=x",
    "navigation",
    { status: 302, location: `/login?${query}` },
    {},
  ],
  ["GET", "/assets/images/logo.png", "fetch", { status: 200 }, {}],
];
