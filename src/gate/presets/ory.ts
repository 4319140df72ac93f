/**
 * Ory Network, or Kratos with Hydra, with Kratos and its pages on the gate's host.
 *
 * @see https://www.ory.com/docs/kratos/self-service
 * @see https://www.ory.com/docs/kratos/bring-your-own-ui/custom-ui-overview
 * @see https://www.ory.com/docs/oauth2-oidc/authorization-code-flow
 * @see https://github.com/ory/kratos/blob/master/selfservice/flow/login/handler.go
 */
import type { OutcomeRule } from "../../model/provider.ts";
import type { Preset } from "./preset.ts";

// Kratos answers 400 with the flow for a next step too (a code was sent); only a refusal carries an error message.
const refused: OutcomeRule = {
  outcome: "failure",
  method: "POST",
  request: "fetch",
  status: [400],
  json: { member: "ui.messages.0.type", equals: "error" },
};

export const ory: Preset = {
  starts: [{ path: "/oauth2/auth", methods: ["GET", "POST"] }],
  startsByQuery: false,
  pages: [
    { path: "/**/self-service/registration/**", flow: "authentication", step: "signup" },
    { path: "/**/registration", flow: "authentication", step: "signup" },
    { path: "/**/recovery", flow: "password_reset", step: "recovery" },
    { path: "/**/verification", flow: "email_verification", step: "verification" },
    { path: "/**/login", flow: "authentication", step: "login" },
    { path: "/**/consent", flow: "authentication", step: "consent" },
  ],
  otherPages: null,
  outcomes: [
    // Without OAuth2 the session itself is the answer; with it the answer is 422 and the login ends at /oauth2/auth.
    {
      outcome: "login",
      method: "POST",
      request: "fetch",
      path: "/**/self-service/login",
      status: [200],
      json: { member: "session.active", equals: true },
    },
    {
      outcome: "signup",
      method: "POST",
      request: "fetch",
      path: "/**/self-service/registration",
      status: [200],
      json: { member: "session.active", equals: true },
    },
    { ...refused, path: "/**/self-service/login" },
    { ...refused, path: "/**/self-service/registration" },
  ],
};
