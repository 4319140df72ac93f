import { app, type PresetCase, page } from "./case.ts";

const query = "client_id=a&response_type=code&state=st&redirect_uri=https%3A%2F%2Fapp.example.com%2Fcb";
const realm = "/realms/acme";
const actions = `${realm}/login-actions`;
const session = "session_code=s&execution=0a1b&client_id=a&tab_id=t";
const start = { starts: true, page: "authentication/start" } as const;
const login = { page: "authentication/login" } as const;
const signup = { page: "authentication/signup" } as const;

export const cases: readonly PresetCase[] = [
  // A refused password, a one-time code, a login
  ["GET", `${realm}/protocol/openid-connect/auth?${query}`, "navigation", page, start],
  ["POST", `${actions}/authenticate?${session}`, "navigation", page, { ...login, outcome: "failure" }],
  ["POST", `${actions}/authenticate?${session}`, "navigation", { status: 200, form: ["otp"] }, login],
  ["POST", `${actions}/authenticate?${session}`, "navigation", { status: 200, form: ["password"] }, login],
  ["POST", `${actions}/authenticate?${session}`, "navigation", { status: 400 }, { ...login, outcome: "failure" }],
  [
    "POST",
    `${actions}/authenticate?${session}`,
    "navigation",
    { status: 302, location: `${app}?state=st&session_state=x&iss=i&code=c` },
    { ...login, outcome: "success" },
  ],
  [
    "POST",
    `${actions}/authenticate?${session}`,
    "navigation",
    { status: 302, location: `${actions}/required-action?execution=CONFIGURE_TOTP&client_id=a&tab_id=t` },
    login,
  ],
  [
    "POST",
    `${actions}/authenticate?${session}`,
    "navigation",
    { status: 200, form: ["code", "state", "iss"], autoPost: true },
    { ...login, outcome: "success" },
  ],
  // Before version 17 everything is under /auth.
  ["GET", `/auth${realm}/protocol/openid-connect/auth?${query}`, "navigation", page, start],
  ["POST", `/auth${actions}/authenticate?${session}`, "navigation", page, { ...login, outcome: "failure" }],
  // Sign-up
  ["GET", `${realm}/protocol/openid-connect/registrations?${query}`, "navigation", page, { starts: true, ...signup }],
  [
    "GET",
    `${realm}/protocol/openid-connect/auth?${query}&prompt=create`,
    "navigation",
    page,
    { starts: true, ...signup },
  ],
  ["GET", `${actions}/registration?client_id=a&tab_id=t`, "navigation", page, signup],
  [
    "POST",
    `${actions}/registration?${session}`,
    "navigation",
    { status: 200, form: ["email", "password", "password-confirm"] },
    { ...signup, outcome: "failure" },
  ],
  // Other flows
  [
    "GET",
    `${actions}/reset-credentials?client_id=a&tab_id=t`,
    "navigation",
    page,
    { page: "password_reset/reset-credentials" },
  ],
  ["POST", `${actions}/reset-credentials?${session}`, "navigation", page, { page: "password_reset/reset-credentials" }],
  [
    "GET",
    `${actions}/required-action?execution=UPDATE_PASSWORD&client_id=a`,
    "navigation",
    page,
    { page: "password_reset/update-password" },
  ],
  [
    "GET",
    `${actions}/required-action?execution=CONFIGURE_TOTP&client_id=a`,
    "navigation",
    page,
    { page: "mfa_enrollment/configure-totp" },
  ],
  [
    "GET",
    `${actions}/required-action?execution=webauthn-register`,
    "navigation",
    page,
    { page: "mfa_enrollment/webauthn-register" },
  ],
  [
    "GET",
    `${actions}/required-action?execution=webauthn-register-passwordless`,
    "navigation",
    page,
    { page: "passkey_enrollment/webauthn-register" },
  ],
  [
    "GET",
    `${actions}/required-action?execution=VERIFY_EMAIL`,
    "navigation",
    page,
    { page: "email_verification/verify-email" },
  ],
  ["GET", `${actions}/required-action?execution=TERMS_AND_CONDITIONS`, "navigation", page, login],
  // SAML
  ["GET", `${realm}/protocol/saml?SAMLRequest=x`, "navigation", page, start],
  [
    "POST",
    `${realm}/protocol/saml`,
    "navigation",
    { status: 302, location: `${actions}/authenticate?client_id=a&tab_id=t` },
    start,
  ],
  ["GET", `${realm}/protocol/saml/clients/hr`, "navigation", page, start],
  [
    "POST",
    `${actions}/authenticate?${session}`,
    "navigation",
    { status: 200, form: ["SAMLResponse", "RelayState"], autoPost: true },
    { ...login, outcome: "success" },
  ],
  // A logout request is answered with the same field.
  ["GET", `${realm}/protocol/saml?SAMLRequest=logout`, "navigation", { status: 200, form: ["SAMLResponse"] }, start],
  // A realm that brokers another: not the end of the login.
  [
    "GET",
    `${realm}/broker/google/login?client_id=a&tab_id=t`,
    "navigation",
    { status: 303, location: "https://accounts.example.net/auth?state=b" },
    {},
  ],
  // No outcome, no page
  ["POST", `${realm}/protocol/openid-connect/token`, "fetch", { status: 400, json: { error: "invalid_grant" } }, {}],
  ["POST", `${realm}/protocol/openid-connect/token/introspect`, "fetch", { status: 401 }, {}],
  ["POST", `${realm}/protocol/openid-connect/auth/device`, "fetch", { status: 401 }, {}],
  ["POST", `${realm}/protocol/openid-connect/ext/par/request`, "fetch", { status: 400 }, {}],
  ["POST", `${realm}/clients-registrations/openid-connect`, "fetch", { status: 403 }, {}],
  ["GET", `${realm}/protocol/openid-connect/certs`, "fetch", { status: 200, json: { keys: [] } }, {}],
  ["GET", `${realm}/protocol/openid-connect/userinfo`, "fetch", { status: 401 }, {}],
  [
    "GET",
    `${realm}/protocol/openid-connect/logout?state=st`,
    "navigation",
    { status: 302, location: `${app}?state=st` },
    {},
  ],
  ["GET", `${realm}/protocol/openid-connect/login-status-iframe.html`, "navigation", { status: 200 }, {}],
  ["GET", "/resources/abc/login/keycloak.v2/css/styles.css", "fetch", { status: 200 }, {}],
  ["GET", `${realm}/account/`, "navigation", { status: 200 }, {}],
];
