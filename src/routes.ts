/** Which tenant and which origin a host leads to, read from the settings of each tenant. */
import * as v from "valibot";
import {
  hostPattern,
  isProtocolParameter,
  originHeaderName,
  originHeaderValue,
  parseUrl,
  type Tenant,
  tenantSchema,
} from "./model/tenant.ts";

/**
 * Where hosts lead. What forwarding needs is here, beside the tenant, because logins of a tenant whose settings are wrong
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

/** The tenants whose settings are valid. */
export function tenantsOf({ routes }: { routes: readonly Route[] }): Tenant[] {
  return routes.flatMap(({ tenant }) => tenant ?? []);
}

/** A setting's text in a message, not longer than helps. */
export const quote = (text: string) => JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text);

const maxErrorLength = 500;

export function issueMessage(issue: v.BaseIssue<unknown>): string {
  const path = v.getDotPath(issue);
  const message = path ? `${path}: ${issue.message}` : issue.message;
  return message.length > maxErrorLength ? `${message.slice(0, maxErrorLength)}…` : message;
}

/** Origin of a text that may be wrong: without a scheme it is read as https, and all but scheme, host and port is left out. */
export function readOrigin(value: unknown): string | undefined {
  if (typeof value !== "string") return undefined;
  const text = value.trim();
  const url = parseUrl(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `https://${text.replace(/^\/+/, "")}`);
  return url !== null && /^https?:$/.test(url.protocol) ? url.origin : undefined;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
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

/** What TENANTS, ORIGIN_HEADERS and ORIGIN say about hosts. Never throws. */
export function readRoutes({
  tenants,
  secretHeaders,
  origin,
}: {
  tenants: Readonly<Record<string, unknown>>;
  /** By tenant, its part of ORIGIN_HEADERS. */
  secretHeaders: Readonly<Record<string, unknown>>;
  /** ORIGIN, where it is set. */
  origin: string | undefined;
}): { routes: Route[]; errors: string[] } {
  const errors: string[] = [];
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
  for (const [id, given] of Object.entries(tenants)) {
    if (id !== "default") addTenant(id, given);
    else addTenant(id, isObject(given) ? { ...standard, ...given } : given);
  }
  // ORIGIN applies to the hosts of no other tenant, also where TENANTS.default is invalid.
  const standardRoute = routes.find(({ id }) => id === "default");
  if (origin && standardRoute) {
    standardRoute.origin ??= origin;
    if (standardRoute.hosts.length === 0 && !hostOwners.has("*")) standardRoute.hosts = standard.hosts;
  }
  const hasDefault = Object.hasOwn(tenants, "default");
  if (!hasDefault && (origin || Object.keys(tenants).length === 0)) addTenant("default", standard);
  for (const id of Object.keys(secretHeaders)) {
    if (!routes.some((route) => route.id === id)) errors.push(`ORIGIN_HEADERS: there is no tenant ${quote(id)}`);
  }
  return { routes, errors };
}
