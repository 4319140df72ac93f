/** Whose a request is, by its host: the tenant's that it leads to, is managed on it, or may fetch from it. */
import { Address } from "./assignment/address.ts";
import { createMemo } from "./assignment/memo.ts";
import { Problem } from "./model/problem.ts";
import type { Tenant } from "./model/tenant.ts";
import { hostMatches, type Route, type Settings, tenantsOf } from "./settings.ts";

export interface Router {
  /** Where a host leads; undefined where it is nobody's. */
  routeOf(host: string): Route | undefined;
  /** Whether the management API and the dashboard exist there. */
  isAdminHost(host: string): boolean;
  /**
   * The tenant that a request on an admin host is about: the one it names, the one whose host it is, or the only one.
   * @throws {Problem} when it names none, or one that does not exist
   */
  managedTenant(request: Request): Tenant;
  /** Whose deployments a key on this host may be one of, the likeliest first; none where the host is nobody's. */
  servingTenants(host: string): readonly Tenant[];
}

/** Hosts that are remembered: any can be asked for. */
const mostRemembered = 256;

const rankOf = (pattern: string): number => (pattern === "*" ? 2 : pattern.startsWith("*") ? 1 : 0);

export function createRouter({ routes, adminHosts }: Pick<Settings, "routes" | "adminHosts">): Router {
  const known = createMemo<Route>(mostRemembered);
  const tenants = tenantsOf({ routes });

  /** The most telling pattern wins: a host's own name, then a wildcard, the longest first, then `*`. */
  function routeOf(host: string): Route | undefined {
    const remembered = known.get(host);
    if (remembered) return remembered;
    const [best] = routes
      .flatMap((route) => route.hosts.map((pattern) => ({ route, pattern })))
      .filter(({ pattern }) => hostMatches(pattern, host))
      .sort((a, b) => rankOf(a.pattern) - rankOf(b.pattern) || b.pattern.length - a.pattern.length);
    if (best) known.set(host, best.route);
    return best?.route;
  }

  const isAdminHost = (host: string) => adminHosts.some((pattern) => hostMatches(pattern, host));

  return {
    routeOf,
    isAdminHost,
    managedTenant(request) {
      const name = request.headers.get("x-vestibule-tenant");
      if (name !== null) {
        const named = tenants.find(({ id }) => id === name);
        if (named === undefined) throw new Problem("tenant_not_found");
        return named;
      }
      const only = tenants.length === 1 ? tenants[0] : undefined;
      const tenant = routeOf(new Address(request.url).host)?.tenant ?? only;
      if (tenant === undefined) throw new Problem("tenant_required");
      return tenant;
    },
    servingTenants(host) {
      const own = [routeOf(host)?.tenant ?? []].flat();
      return isAdminHost(host) ? [...new Set([...own, ...tenants])] : own;
    },
  };
}
