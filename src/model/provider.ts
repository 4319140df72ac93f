/** Settings about an identity provider: which preset it has, and a tenant's own rules for its pages and responses. */
import * as v from "valibot";
import { flowName } from "./flow.ts";

// A path pattern: `*` stands for anything within one path segment, `**` for any number of segments, none included.
// `/realms/*/login-actions/**` matches `/realms/acme/login-actions/authenticate`.
const pathPattern = v.pipe(
  v.string(),
  v.startsWith("/", 'a path pattern starts with "/"'),
  v.maxLength(256),
  v.check((text) => (text.match(/\*\*/g)?.length ?? 0) <= 2, "a path pattern holds at most two **"),
);
export const pathPatterns = v.array(pathPattern);

/**
 * One way in which a response of the identity provider shows how a login ended. The first rule whose conditions all hold
 * decides. Rules apply within a session only: a login that the gate has seen begin.
 */
export const outcomeRule = v.strictObject({
  /** `success` means a login, or a sign-up where a sign-up form was sent before; `login` and `signup` say which. */
  outcome: v.picklist(["success", "login", "signup", "failure"]),
  /** The request's method; any when absent. */
  method: v.exactOptional(v.picklist(["GET", "POST"])),
  /** `navigation` is a link, a redirect or a form; `fetch` is a call that a page makes. Either when absent. */
  request: v.exactOptional(v.picklist(["navigation", "fetch"])),
  path: v.exactOptional(pathPattern),
  /** The response's status; any of these. */
  status: v.exactOptional(v.array(v.pipe(v.number(), v.integer(), v.minValue(100), v.maxValue(599)))),
  /** Name of a parameter that the Location header must carry, in its query or its fragment. */
  location_parameter: v.exactOptional(v.pipe(v.string(), v.minLength(1))),
  /**
   * A member that the JSON response must have, such as `session.active`. Without `equals` any value fits but null, false
   * and the empty text.
   */
  json: v.exactOptional(
    v.strictObject({
      member: v.pipe(v.string(), v.minLength(1), v.maxLength(256)),
      equals: v.exactOptional(v.union([v.string(), v.number(), v.boolean()])),
    }),
  ),
  /** Name of a field that the HTML response must hold in a form, such as `SAMLResponse`: the POST binding's page. */
  form_field: v.exactOptional(
    v.pipe(v.string(), v.regex(/^[\w.-]{1,64}$/, "a form field's name: letters, digits, . _ -")),
  ),
});
export type OutcomeRule = v.InferOutput<typeof outcomeRule>;

/** A tenant's own page rule: which flow the pages at a path belong to. */
export const pageRule = v.strictObject({
  path: pathPattern,
  flow: flowName,
  /** What the page is for; `signup` marks sign-up pages. */
  step: v.optional(v.pipe(v.string(), v.regex(/^[\w-]{1,64}$/, "1 to 64 letters, digits, _ or -")), "page"),
});

export const providerName = v.picklist([
  "oidc",
  "auth0",
  "keycloak",
  "cognito",
  "okta",
  "entra",
  "ory",
  "zitadel",
  "fusionauth",
  "saml",
]);
export type ProviderName = v.InferOutput<typeof providerName>;
