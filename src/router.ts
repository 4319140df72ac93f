/** Resolves the tenant of a request from its host: for the gate, the management API and the fetch APIs. */
import { Address } from "./assignment/address.ts";
import { createMemo } from "./assignment/memo.ts";
import { hostMatches } from "./model/host.ts";
import type { Tenant } from "./model/tenant.ts";
import { type Route, tenantsOf } from "./routes.ts";
import type { Settings } from "./settings.ts";

export interface Router {
  /** Where a host leads; undefined where no tenant has it. */
  routeOf(host: string): Route | undefined;
  /** Whether the management API and the dashboard exist there. */
  isAdminHost(host: string): boolean;
  /** The tenant that a request on an admin host is about: the one it names, the one whose host it is, or the only one. */
  managedRoute(request: Request): Route | "tenant_required" | "tenant_not_found";
  /** Tenants whose deployment keys are accepted on this host, the likeliest first. */
  servingTenants(host: string): readonly Tenant[];
}

/** Clients choose the Host header, so the cache is bounded. */
const maxCachedHosts = 256;

const rankOf = (pattern: string): number => (pattern === "*" ? 2 : pattern.startsWith("*") ? 1 : 0);

export function createRouter({ routes, adminHosts }: Pick<Settings, "routes" | "adminHosts">): Router {
  const cache = createMemo<Route>(maxCachedHosts);
  const tenants = tenantsOf({ routes });

  /** The most specific pattern wins: a host's own name, then a wildcard, the longest first, then `*`. */
  function routeOf(host: string): Route | undefined {
    const cached = cache.get(host);
    if (cached) return cached;
    const [best] = routes
      .flatMap((route) => route.hosts.map((pattern) => ({ route, pattern })))
      .filter(({ pattern }) => hostMatches(pattern, host))
      .sort((a, b) => rankOf(a.pattern) - rankOf(b.pattern) || b.pattern.length - a.pattern.length);
    if (best) cache.set(host, best.route);
    return best?.route;
  }

  const isAdminHost = (host: string) => adminHosts.some((pattern) => hostMatches(pattern, host));

  return {
    routeOf,
    isAdminHost,
    managedRoute(request) {
      const name = request.headers.get("x-vestibule-tenant");
      if (name !== null) return routes.find(({ id }) => id === name) ?? "tenant_not_found";
      const only = routes.length === 1 ? routes[0] : undefined;
      return routeOf(new Address(request.url).host) ?? only ?? "tenant_required";
    },
    servingTenants(host) {
      const own = [routeOf(host)?.tenant ?? []].flat();
      return isAdminHost(host) ? [...new Set([...own, ...tenants])] : own;
    },
  };
}
