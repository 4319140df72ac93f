/** The user id after log-in, from a token that the tenant's issuer signed. */

import { createRemoteJWKSet, customFetch, errors, type JWTVerifyGetKey, jwtVerify } from "jose";
import type { Address } from "../assignment/address.ts";
import type { Tenant } from "../model/tenant.ts";
import { longestId } from "../model/user.ts";
import { cookieValues } from "./cookies.ts";

/** Each issuer by itself: what one does with its keys concerns no other. */
export type JwksGuard = <T>(call: () => Promise<T>, uri: string) => Promise<T>;

export interface User {
  /** The verified claim, or null: no token, not genuine, expired, or another issuer's. */
  id: string | null;
  /** Why a token that is there could not be judged: it may be anybody's. */
  failure?: string;
}

export const nobody: User = { id: null };

export interface UserReader {
  read(request: Request, url: Address, tenant: Tenant): Promise<User>;
}

/** Of what goes wrong when a key is looked for, that which says something of the token. */
const faultsOfTokens = [errors.JWKSNoMatchingKey, errors.JWKSMultipleMatchingKeys, errors.JOSENotSupported];

class KeysUnavailable extends Error {}

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
    const remote = createRemoteJWKSet(new URL(uri), {
      [customFetch]: (url: string, init: RequestInit) => guard(() => fetch(url, init), uri),
    });
    const keySet: JWTVerifyGetKey = (header, token) =>
      remote(header, token).catch((error: unknown) => {
        if (faultsOfTokens.some((fault) => error instanceof fault)) throw error;
        throw new KeysUnavailable(error instanceof Error ? error.message : String(error));
      });
    keySets.set(uri, keySet);
    return keySet;
  }

  return {
    async read(request, url, tenant) {
      if (!tenant.user) return nobody;
      const { issuer, jwks_uri, audience, token: source, claim } = tenant.user;
      const token = tokenOf(request, url, source);
      if (!token || token.length > longestToken) return nobody;
      try {
        const { payload } = await jwtVerify(token, keySetOf(jwks_uri), {
          issuer,
          ...(audience === undefined ? {} : { audience }),
        });
        const value = payload[claim];
        // As apps may write it, so that both ask about the same user.
        const id = typeof value === "number" ? String(value) : value;
        return typeof id === "string" && id !== "" && id.length <= longestId ? { id } : nobody;
      } catch (error) {
        // An expired or foreign token is an ordinary visitor's.
        return error instanceof KeysUnavailable ? { id: null, failure: error.message } : nobody;
      }
    },
  };
}
