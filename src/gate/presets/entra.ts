/**
 * Microsoft Entra External ID and Azure AD B2C behind a custom URL domain.
 *
 * @see https://learn.microsoft.com/en-us/entra/external-id/customers/concept-custom-url-domain
 * @see https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-auth-code-flow
 * @see https://learn.microsoft.com/en-us/azure/active-directory-b2c/custom-domain
 * @see https://learn.microsoft.com/en-us/azure/active-directory-b2c/authorization-code-flow
 * @see https://learn.microsoft.com/en-us/azure/active-directory-b2c/saml-service-provider
 */
import type { Preset } from "./preset.ts";

export const entra: Preset = {
  starts: [
    { path: "/**/oauth2/v2.0/authorize", methods: ["GET", "POST"] },
    { path: "/**/oauth2/authorize", methods: ["GET", "POST"] },
    { path: "/**/samlp/sso/login", methods: ["GET", "POST"] },
    { path: "/*/saml2", methods: ["GET", "POST"] },
  ],
  startsByQuery: false,
  pages: [
    // B2C: one policy, one flow, so names as in Microsoft's documentation tell them (B2C_1_passwordreset).
    { path: "/*/b2c_1*reset*/**", flow: "password_reset", step: "password-reset" },
    { path: "/*/b2c_1*_signup/**", flow: "authentication", step: "signup" },
    {
      path: "/**/api/CombinedSigninAndSignup/unified",
      query: "local=signup",
      flow: "authentication",
      step: "signup",
    },
    { path: "/**/api/*/confirmed", flow: "authentication", step: "confirmed" },
    { path: "/**/api/*/unified", flow: "authentication", step: "page" },
    // External ID
    { path: "/common/SAS/**", flow: "mfa_challenge", step: "second-factor" },
    { path: "/*/login", flow: "authentication", step: "login" },
    { path: "/*/reprocess", flow: "authentication", step: "login" },
    { path: "/kmsi", flow: "authentication", step: "stay-signed-in" },
  ],
  otherPages: null,
  outcomes: [
    // B2C answers every form with 200 and puts the result into the JSON body.
    {
      outcome: "failure",
      method: "POST",
      request: "fetch",
      path: "/**/SelfAsserted",
      status: [200],
      json: { member: "status", equals: "400" },
    },
  ],
};
