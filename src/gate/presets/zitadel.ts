/**
 * * Zitadel: login version 1 at /ui/login, version 2 at /ui/v2/login. Version 2 submits its forms by Next.js server actions,
 * whose responses show no outcome (docs/providers/zitadel.md).
 *
 * @see https://zitadel.com/docs/apis/openidoauth/endpoints
 * @see https://zitadel.com/docs/apis/saml/endpoints
 * @see https://zitadel.com/docs/guides/integrate/login/hosted-login
 * @see https://github.com/zitadel/zitadel/blob/main/internal/api/ui/login/router.go
 * @see https://github.com/zitadel/zitadel/tree/main/apps/login/src/app
 */
import type { Preset } from "./preset.ts";

const v1 = "/ui/login";
const v2 = "/ui/v2/login";

export const zitadel: Preset = {
  ignored: [`${v1}/logout/**`, `${v1}/device/**`, `${v1}/resources/**`, `${v2}/logout/**`, `${v2}/device/**`],
  starts: [
    { path: "/oauth/v2/authorize", methods: ["GET", "POST"] },
    { path: "/saml/v2/SSO", methods: ["GET", "POST"] },
  ],
  startsByQuery: false,
  pages: [
    { path: `${v1}/register/**`, flow: "authentication", step: "signup" },
    { path: `${v1}/password/*`, flow: "password_reset", step: "password" },
    { path: `${v1}/mfa/prompt`, flow: "mfa_enrollment", step: "mfa-prompt" },
    { path: `${v1}/mfa/init/**`, flow: "mfa_enrollment", step: "mfa-init" },
    { path: `${v1}/mfa/**`, flow: "mfa_challenge", step: "mfa" },
    { path: `${v1}/login/passwordless/init`, flow: "passkey_enrollment", step: "passwordless-init" },
    { path: `${v1}/mail/**`, flow: "email_verification", step: "mail" },
    { path: `${v1}/user/init`, flow: "email_verification", step: "user-init" },
    { path: `${v1}/**`, flow: "authentication", step: "login" },
    { path: `${v2}/register/**`, flow: "authentication", step: "signup" },
    { path: `${v2}/password/set`, flow: "password_reset", step: "password-set" },
    { path: `${v2}/password/change`, flow: "password_reset", step: "password-change" },
    { path: `${v2}/passkey/set`, flow: "passkey_enrollment", step: "passkey-set" },
    { path: `${v2}/mfa/set`, flow: "mfa_enrollment", step: "mfa-set" },
    { path: `${v2}/otp/*/set`, flow: "mfa_enrollment", step: "otp-set" },
    { path: `${v2}/u2f/set`, flow: "mfa_enrollment", step: "u2f-set" },
    { path: `${v2}/mfa`, flow: "mfa_challenge", step: "mfa" },
    { path: `${v2}/otp/*`, flow: "mfa_challenge", step: "otp" },
    { path: `${v2}/u2f`, flow: "mfa_challenge", step: "u2f" },
    { path: `${v2}/recovery-code`, flow: "mfa_challenge", step: "recovery-code" },
    { path: `${v2}/verify/**`, flow: "email_verification", step: "verify" },
    { path: `${v2}/**`, flow: "authentication", step: "login" },
  ],
  otherPages: null,
  outcomes: [
    // Version 1 shows the password page again; the next steps have no field of this name.
    {
      outcome: "failure",
      method: "POST",
      request: "navigation",
      path: `${v1}/password`,
      status: [200],
      form_field: "password",
    },
  ],
};
