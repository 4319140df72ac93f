/**
 * Variables and secrets, validated once an isolate. Reading never throws: an error in one tenant's settings turns off that
 * tenant's experiments and nothing else.
 */
import * as v from "valibot";
import type { SigningKey } from "./assignment/keyring.ts";
import { readLedgerLimits } from "./ledger/limits.ts";
import { readLogLimits } from "./logs/limits.ts";
import { parseAllowedHosts } from "./model/allowed-hosts.ts";
import {
  hostPattern,
  isProtocolParameter,
  originHeaderName,
  originHeaderValue,
  originUrl,
  parseUrl,
  type Tenant,
  tenantSchema,
} from "./model/tenant.ts";

export const secretNames = ["ADMIN_TOKEN", "COOKIE_KEYS", "ORIGIN_HEADERS", "STAMP_KEY", "UNIT_KEY"] as const;

const variableNames = [
  ...secretNames,
  "ORIGIN",
  "ADMIN_HOSTS",
  "TENANTS",
  "DECISION_BUDGET_MS",
  "SNAPSHOT_FRESH_SECONDS",
  "MANAGEMENT_RATE",
  "FETCH_RATE",
  "COHORT_HOSTS",
  "LOG_RETENTION_DAYS",
  "LOG_MAX_MB",
  "LOG_STREAM_HOSTS",
  "LEDGER_SHARDS",
  "LEDGER_MAX_UNITS",
  "LEDGER_RETENTION_DAYS",
] as const;

/** What wrangler.toml and secrets say, as text. */
export type Variables = { [Name in (typeof variableNames)[number]]?: string };

/** Of all that a Worker is bound to, its variables: what another Worker can be handed. */
export function variablesOf(env: Variables): Variables {
  return Object.fromEntries(variableNames.flatMap((name) => (env[name] ? [[name, env[name]]] : [])));
}

/**
 * Where hosts lead. What forwarding needs is here, beside the tenant, because log-ins of a tenant whose settings are wrong
 * are still forwarded, with the same headers and without forged query parameters.
 */
export interface Route {
  /** The tenant's name. */
  id: string;
  /** In the spelling of `parseHostPattern`. */
  hosts: readonly string[];
  /** Null while the tenant's own settings are wrong: its requests are forwarded and no experiment runs. */
  tenant: Tenant | null;
  /** Undefined: requests are fetched as they came. */
  origin: string | undefined;
  /** The Host header to send, where it is not the origin's own. */
  originHost: string | undefined;
  /** Names in lower case. Values may be secret: never log them. */
  originHeaders: Readonly<Record<string, string>>;
  /** Query parameters that only the gate may set (`stamp.query`), as written in the settings. */
  reservedQueryNames: readonly string[];
}

export interface Settings {
  /** Every error, as `NAME: what is wrong and what would be right`. Holds no secret's value. */
  errors: readonly string[];
  /** Errors in what all tenants share, such as keys: with any of them no experiment runs anywhere. */
  sharedErrors: readonly string[];
  routes: readonly Route[];
  adminHosts: readonly string[];
  adminToken: string | null;
  /** The first signs, all verify. */
  cookieKeys: readonly SigningKey[];
  stampKey: Uint8Array<ArrayBuffer> | null;
  /** Hashes subject ids into units; the stamp key unless set. After a change every subject counts as new. */
  unitKey: Uint8Array<ArrayBuffer> | null;
  /** Milliseconds a decision may take, all I/O included. */
  decisionBudgetMs: number;
  /** How long a snapshot in memory is used without looking for a newer one. */
  snapshotFreshMs: number;
  /** Requests a second that one actor may make of the management API. */
  managementRate: number;
  /** Requests a second that one deployment key may make of the fetch APIs, in each isolate. */
  fetchRate: number;
  /** Where cohorts may be fetched from. */
  cohortHosts: readonly string[];
  /** Where log entries may be sent. */
  logStreamHosts: readonly string[];
}

/** Those whose settings are right. */
export function tenantsOf({ routes }: Pick<Settings, "routes">): Tenant[] {
  return routes.flatMap(({ tenant }) => tenant ?? []);
}

const base64url = /^[A-Za-z0-9_-]+$/;

/** Bytes of a base64url text, or null when it is none. */
function decodeSecret(text: string): Uint8Array<ArrayBuffer> | null {
  if (!base64url.test(text) || text.length % 4 === 1) return null;
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

/** Some variables come as JSON (`[vars]` in wrangler.toml): all are read as text. */
function readText(value: unknown): string {
  if (typeof value === "string") return value;
  if (value === undefined || value === null) return "";
  try {
    return (typeof value === "object" ? JSON.stringify(value) : String(value)) ?? "";
  } catch {
    return "";
  }
}

/** A setting's text in a message, not longer than helps. */
const quote = (text: string) => JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text);

const maxErrorLength = 500;

function issueMessage(issue: v.BaseIssue<unknown>): string {
  const path = v.getDotPath(issue);
  const message = path ? `${path}: ${issue.message}` : issue.message;
  return message.length > maxErrorLength ? `${message.slice(0, maxErrorLength)}…` : message;
}

/** Origin of a text that may be wrong: without a scheme it is read as https, and all but scheme, host and port is left out. */
function readOrigin(value: unknown): string | undefined {
  if (typeof value !== "string") return undefined;
  const text = value.trim();
  const url = parseUrl(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `https://${text.replace(/^\/+/, "")}`);
  return url !== null && /^https?:$/.test(url.protocol) ? url.origin : undefined;
}

const maxReservedNameLength = 256;

function own(value: unknown, name: string): unknown {
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

/** Read from the JSON as it is: parameters must be removed in any state of the settings. */
function readReservedQueryNames(given: unknown): string[] {
  const names = own(own(given, "stamp"), "query");
  if (typeof names !== "object" || names === null) return [];
  const texts = Object.values(names).filter((name) => typeof name === "string");
  const isUsable = (name: string) => name !== "" && name.length <= maxReservedNameLength && !isProtocolParameter(name);
  return [...new Set(texts.filter(isUsable))];
}

function readHosts(given: unknown): string[] {
  const hosts = own(given, "hosts");
  if (!Array.isArray(hosts)) return [];
  return hosts.flatMap((host) => {
    const parsed = v.safeParse(hostPattern, host);
    return parsed.success ? [parsed.output] : [];
  });
}

/** Those of the headers that can be sent, and what is wrong with the others. */
function readHeaders(given: unknown): { headers: Record<string, string>; errors: string[] } {
  if (!isObject(given)) return { headers: {}, errors: ["must be an object of header names and values"] };
  const headers: [string, string][] = [];
  const errors: string[] = [];
  for (const [name, value] of Object.entries(given)) {
    const parsedName = v.safeParse(originHeaderName, name);
    const parsedValue = v.safeParse(originHeaderValue, value);
    const issues = [...(parsedName.issues ?? []), ...(parsedValue.issues ?? [])];
    if (parsedName.success && parsedValue.success) headers.push([name.toLowerCase(), value as string]);
    else errors.push(`${quote(name)}: ${issues.map(({ message }) => message).join("; ")}`);
  }
  return { headers: Object.fromEntries(headers), errors };
}

interface ReadRoute {
  route: Route;
  /** Without the setting's name. */
  errors: string[];
}

/** @param secretHeaders the tenant's part of ORIGIN_HEADERS; undefined where it has none */
function readRoute(id: string, given: unknown, secretHeaders: unknown): ReadRoute {
  const parsed = v.safeParse(tenantSchema, given);
  const secret = secretHeaders === undefined ? { headers: {}, errors: [] } : readHeaders(secretHeaders);
  const plain = own(given, "origin_headers");
  const originHeaders = { ...(plain === undefined ? {} : readHeaders(plain).headers), ...secret.headers };
  const errors = [
    ...(/^[a-z0-9][a-z0-9_-]{0,62}$/.test(id)
      ? []
      : ["a tenant's name is 1 to 63 of a-z, 0-9, - and _, and starts with a letter or digit"]),
    ...(parsed.issues ?? []).map(issueMessage),
    ...(parsed.success && parsed.output.origin_host && !parsed.output.origin
      ? ["origin_host: needs an origin; without one requests keep the visitor's host"]
      : []),
    ...secret.errors.map((message) => `ORIGIN_HEADERS: ${message}`),
  ];
  const isValid = parsed.success && errors.length === 0;
  const originHost = v.safeParse(tenantSchema.entries.origin_host, own(given, "origin_host"));
  return {
    route: {
      id,
      hosts: parsed.success ? parsed.output.hosts : readHosts(given),
      tenant: isValid ? { ...parsed.output, origin_headers: originHeaders, id } : null,
      origin: readOrigin(own(given, "origin")),
      originHost: originHost.success ? originHost.output : undefined,
      originHeaders,
      reservedQueryNames: readReservedQueryNames(given),
    },
    errors,
  };
}

/** @returns undefined, having told `report`, where the text is no JSON object */
function readJsonObject(text: string, report: (problem: "not JSON" | "not an object") => void) {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    report("not JSON");
    return undefined;
  }
  if (isObject(value)) return value;
  report("not an object");
  return undefined;
}

/** Reads and validates all settings; never throws. */
export function readSettings(variables: Variables): Settings {
  const env: Variables = Object.fromEntries(variableNames.map((name) => [name, readText(variables[name])]));
  const errors: string[] = [];
  const sharedErrors: string[] = [];
  const addShared = (name: string, message: string) => {
    errors.push(`${name}: ${message}`);
    sharedErrors.push(`${name}: ${message}`);
  };

  let origin: string | undefined;
  if (env.ORIGIN) {
    const parsed = v.safeParse(originUrl, env.ORIGIN);
    origin = parsed.success ? parsed.output : readOrigin(env.ORIGIN);
    if (!parsed.success) {
      addShared("ORIGIN", `${parsed.issues.map(issueMessage).join("; ")} (got ${quote(env.ORIGIN)})`);
    }
  }

  const example = '{"acme": {"hosts": ["login.acme.com"], "origin": "https://id.acme.com"}}';
  const named =
    (env.TENANTS && readJsonObject(env.TENANTS, (problem) => addShared("TENANTS", `${problem}; such as ${example}`))) ||
    {};
  // The message says nothing of the text: it is a secret.
  const secretHeaders =
    (env.ORIGIN_HEADERS &&
      readJsonObject(env.ORIGIN_HEADERS, (problem) =>
        addShared("ORIGIN_HEADERS", `${problem}; such as {"<tenant>": {"<header>": "<value>"}}`),
      )) ||
    {};

  const routes: Route[] = [];
  const hostOwners = new Map<string, string>();
  function addTenant(id: string, given: unknown): void {
    const name = `TENANTS.${id.length > 100 ? `${id.slice(0, 100)}…` : id}`;
    const { route, errors: found } = readRoute(id, given, own(secretHeaders, id));
    const taken = route.hosts.filter((host) => (hostOwners.get(host) ?? id) !== id);
    for (const host of taken) found.push(`the host ${host} belongs to the tenant ${hostOwners.get(host)}`);
    const hosts = [...new Set(route.hosts.filter((host) => !taken.includes(host)))];
    for (const host of hosts) hostOwners.set(host, id);
    for (const message of found) errors.push(`${name}: ${message}`);
    routes.push({ ...route, hosts, tenant: found.length === 0 ? route.tenant : null });
  }

  const standard = { hosts: ["*"], ...(origin ? { origin } : {}) };
  for (const [id, given] of Object.entries(named)) {
    if (id !== "default") addTenant(id, given);
    else addTenant(id, isObject(given) ? { ...standard, ...given } : given);
  }
  // Whatever TENANTS.default looks like, ORIGIN is where the hosts of no other tenant lead.
  const standardRoute = routes.find(({ id }) => id === "default");
  if (origin && standardRoute) {
    standardRoute.origin ??= origin;
    if (standardRoute.hosts.length === 0 && !hostOwners.has("*")) standardRoute.hosts = standard.hosts;
  }
  const hasDefault = Object.hasOwn(named, "default");
  if (!hasDefault && (origin || Object.keys(named).length === 0)) addTenant("default", standard);
  for (const id of Object.keys(secretHeaders)) {
    if (!routes.some((route) => route.id === id)) errors.push(`ORIGIN_HEADERS: there is no tenant ${quote(id)}`);
  }

  const adminHosts = (env.ADMIN_HOSTS ?? "").split(",").flatMap((text) => {
    const host = text.trim();
    if (!host) return [];
    const parsed = v.safeParse(hostPattern, host);
    if (parsed.success) return [parsed.output];
    addShared("ADMIN_HOSTS", `${quote(host)} is not ${parsed.issues[0].message}`);
    return [];
  });

  const cookieKeys: SigningKey[] = [];
  if (!env.COOKIE_KEYS) {
    addShared(
      "COOKIE_KEYS",
      'missing; "<key id>:<base64url of 32 random bytes>", several separated by commas, the first signs',
    );
  }
  for (const text of (env.COOKIE_KEYS ?? "").split(",").filter(Boolean)) {
    const [kid = "", secretText = ""] = text.trim().split(":");
    const secret = decodeSecret(secretText);
    if (!/^[A-Za-z0-9_-]{1,16}$/.test(kid)) {
      addShared("COOKIE_KEYS", "a key id is 1 to 16 letters, digits, - or _, before a colon");
    } else if (cookieKeys.some((key) => key.kid === kid)) {
      addShared("COOKIE_KEYS", `the key id ${kid} is used twice`);
    } else if (!secret || secret.length < 32) {
      addShared("COOKIE_KEYS", `the secret of ${kid} must be base64url of at least 32 bytes`);
    } else {
      cookieKeys.push({ kid, secret });
    }
  }

  const secretOf = (name: "STAMP_KEY" | "UNIT_KEY") => {
    const secret = env[name] ? decodeSecret(env[name]) : null;
    if (env[name] && (!secret || secret.length < 32)) addShared(name, "must be base64url of at least 32 bytes");
    return secret;
  };
  if (!env.STAMP_KEY) addShared("STAMP_KEY", "missing; base64url of 32 random bytes");
  const stampKey = secretOf("STAMP_KEY");
  const unitKey = secretOf("UNIT_KEY") ?? stampKey;

  if (env.ADMIN_TOKEN && !/^[\x21-\x7e]{16,}$/.test(env.ADMIN_TOKEN)) {
    addShared("ADMIN_TOKEN", "must be at least 16 characters of ASCII, without spaces: it travels in a header");
  }
  const adminToken = env.ADMIN_TOKEN || null;

  const whole = (
    name: "DECISION_BUDGET_MS" | "SNAPSHOT_FRESH_SECONDS" | "MANAGEMENT_RATE" | "FETCH_RATE",
    fallback: number,
    min: number,
    max: number,
  ) => {
    const text = env[name];
    if (!text) return fallback;
    const number = Number(text);
    if (Number.isFinite(number) && number >= min && number <= max) return number;
    addShared(name, `must be a number from ${min} to ${max} (got ${quote(text)})`);
    return fallback;
  };
  const decisionBudgetMs = whole("DECISION_BUDGET_MS", 200, 10, 5000);
  const snapshotFreshMs = whole("SNAPSHOT_FRESH_SECONDS", 30, 0.1, 300) * 1000;
  const managementRate = whole("MANAGEMENT_RATE", 100, 1, 100_000);
  const fetchRate = whole("FETCH_RATE", 10_000, 1, 100_000);

  const cohortHosts = parseAllowedHosts(env.COHORT_HOSTS ?? "");
  for (const message of cohortHosts.faults) addShared("COHORT_HOSTS", message);
  const logStreamHosts = parseAllowedHosts(env.LOG_STREAM_HOSTS ?? "");
  for (const message of logStreamHosts.faults) addShared("LOG_STREAM_HOSTS", message);

  for (const [name, message] of [...readLogLimits(env).faults, ...readLedgerLimits(env).faults])
    addShared(name, message);

  return {
    errors,
    sharedErrors,
    routes,
    adminHosts,
    adminToken,
    cookieKeys,
    stampKey,
    unitKey,
    decisionBudgetMs,
    snapshotFreshMs,
    managementRate,
    fetchRate,
    cohortHosts: cohortHosts.allowed,
    logStreamHosts: logStreamHosts.allowed,
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
