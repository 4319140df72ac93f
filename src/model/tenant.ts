/** One host's configuration, from the deployment's settings (never from a store: the gate must forward with every store down). */
import * as v from "valibot";
import { findPatternFault } from "../engine/pattern.ts";
import { diagnosisThresholds } from "./diagnosis-thresholds.ts";
import { objectSchema } from "./fields.ts";
import { parseHost, parseHostPattern } from "./host.ts";
import { outcomeRule, pageRule, pathPatterns, providerName } from "./provider.ts";

const cookieName = v.pipe(v.string(), v.regex(/^[\w!#$%&'*+.^`|~-]{1,64}$/, "not a cookie's name"));
/** Parameters of OpenID Connect and SAML: the gate removes reserved names from requests, so these cannot be reserved. */
const protocolParameters = new Set(
  (
    "client_id client_secret response_type response_mode redirect_uri scope state nonce code code_challenge " +
    "code_challenge_method code_verifier grant_type prompt login_hint max_age acr_values request request_uri error id_token " +
    "id_token_hint post_logout_redirect_uri samlrequest samlresponse samlart relaystate sigalg signature"
  ).split(" "),
);

/** Whether a name, as the most liberal server reads it, is a parameter that logins need. */
export function isProtocolParameter(name: string): boolean {
  return protocolParameters.has(
    name
      .trim()
      .toLowerCase()
      .replace(/[\s.[+]/g, "_"),
  );
}

const parameterName = v.pipe(
  v.string(),
  v.regex(/^[\w.~-]{1,64}$/, "a query parameter's name: letters, digits, . _ ~ -"),
  v.check((name) => !isProtocolParameter(name), "a parameter of OpenID Connect or SAML, which logins need"),
);
/** The URL that a text is, or null. Unlike `new URL` it never throws: valibot runs a check although one before it failed. */
export function parseUrl(text: string): URL | null {
  return URL.canParse(text) ? new URL(text) : null;
}

const urlExample = 'an address such as "https://id.example.com"';
const httpUrl = v.pipe(
  v.string(urlExample),
  v.check((text) => text === text.trim() && /^https?:$/.test(parseUrl(text)?.protocol ?? ""), urlExample),
);

/** Scheme, host and port only, e.g. `https://id.example.com`. */
export const originUrl = v.pipe(
  httpUrl,
  v.check((text) => {
    const url = parseUrl(text);
    const isHttp = url !== null && /^https?:$/.test(url.protocol);
    return !isHttp || (url.pathname === "/" && !url.search && !url.hash && !url.username && !url.password);
  }, "scheme, host and port only: no path, query or user"),
  v.transform((text) => new URL(text).origin),
);

/** A host in the spelling that all are compared in: see `parseHost`. */
export const hostPattern = v.pipe(
  v.string('a host such as "login.example.com", "*.example.com" or "*"'),
  v.check(
    (text) => parseHostPattern(text) !== null,
    'a host such as "login.example.com", "login.example.com:8443", "[2001:db8::1]", "*.example.com" or "*"',
  ),
  v.transform((text) => parseHostPattern(text) ?? text),
);

const hostName = v.pipe(
  v.string("a host name"),
  v.check((text) => parseHost(text) !== null, 'a host such as "tenant.eu.auth0.com"'),
  v.transform((text) => parseHost(text) ?? text),
);

const maxConsentPatternLength = 256;

/** Why a pattern cannot be used, or null. Cookies are the visitor's: only patterns that run in linear time are accepted. */
function consentPatternError(text: string): string | null {
  if (text.length > maxConsentPatternLength) return `must have at most ${maxConsentPatternLength} characters`;
  try {
    return findPatternFault(text) ?? null;
  } catch {
    return "must be a simpler regular expression";
  }
}

const consentPattern = v.pipe(
  v.string("a regular expression"),
  v.check(
    (text) => consentPatternError(text) === null,
    ({ input }) => `not a regular expression that can be used: ${consentPatternError(input)}`,
  ),
);

/** Names that the gate sets itself, that belong to one connection (RFC 9110 §7.6.1), or that would break log-ins. */
const fixedHeaders = new Set(
  (
    "host connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer trailers " +
    "transfer-encoding upgrade content-length expect cookie forwarded x-forwarded-for x-forwarded-host " +
    "x-forwarded-proto x-forwarded-port x-forwarded-prefix x-real-ip cf-connecting-ip cf-worker cf-ray"
  ).split(" "),
);

/** CGI and its kin (RFC 3875 §4.1.18) fold all that is neither letter nor digit, so `x_forwarded_host` is one of ours too. */
function isSettableHeader(name: string): boolean {
  const folded = name.toLowerCase().replace(/[^a-z0-9]/g, "-");
  return !fixedHeaders.has(folded) && !/^x-(?:experiment|vestibule)-/.test(folded);
}

export const originHeaderName = v.pipe(
  v.string(),
  v.regex(/^[\w!#$%&'*+.^`|~-]{1,128}$/, "not a header name"),
  v.check(isSettableHeader, "a header that the gate sets itself or that belongs to a connection"),
);
/** The value is never part of a message: it may be a secret. */
export const originHeaderValue = v.pipe(
  v.string("a header value must be text"),
  v.maxLength(4_096, "a header value has at most 4096 characters"),
  v.regex(/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/, "a header value is visible ASCII, without spaces around it"),
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

export const tenantSchema = v.strictObject({
  hosts: v.pipe(v.array(hostPattern), v.minLength(1, "at least one host")),
  /** The identity provider behind; without it the request is fetched as it came (Route topology). */
  origin: v.exactOptional(originUrl),
  /** Host header sent to the origin, where it is not the origin's own. */
  origin_host: v.exactOptional(hostName),
  /** Headers added to every request to the origin; with the tenant's part of the secret ORIGIN_HEADERS. Names in lower case. */
  origin_headers: v.optional(
    v.pipe(
      objectSchema,
      v.record(originHeaderName, originHeaderValue),
      v.transform((headers) =>
        Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
      ),
    ),
    {},
  ),
  entitled: v.optional(v.boolean(), true),
  active_experiment_limit: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(20)), 1),
  provider: v.optional(providerName, "oidc"),
  /** Pages, sign-up pages, authorize addresses and outcome rules beside the provider's own. */
  paths: v.optional(pathPatterns, []),
  signup_paths: v.optional(pathPatterns, []),
  authorize_paths: v.optional(pathPatterns, []),
  outcomes: v.optional(v.array(outcomeRule), []),
  /** Which flow the pages at a path belong to; before the provider's own. */
  pages: v.optional(v.array(pageRule), []),
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
  consent: v.exactOptional(v.strictObject({ cookie: cookieName, pattern: consentPattern })),
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
