/**
 * Keycloak, with and without a path before /realms. A refused form is shown again with 200.
 *
 * @see https://www.keycloak.org/docs/latest/server_admin/
 * @see https://www.keycloak.org/securing-apps/oidc-layers
 * @see https://github.com/keycloak/keycloak/blob/main/services/src/main/java/org/keycloak/services/resources/LoginActionsService.java
 * @see https://www.keycloak.org/ui-customization/themes
 * @see https://www.keycloak.org/server/reverseproxy
 */
import type { Preset } from "./preset.ts";

const actions = "/**/realms/*/login-actions";
const required = `${actions}/required-action`;

export const keycloak: Preset = {
  starts: [
    { path: "/**/realms/*/protocol/openid-connect/auth", methods: ["GET", "POST"] },
    { path: "/**/realms/*/protocol/openid-connect/registrations" },
    { path: "/**/realms/*/protocol/saml", methods: ["GET", "POST"] },
    { path: "/**/realms/*/protocol/saml/clients/*" },
  ],
  startsByQuery: false,
  pages: [
    { path: "/**/realms/*/protocol/openid-connect/registrations", flow: "authentication", step: "signup" },
    {
      path: "/**/realms/*/protocol/openid-connect/auth",
      query: "prompt=create",
      flow: "authentication",
      step: "signup",
    },
    { path: `${actions}/registration`, flow: "authentication", step: "signup" },
    { path: `${actions}/reset-credentials`, flow: "password_reset", step: "reset-credentials" },
    { path: required, query: "execution=UPDATE_PASSWORD", flow: "password_reset", step: "update-password" },
    { path: required, query: "execution=CONFIGURE_TOTP", flow: "mfa_enrollment", step: "configure-totp" },
    { path: required, query: "execution=webauthn-register", flow: "mfa_enrollment", step: "webauthn-register" },
    {
      path: required,
      query: "execution=CONFIGURE_RECOVERY_AUTHN_CODES",
      flow: "mfa_enrollment",
      step: "recovery-codes",
    },
    {
      path: required,
      query: "execution=webauthn-register-passwordless",
      flow: "passkey_enrollment",
      step: "webauthn-register",
    },
    { path: required, query: "execution=VERIFY_EMAIL", flow: "email_verification", step: "verify-email" },
    { path: `${actions}/**`, flow: "authentication", step: "login" },
  ],
  otherPages: null,
  outcomes: [
    // The login form again. One-time codes and the password page of an identifier-first login have no `username` field:
    // they are the next step, not a refusal.
    {
      outcome: "failure",
      method: "POST",
      request: "navigation",
      path: `${actions}/authenticate`,
      status: [200],
      form_field: "username",
    },
    {
      outcome: "failure",
      method: "POST",
      request: "navigation",
      path: `${actions}/registration`,
      status: [200],
      form_field: "password-confirm",
    },
    {
      outcome: "failure",
      method: "POST",
      request: "navigation",
      path: `${actions}/authenticate`,
      status: [400, 401, 403],
    },
    // Not at /protocol/saml itself, which answers logout requests with the same field.
    { outcome: "success", path: `${actions}/**`, status: [200], form_field: "SAMLResponse" },
  ],
};
