/** Variables and secrets, checked once. A wrong one is named, together with every other that is wrong. */
import * as v from "valibot";
import type { SigningKey } from "./assignment/keyring.ts";
import { readLedgerLimits } from "./ledger/limits.ts";
import { readLogLimits } from "./logs/limits.ts";
import { parseAllowedHosts } from "./model/allowed-hosts.ts";
import { hostPattern, originUrl, type Tenant, tenantRouteSchema, tenantSchema } from "./model/tenant.ts";

export const secretNames = ["ADMIN_TOKEN", "COOKIE_KEYS", "STAMP_KEY", "UNIT_KEY"] as const;

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

/** Where a host leads: to a tenant, or, when that tenant's settings are wrong, to its origin alone. */
export type Route =
  | { hosts: readonly string[]; tenant: Tenant }
  | { hosts: readonly string[]; tenant: null; origin: string | undefined };

export interface Settings {
  /** Every fault found, as `NAME: what is wrong and what would be right`. With any of them nothing is assigned. */
  faults: readonly string[];
  routes: readonly Route[];
  adminHosts: readonly string[];
  adminToken: string | null;
  /** The first signs, all verify. */
  cookieKeys: readonly SigningKey[];
  stampKey: Uint8Array<ArrayBuffer> | null;
  /** Turns subjects into units; the stamp key unless set. Changing it makes everybody a new unit. */
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

function faultOf(issue: v.BaseIssue<unknown>): string {
  const path = v.getDotPath(issue);
  return path ? `${path}: ${issue.message}` : issue.message;
}

/** Reads and checks all settings. Never throws: what is wrong is in `faults`, what can still be routed in `routes`. */
export function readSettings(env: Variables): Settings {
  const faults: string[] = [];
  const fault = (name: string, message: string) => faults.push(`${name}: ${message}`);

  const routes: Route[] = [];
  let origin: string | undefined;
  if (env.ORIGIN) {
    const parsed = v.safeParse(originUrl, env.ORIGIN);
    if (parsed.success) origin = parsed.output;
    else fault("ORIGIN", `${parsed.issues.map(faultOf).join("; ")} (got ${JSON.stringify(env.ORIGIN)})`);
  }

  let named: unknown = {};
  if (env.TENANTS) {
    try {
      named = JSON.parse(env.TENANTS);
    } catch (error) {
      fault("TENANTS", `not JSON (${error instanceof Error ? error.message : error})`);
    }
    if (typeof named !== "object" || named === null || Array.isArray(named)) {
      fault(
        "TENANTS",
        'must be an object such as {"acme": {"hosts": ["login.acme.com"], "origin": "https://id.acme.com"}}',
      );
      named = {};
    }
  }
  for (const [id, given] of Object.entries(named as Record<string, unknown>)) {
    const isDefault = id === "default";
    const value = isDefault && isObject(given) ? { hosts: ["*"], ...(origin ? { origin } : {}), ...given } : given;
    if (!/^[a-z0-9][a-z0-9_-]{0,62}$/.test(id)) {
      fault(`TENANTS.${id}`, "a tenant's name is 1 to 63 of a-z, 0-9, - and _, and starts with a letter or digit");
    }
    const parsed = v.safeParse(tenantSchema, value);
    if (parsed.success) {
      routes.push({ hosts: parsed.output.hosts, tenant: { ...parsed.output, id } });
      continue;
    }
    for (const issue of parsed.issues) fault(`TENANTS.${id}`, faultOf(issue));
    const route = v.safeParse(tenantRouteSchema, value);
    if (route.success) routes.push({ hosts: route.output.hosts, tenant: null, origin: route.output.origin });
  }
  const hasDefault = isObject(named) && Object.hasOwn(named, "default");
  if (!hasDefault && (origin || Object.keys(named as object).length === 0)) {
    const tenant = v.parse(tenantSchema, { hosts: ["*"], ...(origin ? { origin } : {}) });
    routes.push({ hosts: tenant.hosts, tenant: { ...tenant, id: "default" } });
  }
  const owner = new Map<string, string>();
  for (const route of routes) {
    for (const host of route.hosts) {
      const name = route.tenant?.id ?? "a tenant with wrong settings";
      const other = owner.get(host);
      if (other !== undefined) fault("TENANTS", `the host ${host} belongs to both ${other} and ${name}`);
      owner.set(host, name);
    }
  }

  const adminHosts = (env.ADMIN_HOSTS ?? "").split(",").flatMap((text) => {
    const host = text.trim();
    if (!host) return [];
    const parsed = v.safeParse(hostPattern, host);
    if (parsed.success) return [parsed.output];
    fault("ADMIN_HOSTS", `${JSON.stringify(host)} is not ${parsed.issues[0].message}`);
    return [];
  });

  const cookieKeys: SigningKey[] = [];
  if (!env.COOKIE_KEYS) {
    fault(
      "COOKIE_KEYS",
      'missing; "<key id>:<base64url of 32 random bytes>", several parted by commas, the first signs',
    );
  }
  for (const text of (env.COOKIE_KEYS ?? "").split(",").filter(Boolean)) {
    const [kid = "", secretText = ""] = text.trim().split(":");
    const secret = decodeSecret(secretText);
    if (!/^[A-Za-z0-9_-]{1,16}$/.test(kid)) {
      fault("COOKIE_KEYS", "a key id is 1 to 16 letters, digits, - or _, before a colon");
    } else if (cookieKeys.some((key) => key.kid === kid)) {
      fault("COOKIE_KEYS", `the key id ${kid} stands twice`);
    } else if (!secret || secret.length < 32) {
      fault("COOKIE_KEYS", `the secret of ${kid} must be base64url of at least 32 bytes`);
    } else {
      cookieKeys.push({ kid, secret });
    }
  }

  const secretOf = (name: "STAMP_KEY" | "UNIT_KEY") => {
    const secret = env[name] ? decodeSecret(env[name]) : null;
    if (env[name] && (!secret || secret.length < 32)) fault(name, "must be base64url of at least 32 bytes");
    return secret;
  };
  if (!env.STAMP_KEY) fault("STAMP_KEY", "missing; base64url of 32 random bytes");
  const stampKey = secretOf("STAMP_KEY");
  const unitKey = secretOf("UNIT_KEY") ?? stampKey;

  if (env.ADMIN_TOKEN && !/^[\x21-\x7e]{16,}$/.test(env.ADMIN_TOKEN)) {
    fault("ADMIN_TOKEN", "must be at least 16 characters of ASCII, without spaces: it travels in a header");
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
    fault(name, `must be a number from ${min} to ${max} (got ${JSON.stringify(text)})`);
    return fallback;
  };
  const decisionBudgetMs = whole("DECISION_BUDGET_MS", 200, 10, 5000);
  const snapshotFreshMs = whole("SNAPSHOT_FRESH_SECONDS", 30, 0.1, 300) * 1000;
  const managementRate = whole("MANAGEMENT_RATE", 100, 1, 100_000);
  const fetchRate = whole("FETCH_RATE", 10_000, 1, 100_000);

  const cohortHosts = parseAllowedHosts(env.COHORT_HOSTS ?? "");
  for (const message of cohortHosts.faults) fault("COHORT_HOSTS", message);
  const logStreamHosts = parseAllowedHosts(env.LOG_STREAM_HOSTS ?? "");
  for (const message of logStreamHosts.faults) fault("LOG_STREAM_HOSTS", message);

  for (const [name, message] of [...readLogLimits(env).faults, ...readLedgerLimits(env).faults]) fault(name, message);

  return {
    faults,
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

/** Whether a host (as in a URL: name, and port when it is not the scheme's) fits a pattern of the settings. */
export function hostMatches(pattern: string, host: string): boolean {
  if (pattern === "*") return true;
  const name = pattern.includes(":") ? host : host.replace(/:\d+$/, "");
  return pattern.startsWith("*.") ? name.endsWith(pattern.slice(1)) : name === pattern;
}
