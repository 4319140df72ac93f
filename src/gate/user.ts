/** The user id after log-in, from a token that the tenant's issuer signed. */

import { createRemoteJWKSet, customFetch, type JWTVerifyGetKey, jwtVerify } from "jose";
import type { Tenant } from "../model/tenant.ts";
import type { Address } from "./address.ts";
import { cookieValues } from "./cookies.ts";

export type JwksGuard = <T>(call: () => Promise<T>) => Promise<T>;

export interface UserReader {
  /** The verified claim, or null: no token, not genuine, expired, or another issuer's. */
  read(request: Request, url: Address, tenant: Tenant): Promise<string | null>;
}

const longestToken = 8_192;

function tokenOf(request: Request, url: Address, source: string): string | null {
  const [place, name = ""] = source.split(":");
  if (place === "query") return url.searchParams.get(name);
  if (place === "header") return request.headers.get(name)?.replace(/^Bearer\s+/i, "") ?? null;
  return cookieValues(request.headers.get("cookie"), name)[0] ?? null;
}

/** Keeps each issuer's keys (RFC 7517) for as long as the isolate lives; they are fetched anew for an unknown key id. */
export function createUserReader(guard: JwksGuard): UserReader {
  const keySets = new Map<string, JWTVerifyGetKey>();
  function keySetOf(uri: string): JWTVerifyGetKey {
    const known = keySets.get(uri);
    if (known) return known;
    const keySet = createRemoteJWKSet(new URL(uri), {
      [customFetch]: (url: string, init: RequestInit) => guard(() => fetch(url, init)),
    });
    keySets.set(uri, keySet);
    return keySet;
  }

  return {
    async read(request, url, tenant) {
      if (!tenant.user) return null;
      const { issuer, jwks_uri, audience, token: source, claim } = tenant.user;
      const token = tokenOf(request, url, source);
      if (!token || token.length > longestToken) return null;
      try {
        const { payload } = await jwtVerify(token, keySetOf(jwks_uri), {
          issuer,
          ...(audience === undefined ? {} : { audience }),
        });
        const value = payload[claim];
        return typeof value === "string" && value !== "" ? value.slice(0, 256) : null;
      } catch {
        // An expired or foreign token is an ordinary visitor's; unreachable keys leave user experiments unassigned.
        return null;
      }
    },
  };
}
