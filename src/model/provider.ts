/** What the gate needs to know of an identity provider: its addresses, and how success and failure show. */
import * as v from "valibot";

// A path pattern: `*` stands for anything within one path segment, `**` for any number of segments, none included.
// `/realms/*/login-actions/**` matches `/realms/acme/login-actions/authenticate`.
const pathPattern = v.pipe(
  v.string(),
  v.startsWith("/", 'a path pattern starts with "/"'),
  v.maxLength(256),
  v.check((text) => (text.match(/\*\*/g)?.length ?? 0) <= 2, "a path pattern holds at most two **"),
);
export const pathPatterns = v.array(pathPattern);

/** One way an answer of the origin shows how a log-in ended. The first rule that fits decides. */
export const outcomeRule = v.strictObject({
  outcome: v.picklist(["success", "failure"]),
  /** Of the request; any when absent. */
  method: v.exactOptional(v.picklist(["GET", "POST"])),
  path: v.exactOptional(pathPattern),
  /** Of the answer; any of these. */
  status: v.exactOptional(v.array(v.pipe(v.number(), v.integer(), v.minValue(100), v.maxValue(599)))),
  /** Name of a parameter that the Location header must carry, in its query or its fragment. */
  location_parameter: v.exactOptional(v.pipe(v.string(), v.minLength(1))),
});
export type OutcomeRule = v.InferOutput<typeof outcomeRule>;

export interface Provider {
  /** Paths of authorize requests. Empty, the tenant's own too: any path whose query holds `client_id` and `response_type` or `request_uri`. */
  authorize: readonly string[];
  /** Paths of the pages people see. Empty: every document. */
  pages: readonly string[];
  /** Those paths that are sign-up. */
  signup: readonly string[];
  /** Beyond the redirect with `code=` or `error=`, which every provider has. */
  outcomes: readonly OutcomeRule[];
}

export const providerName = v.picklist(["oidc", "auth0", "keycloak", "cognito"]);
export type ProviderName = v.InferOutput<typeof providerName>;

export const providers: Readonly<Record<ProviderName, Provider>> = {
  /** Any OpenID provider: authorize requests are told by their parameters, and a refused form by its status. */
  oidc: {
    authorize: [],
    pages: [],
    signup: ["/**/signup", "/**/register"],
    outcomes: [{ outcome: "failure", method: "POST", status: [400, 401, 403, 422] }],
  },
  /** Universal Login: /authorize leads to /u/login, /u/signup …; a refused form is shown again with 400. */
  auth0: {
    authorize: ["/authorize"],
    pages: ["/login/**", "/u/**"],
    signup: ["/u/signup/**", "/u/signup-*/**"],
    outcomes: [{ outcome: "failure", method: "POST", path: "/u/**", status: [400, 401, 403] }],
  },
  // Keycloak, with and without the old /auth prefix. A refused password is shown again with 200, as is a second factor,
  // so only the redirect tells; a realm without second factors can add
  // { outcome: "failure", method: "POST", path: "/realms/*/login-actions/authenticate", status: [200] }.
  keycloak: {
    authorize: ["/**/realms/*/protocol/openid-connect/auth", "/**/realms/*/protocol/openid-connect/registrations"],
    pages: ["/**/realms/*/login-actions/**"],
    signup: ["/**/realms/*/login-actions/registration", "/**/realms/*/protocol/openid-connect/registrations"],
    outcomes: [{ outcome: "failure", method: "POST", status: [400, 401, 403] }],
  },
  /** Hosted UI and managed login: a refused form redirects back with `error=`, or to /error. */
  cognito: {
    authorize: ["/oauth2/authorize"],
    pages: ["/login/**", "/signup/**", "/confirm*/**", "/forgotPassword*/**", "/mfa/**", "/passkeys/**"],
    signup: ["/signup/**"],
    outcomes: [
      { outcome: "failure", method: "POST", status: [400, 401, 403] },
      { outcome: "failure", method: "POST", status: [302, 303], location_parameter: "error" },
    ],
  },
};
