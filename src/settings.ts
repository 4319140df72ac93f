/**
 * Variables and secrets, validated once an isolate. Reading never throws: an error in one tenant's settings turns off that
 * tenant's experiments and nothing else.
 */
import * as v from "valibot";
import type { SigningKey } from "./assignment/keyring.ts";
import { readLedgerLimits } from "./ledger/limits.ts";
import { readLogLimits } from "./logs/limits.ts";
import { parseAllowedHosts } from "./model/allowed-hosts.ts";
import { hostPattern, originUrl } from "./model/tenant.ts";
import { isObject, issueMessage, quote, type Route, readOrigin, readRoutes } from "./routes.ts";

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

  const { routes, errors: routeErrors } = readRoutes({ tenants: named, secretHeaders, origin });
  errors.push(...routeErrors);

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
