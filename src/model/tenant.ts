/** One host's configuration, from the deployment's settings (never from a store: the gate must forward with every store down). */
import * as v from "valibot";
import { diagnosisThresholds } from "./diagnosis-thresholds.ts";
import { outcomeRule, pathPatterns, providerName } from "./provider.ts";

const cookieName = v.pipe(v.string(), v.regex(/^[\w!#$%&'*+.^`|~-]{1,64}$/, "not a cookie's name"));
const parameterName = v.pipe(
  v.string(),
  v.regex(/^[\w.~-]{1,64}$/, "a query parameter's name: letters, digits, . _ ~ -"),
);
const httpUrl = v.pipe(
  v.string(),
  v.url('an address such as "https://id.example.com"'),
  v.regex(/^https?:/, "http or https"),
);

/** Scheme, host and port only, e.g. `https://id.example.com`. */
export const originUrl = v.pipe(
  httpUrl,
  v.check((text) => {
    const url = new URL(text);
    return url.pathname === "/" && !url.search && !url.hash && !url.username;
  }, "scheme, host and port only: no path, query or user"),
  v.transform((text) => new URL(text).origin),
);

export const hostPattern = v.pipe(
  v.string(),
  v.toLowerCase(),
  v.regex(
    /^(\*|(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*(:\d+)?)$/,
    'a host such as "login.example.com", "*.example.com" or "*"',
  ),
);

const regularExpression = v.pipe(
  v.string(),
  v.maxLength(256),
  v.check((text) => {
    try {
      new RegExp(text);
      return true;
    } catch {
      return false;
    }
  }, "a regular expression"),
);

/** What the stamp calls its values, and so the keys of `stamp.query`. */
export const stampValues = [
  "experiment_id",
  "variation_id",
  "segment_id",
  "control",
  "method",
  "config",
  "stamp",
] as const;
export type StampValue = (typeof stampValues)[number];

/** Host → origin alone: what is still read of a tenant whose other settings are wrong. */
export const tenantRouteSchema = v.object({
  hosts: v.pipe(v.array(hostPattern), v.minLength(1)),
  origin: v.exactOptional(originUrl),
});

export const tenantSchema = v.strictObject({
  hosts: v.pipe(v.array(hostPattern), v.minLength(1, "at least one host")),
  /** The identity provider behind; without it the request is fetched as it came (Route topology). */
  origin: v.exactOptional(originUrl),
  entitled: v.optional(v.boolean(), true),
  active_experiment_limit: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(20)), 1),
  provider: v.optional(providerName, "oidc"),
  /** Pages, sign-up pages, authorize addresses and outcome rules beside the provider's own. */
  paths: v.optional(pathPatterns, []),
  signup_paths: v.optional(pathPatterns, []),
  authorize_paths: v.optional(pathPatterns, []),
  outcomes: v.optional(v.array(outcomeRule), []),
  stamp: v.optional(
    v.strictObject({
      /** Stamp value → query parameter that carries it on authorize requests, e.g. `{ variation_id: "ext-variation" }`. */
      query: v.optional(v.partial(v.strictObject(v.entriesFromList(stampValues, parameterName))), {}),
    }),
    {},
  ),
  /** `attributes`: put `data-experiment-id` and `data-variation-id` on `<html>`. */
  inject: v.optional(v.picklist(["none", "attributes"]), "none"),
  overrides: v.optional(v.picklist(["open", "signed", "off"]), "open"),
  /** With this set, nothing is stored or assigned until the cookie's value matches the pattern. */
  consent: v.exactOptional(v.strictObject({ cookie: cookieName, pattern: regularExpression })),
  /** A cookie of yours whose value is the device id, where it is present. */
  device_cookie: v.exactOptional(cookieName),
  /** Where a verified user id comes from, for experiments after log-in. */
  user: v.exactOptional(
    v.strictObject({
      issuer: httpUrl,
      jwks_uri: httpUrl,
      audience: v.exactOptional(v.string()),
      /** `cookie:<name>`, `header:<name>` (a Bearer prefix is taken off) or `query:<name>`. */
      token: v.pipe(
        v.string(),
        v.regex(/^(cookie|header|query):[\w.-]+$/, '"cookie:<name>", "header:<name>" or "query:<name>"'),
      ),
      claim: v.optional(v.string(), "sub"),
    }),
  ),
  /** Whose JWTs are let into the management API, beside our own tokens. */
  management: v.exactOptional(
    v.strictObject({
      issuer: httpUrl,
      jwks_uri: httpUrl,
      /** Needed: an issuer signs tokens for others too. */
      audience: v.pipe(v.string(), v.minLength(1, "must not be empty")),
    }),
  ),
  /** Put the verified user id into the log's entries. */
  log_user_ids: v.optional(v.boolean(), false),
  /** From where on the diagnosis of experiments warns and fails, where not as by default. */
  diagnosis: v.optional(diagnosisThresholds, {}),
  /** Tell the origin the visitor's address in a signed header as well (docs/operations.md). */
  sign_client_ip: v.optional(v.boolean(), false),
});
export type Tenant = v.InferOutput<typeof tenantSchema> & { id: string };
