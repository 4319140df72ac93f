/** The user id, from a token that the tenant's issuer signed. */
import { createRemoteJWKSet, customFetch, errors, type JWTVerifyGetKey, jwtVerify } from "jose";
import type { Address } from "../assignment/address.ts";
import { cookieValues } from "../assignment/cookies.ts";
import { createMemo } from "../assignment/memo.ts";
import type { Tenant } from "../model/tenant.ts";
import { longestId } from "../model/user.ts";

/** Each issuer has a circuit of its own: what one does with its keys concerns no other. */
export type JwksGuard = <T>(call: () => Promise<T>, uri: string) => Promise<T>;

export interface User {
  /** The verified claim, or null: no token, not genuine, expired, or another issuer's. */
  id: string | null;
  /** Why a token that is there could not be verified: it may be genuine. */
  failure?: string;
}

export const noUser: User = { id: null };

export interface UserReader {
  read(request: Request, url: Address, tenant: Tenant): Promise<User>;
}

/** Errors of finding a key that concern the token, not the key set. */
const tokenErrors = [errors.JWKSNoMatchingKey, errors.JWKSMultipleMatchingKeys, errors.JOSENotSupported];

class KeysUnavailable extends Error {}

const maxTokenLength = 8_192;
/** Verified tokens that an isolate remembers: a login presents the same one with every request. */
const maxVerified = 1_024;
/** A key that its issuer withdraws counts no longer than this. */
const maxVerifiedMs = 60_000;

function tokenOf(request: Request, url: Address, source: string): string | null {
  const [place, name = ""] = source.split(":");
  if (place === "query") return url.searchParams.get(name);
  if (place === "header") return request.headers.get(name)?.replace(/^Bearer\s+/i, "") ?? null;
  return cookieValues(request.headers.get("cookie"), name)[0] ?? null;
}

/** A response that holds no key set is a failure of the issuer's, though the call succeeded. */
async function fetchKeySet(url: string, init: RequestInit): Promise<Response> {
  const response = await fetch(url, init);
  if (!response.ok) {
    await response.body?.cancel();
    throw new Error(`the key set's address answered ${response.status}`);
  }
  const text = await response.text();
  const parsed: unknown = JSON.parse(text);
  const isKeySet = typeof parsed === "object" && parsed !== null && Array.isArray((parsed as { keys?: unknown }).keys);
  if (!isKeySet) throw new Error("the key set's address answered no key set");
  return new Response(text, { headers: { "content-type": "application/json" } });
}

/** Keeps each issuer's keys (RFC 7517) for as long as the isolate lives; they are fetched again for an unknown key id. */
export function createUserReader(guard: JwksGuard, now: () => number): UserReader {
  const keySets = new Map<string, JWTVerifyGetKey>();
  const verified = createMemo<{ user: User; untilMs: number }>(maxVerified);
  function keySetOf(uri: string): JWTVerifyGetKey {
    const known = keySets.get(uri);
    if (known) return known;
    const remote = createRemoteJWKSet(new URL(uri), {
      [customFetch]: (url: string, init: RequestInit) => guard(() => fetchKeySet(url, init), uri),
    });
    const keySet: JWTVerifyGetKey = (header, token) =>
      remote(header, token).catch((error: unknown) => {
        if (tokenErrors.some((type) => error instanceof type)) throw error;
        throw new KeysUnavailable(error instanceof Error ? error.message : String(error));
      });
    keySets.set(uri, keySet);
    return keySet;
  }

  return {
    async read(request, url, tenant) {
      if (!tenant.user) return noUser;
      const { issuer, jwks_uri, audience, token: source, claim } = tenant.user;
      const token = tokenOf(request, url, source);
      if (!token || token.length > maxTokenLength) return noUser;
      const memoKey = `${tenant.id} ${token}`;
      const known = verified.get(memoKey);
      if (known !== undefined && now() < known.untilMs) return known.user;
      try {
        const { payload } = await jwtVerify(token, keySetOf(jwks_uri), {
          issuer,
          ...(audience === undefined ? {} : { audience }),
        });
        const value = payload[claim];
        // As apps may write it, so that both name the same user.
        const id = typeof value === "number" ? String(value) : value;
        const user = typeof id === "string" && id !== "" && id.length <= longestId ? { id } : noUser;
        const untilMs = Math.min((payload.exp ?? 0) * 1000, now() + maxVerifiedMs);
        verified.set(memoKey, { user, untilMs });
        return user;
      } catch (error) {
        // An expired or foreign token is an ordinary visitor's.
        return error instanceof KeysUnavailable ? { id: null, failure: error.message } : noUser;
      }
    },
  };
}
