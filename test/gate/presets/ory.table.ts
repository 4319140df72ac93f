import { app, type PresetCase, page } from "./case.ts";

const query = "client_id=a&response_type=code&state=st&redirect_uri=https%3A%2F%2Fapp.example.com%2Fcb";
const login = { page: "authentication/login" } as const;
const signup = { page: "authentication/signup" } as const;
const refused = { ui: { messages: [{ id: 4000006, type: "error" }] } };

export const cases: readonly PresetCase[] = [
  // Hydra, then Kratos
  [
    "GET",
    `/oauth2/auth?${query}`,
    "navigation",
    { status: 302, location: "/ui/login?login_challenge=l" },
    { starts: true, page: "authentication/start" },
  ],
  [
    "GET",
    "/self-service/login/browser?login_challenge=l",
    "navigation",
    { status: 303, location: "/ui/login?flow=f" },
    {},
  ],
  ["GET", "/ui/login?flow=f", "navigation", page, login],
  ["GET", "/login?flow=f", "navigation", page, login],
  ["POST", "/self-service/login?flow=f", "fetch", { status: 400, json: refused }, { ...login, outcome: "failure" }],
  [
    "POST",
    "/self-service/login?flow=f",
    "fetch",
    { status: 400, json: { state: "sent_email", ui: { messages: [{ type: "info" }] } } },
    login,
  ],
  [
    "POST",
    "/self-service/login?flow=f",
    "fetch",
    {
      status: 422,
      json: {
        error: { id: "browser_location_change_required" },
        redirect_browser_to: "https://login.example.com/oauth2/auth?login_verifier=v",
      },
    },
    login,
  ],
  [
    "POST",
    "/self-service/login?flow=f",
    "navigation",
    { status: 303, location: "/oauth2/auth?login_verifier=v&client_id=a" },
    login,
  ],
  ["POST", "/self-service/login?flow=f", "navigation", { status: 303, location: "/ui/login?flow=f" }, login],
  ["GET", "/ui/consent?consent_challenge=c", "navigation", page, { page: "authentication/consent" }],
  [
    "GET",
    `/oauth2/auth?${query}&consent_verifier=v`,
    "navigation",
    { status: 303, location: `${app}?code=c&scope=openid&state=st` },
    { starts: true, page: "authentication/start", outcome: "success" },
  ],
  // Kratos alone
  [
    "POST",
    "/self-service/login?flow=f",
    "fetch",
    { status: 200, json: { session: { active: true } } },
    { ...login, outcome: "login" },
  ],
  ["GET", "/ui/registration?flow=f", "navigation", page, signup],
  [
    "POST",
    "/self-service/registration?flow=f",
    "fetch",
    { status: 400, json: refused },
    { ...signup, outcome: "failure" },
  ],
  [
    "POST",
    "/self-service/registration?flow=f",
    "fetch",
    { status: 200, json: { session: { active: true }, identity: {} } },
    { ...signup, outcome: "signup" },
  ],
  ["GET", "/ui/recovery?flow=f", "navigation", page, { page: "password_reset/recovery" }],
  ["GET", "/ui/verification?flow=f", "navigation", page, { page: "email_verification/verification" }],
  // No outcome, no page
  ["GET", "/sessions/whoami", "fetch", { status: 401, json: { error: {} } }, {}],
  ["GET", "/self-service/login/flows?id=f", "fetch", { status: 200, json: { ui: { messages: [] } } }, {}],
  ["GET", "/self-service/logout?token=t", "navigation", { status: 303, location: app }, {}],
  ["POST", "/oauth2/token", "fetch", { status: 400, json: { error: "invalid_grant" } }, {}],
  ["POST", "/oauth2/revoke", "fetch", { status: 401 }, {}],
  ["POST", "/oauth2/register", "fetch", { status: 401 }, {}],
  ["POST", "/oauth2/device/auth", "fetch", { status: 400 }, {}],
  ["GET", "/.well-known/jwks.json", "fetch", { status: 200, json: { keys: [] } }, {}],
  ["GET", "/userinfo", "fetch", { status: 401 }, {}],
  ["GET", "/oauth2/sessions/logout?state=st", "navigation", { status: 302, location: `${app}?state=st` }, {}],
];
