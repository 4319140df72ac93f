/**
 * Any OpenID provider: logins are recognized by their query, every other document is a page of `authentication`.
 *
 * @see https://openid.net/specs/openid-connect-core-1_0.html#AuthorizationEndpoint
 * @see https://openid.net/specs/openid-connect-rpinitiated-1_0.html
 * @see https://www.better-auth.com/docs/authentication/email-password
 * @see https://supertokens.com/docs/references/fdi/introduction
 */
import type { Preset } from "./preset.ts";

export const oidc: Preset = {
  ignored: [
    "/.well-known/**",
    "/**/logout/**",
    "/**/signout/**",
    "/**/sign-out/**",
    "/**/endsession/**",
    "/**/end-session/**",
    "/**/end_session/**",
    "/**/session/end/**",
    "/**/checksession/**",
    "/**/check_session*/**",
    "/**/device/**",
  ],
  starts: [
    { path: "/**/authorize", methods: ["POST"] },
    { path: "/**/oauth2/auth", methods: ["POST"] },
    { path: "/**/openid-connect/auth", methods: ["POST"] },
    { path: "/**/saml*/**/sso", methods: ["POST"] },
  ],
  startsByQuery: true,
  pages: [
    { path: "/**/signup/**", flow: "authentication", step: "signup" },
    { path: "/**/sign-up/**", flow: "authentication", step: "signup" },
    { path: "/**/register", flow: "authentication", step: "signup" },
  ],
  otherPages: "authentication",
  outcomes: [
    { outcome: "failure", method: "POST", request: "navigation", status: [400, 401, 403, 422] },
    // better-auth. With OpenID Connect its answer is the redirect's address instead, which needs no rule.
    {
      outcome: "login",
      method: "POST",
      request: "fetch",
      path: "/**/api/auth/sign-in/**",
      status: [200],
      json: { member: "token" },
    },
    {
      outcome: "signup",
      method: "POST",
      request: "fetch",
      path: "/**/api/auth/sign-up/**",
      status: [200],
      json: { member: "token" },
    },
    {
      outcome: "failure",
      method: "POST",
      request: "fetch",
      path: "/**/api/auth/sign-in/**",
      status: [400, 401, 403, 422],
    },
    {
      outcome: "failure",
      method: "POST",
      request: "fetch",
      path: "/**/api/auth/sign-up/**",
      status: [400, 401, 403, 422],
    },
    // SuperTokens answers 200 whatever happened; its tenant may be a segment of the path.
    {
      outcome: "login",
      method: "POST",
      request: "fetch",
      path: "/auth/**/signin",
      status: [200],
      json: { member: "status", equals: "OK" },
    },
    {
      outcome: "failure",
      method: "POST",
      request: "fetch",
      path: "/auth/**/signin",
      status: [200],
      json: { member: "status", equals: "WRONG_CREDENTIALS_ERROR" },
    },
    {
      outcome: "signup",
      method: "POST",
      request: "fetch",
      path: "/auth/**/signup",
      status: [200],
      json: { member: "status", equals: "OK" },
    },
    {
      outcome: "failure",
      method: "POST",
      request: "fetch",
      path: "/auth/**/signup",
      status: [200],
      json: { member: "status", equals: "FIELD_ERROR" },
    },
  ],
};
