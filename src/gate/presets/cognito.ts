/**
 * Amazon Cognito's managed login and classic hosted UI. A refused form redirects back with `error=`, or to /error.
 *
 * @see https://docs.aws.amazon.com/cognito/latest/developerguide/managed-login-endpoints.html
 * @see https://docs.aws.amazon.com/cognito/latest/developerguide/federation-endpoints.html
 * @see https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-managed-login.html
 */
import type { OutcomeRule } from "../../model/provider.ts";
import type { Preset } from "./preset.ts";

const refused: OutcomeRule = { outcome: "failure", method: "POST", request: "navigation", status: [400, 401, 403] };
const sentBack: OutcomeRule = { ...refused, status: [302, 303], location_parameter: "error" };

export const cognito: Preset = {
  starts: [{ path: "/oauth2/authorize", methods: ["GET", "POST"] }],
  startsByQuery: false,
  pages: [
    { path: "/signup/**", flow: "authentication", step: "signup" },
    { path: "/confirm/**", flow: "email_verification", step: "confirm" },
    { path: "/confirmUser/**", flow: "email_verification", step: "confirm" },
    { path: "/resendcode/**", flow: "email_verification", step: "confirm" },
    { path: "/forgotPassword/**", flow: "password_reset", step: "forgot-password" },
    { path: "/confirmForgotPassword/**", flow: "password_reset", step: "confirm-forgot-password" },
    { path: "/changePassword/**", flow: "password_reset", step: "change-password" },
    { path: "/passkeys/add", flow: "passkey_enrollment", step: "add" },
    { path: "/mfa/**", flow: "mfa_challenge", step: "mfa" },
    { path: "/login/**", flow: "authentication", step: "login" },
    { path: "/error", flow: "authentication", step: "error" },
  ],
  otherPages: null,
  outcomes: [
    { ...sentBack, path: "/login/**" },
    { ...sentBack, path: "/signup/**" },
    { ...sentBack, path: "/mfa/**" },
    { ...refused, path: "/login/**" },
    { ...refused, path: "/signup/**" },
    { ...refused, path: "/mfa/**" },
  ],
};
