/**
 * Okta behind a custom domain: the Sign-In Widget signs in by fetch, with Identity Engine (/idp/idx) or the classic API.
 *
 * @see https://developer.okta.com/docs/api/openapi/okta-oauth/oauth/tag/OrgAS/
 * @see https://developer.okta.com/docs/guides/custom-url-domain/main/
 * @see https://developer.okta.com/docs/guides/custom-widget/main/
 * @see https://github.com/okta/okta-signin-widget
 */
import type { OutcomeRule } from "../../model/provider.ts";
import type { Preset } from "./preset.ts";

const refused: OutcomeRule = { outcome: "failure", method: "POST", request: "fetch", status: [400, 401, 403] };

export const okta: Preset = {
  ignored: ["/login/signout/**", "/login/default/**"],
  starts: [
    { path: "/oauth2/v1/authorize", methods: ["GET", "POST"] },
    { path: "/oauth2/*/v1/authorize", methods: ["GET", "POST"] },
    { path: "/app/*/*/sso/**", methods: ["GET", "POST"] },
  ],
  startsByQuery: false,
  pages: [
    { path: "/signin/register/**", flow: "authentication", step: "signup" },
    { path: "/idp/idx/enroll/new", flow: "authentication", step: "signup" },
    { path: "/signin/forgot-password/**", flow: "password_reset", step: "forgot-password" },
    { path: "/signin/recovery*/**", flow: "password_reset", step: "recovery" },
    { path: "/signin/reset-password/**", flow: "password_reset", step: "reset-password" },
    { path: "/reset_password/**", flow: "password_reset", step: "reset-password" },
    { path: "/signin/enroll*/**", flow: "mfa_enrollment", step: "enroll" },
    { path: "/signin/verify/**", flow: "mfa_challenge", step: "verify" },
    { path: "/signin/**", flow: "authentication", step: "login" },
    { path: "/login/**", flow: "authentication", step: "login" },
  ],
  otherPages: null,
  outcomes: [
    { ...refused, path: "/idp/idx/identify" },
    { ...refused, path: "/idp/idx/challenge/answer" },
    { ...refused, path: "/idp/idx/enroll/new" },
    { ...refused, path: "/api/v1/authn", status: [401, 403] },
    { ...refused, path: "/api/v1/authn/factors/*/verify", status: [403] },
  ],
};
