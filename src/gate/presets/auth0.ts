/**
 * Auth0 behind a custom domain: Universal Login at /u/…, classic login at /login. A refused form is shown again with 400.
 *
 * @see https://auth0.com/docs/authenticate/login/auth0-universal-login/universal-login-vs-classic-login/universal-experience
 * @see https://auth0.com/docs/libraries/acul/js-sdk/Screens
 * @see https://auth0.com/docs/customize/custom-domains/self-managed-certificates
 */
import type { OutcomeRule } from "../../model/provider.ts";
import type { Preset } from "./preset.ts";

const refused: OutcomeRule = { outcome: "failure", method: "POST", request: "navigation", status: [400, 401, 403] };

export const auth0: Preset = {
  ignored: ["/samlp/metadata/**", "/samlp/*/logout", "/u/device/**", "/u/logout*/**"],
  starts: [
    { path: "/authorize" },
    { path: "/samlp/*", methods: ["GET", "POST"] },
    { path: "/wsfed/**", methods: ["GET"] },
  ],
  startsByQuery: false,
  pages: [
    { path: "/u/signup*/**", flow: "authentication", step: "signup" },
    { path: "/dbconnections/signup", flow: "authentication", step: "signup" },
    { path: "/u/passkey-enrollment*/**", flow: "passkey_enrollment", step: "passkey-enrollment" },
    { path: "/u/reset-*/**", flow: "password_reset", step: "reset-password" },
    { path: "/u/mfa-*enroll*/**", flow: "mfa_enrollment", step: "mfa-enrollment" },
    { path: "/u/mfa-push-welcome/**", flow: "mfa_enrollment", step: "mfa-enrollment" },
    { path: "/u/mfa-country-codes/**", flow: "mfa_enrollment", step: "mfa-enrollment" },
    { path: "/u/mfa-*/**", flow: "mfa_challenge", step: "mfa-challenge" },
    { path: "/u/organization*/**", flow: "organization_selection", step: "organization" },
    { path: "/u/email-verification*/**", flow: "email_verification", step: "email-verification" },
    { path: "/u/login-email-verification/**", flow: "email_verification", step: "email-verification" },
    { path: "/u/consent/**", flow: "authentication", step: "consent" },
    { path: "/u/**", flow: "authentication", step: "login" },
    { path: "/login/**", flow: "authentication", step: "login" },
  ],
  otherPages: null,
  outcomes: [
    { ...refused, path: "/u/login*/**" },
    { ...refused, path: "/u/signup*/**" },
    { ...refused, path: "/u/mfa-*challenge*/**" },
    { ...refused, path: "/u/email-*challenge/**" },
    { ...refused, path: "/u/phone-*challenge/**" },
    // Classic login (Lock): the password is sent by fetch.
    { ...refused, request: "fetch", path: "/usernamepassword/login" },
    { ...refused, request: "fetch", path: "/dbconnections/signup" },
  ],
};
