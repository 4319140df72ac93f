/**
 * FusionAuth's hosted login pages. The login form is sent to /oauth2/authorize, so only a GET begins a login there.
 *
 * @see https://fusionauth.io/docs/lifecycle/authenticate-users/oauth/endpoints
 * @see https://fusionauth.io/docs/customize/look-and-feel/template-variables
 * @see https://fusionauth.io/docs/lifecycle/authenticate-users/saml/
 * @see https://fusionauth.io/docs/operate/deploy/proxy-setup
 */
import type { Preset } from "./preset.ts";

export const fusionauth: Preset = {
  ignored: ["/oauth2/device*/**", "/oauth2/logout/**", "/samlv2/logout/**"],
  starts: [{ path: "/oauth2/authorize" }, { path: "/samlv2/login/*", methods: ["GET", "POST"] }],
  startsByQuery: false,
  pages: [
    { path: "/oauth2/register/**", flow: "authentication", step: "signup" },
    { path: "/oauth2/complete-registration", flow: "authentication", step: "signup" },
    { path: "/oauth2/child-registration*", flow: "authentication", step: "signup" },
    { path: "/oauth2/two-factor-enable*", flow: "mfa_enrollment", step: "two-factor-enable" },
    { path: "/oauth2/two-factor*", flow: "mfa_challenge", step: "two-factor" },
    { path: "/oauth2/webauthn-reauth-enable", flow: "passkey_enrollment", step: "webauthn-enable" },
    { path: "/password/**", flow: "password_reset", step: "password" },
    { path: "/email/**", flow: "email_verification", step: "email" },
    { path: "/confirmation-required", flow: "email_verification", step: "confirmation" },
    { path: "/registration/**", flow: "email_verification", step: "registration" },
    { path: "/oauth2/consent", flow: "authentication", step: "consent" },
    { path: "/oauth2/**", flow: "authentication", step: "login" },
  ],
  otherPages: null,
  outcomes: [
    {
      outcome: "failure",
      method: "POST",
      request: "navigation",
      path: "/oauth2/authorize",
      status: [200, 400, 401, 403],
      form_field: "password",
    },
    {
      outcome: "failure",
      method: "POST",
      request: "navigation",
      path: "/oauth2/register",
      status: [200, 400, 401, 403],
      form_field: "passwordConfirm",
    },
    { outcome: "success", path: "/oauth2/**", status: [200], form_field: "SAMLResponse" },
    { outcome: "success", path: "/samlv2/login/*", status: [200], form_field: "SAMLResponse" },
  ],
};
