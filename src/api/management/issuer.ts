/** Who holds a JWT of the tenant's own issuer, and what it allows (RFC 7519, RFC 9068). */
import { createRemoteJWKSet, customFetch, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from "jose";
import { within } from "../../alarms/deadline.ts";
import type { Actor } from "../../control/command.ts";
import { Problem } from "../../model/problem.ts";
import type { Tenant } from "../../model/tenant.ts";
import { scopes } from "../../model/token.ts";

type Issuer = NonNullable<Tenant["management"]>;

/** An HMAC or `none` would let the public key, or nothing at all, sign. */
const algorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"];
const giveUpMs = 3_000;
/** How long an issuer that failed is left alone, so that a flood of tokens becomes no flood of fetches. */
const pauseMs = 5_000;
const longestName = 255;

export type TokenVerifier = (token: string, issuer: Issuer) => Promise<Actor>;

/** Keeps each issuer's keys for ten minutes; an unknown key id has them fetched anew, at most every 30 s. */
export function createTokenVerifier(now: () => number): TokenVerifier {
  const keySets = new Map<string, JWTVerifyGetKey>();

  function keySetOf(uri: string): JWTVerifyGetKey {
    const known = keySets.get(uri);
    if (known) return known;
    let failedAt = Number.NEGATIVE_INFINITY;
    const remote = createRemoteJWKSet(new URL(uri), {
      timeoutDuration: giveUpMs,
      [customFetch]: async (url: string, init: RequestInit) => {
        if (now() - failedAt < pauseMs) throw new Error("failed a moment ago");
        try {
          const response = await fetch(url, init);
          if (response.status !== 200) throw new Error(`answered ${response.status}`);
          return response;
        } catch (error) {
          failedAt = now();
          throw error;
        }
      },
    });
    const keySet: JWTVerifyGetKey = async (header, token) => {
      try {
        return await within(giveUpMs, remote(header, token));
      } catch (error) {
        if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys) throw error;
        console.error(JSON.stringify({ message: "the issuer's keys cannot be fetched", uri, reason: String(error) }));
        throw new Problem("issuer_unavailable");
      }
    };
    keySets.set(uri, keySet);
    return keySet;
  }

  return async (token, { issuer, jwks_uri, audience }) => {
    try {
      const { payload } = await jwtVerify(token, keySetOf(jwks_uri), {
        issuer,
        audience,
        algorithms,
        requiredClaims: ["exp", "sub"],
        currentDate: new Date(now()),
      });
      return actorOf(payload);
    } catch (error) {
      throw refusalOf(error);
    }
  };
}

/** `scope` as OAuth has it, `permissions` as Auth0 writes what a role allows. */
function actorOf({ sub, scope, permissions }: JWTPayload): Actor {
  if (typeof sub !== "string") throw new Problem("invalid_token", "Its sub must be text.");
  const granted: unknown[] = [
    ...(typeof scope === "string" ? scope.split(" ") : []),
    ...(Array.isArray(permissions) ? permissions : []),
  ];
  return { name: `jwt:${sub.slice(0, longestName)}`, scopes: scopes.filter((one) => granted.includes(one)) };
}

function refusalOf(error: unknown): unknown {
  if (error instanceof errors.JWSSignatureVerificationFailed) return new Problem("invalid_signature");
  if (error instanceof errors.JWTExpired) return new Problem("invalid_token", "It has expired.");
  if (error instanceof errors.JWTClaimValidationFailed) {
    return new Problem("invalid_token", `Its ${error.claim} is missing or not the one expected.`);
  }
  if (error instanceof errors.JOSEAlgNotAllowed) {
    return new Problem("invalid_token", `It must be signed by one of ${algorithms.join(", ")}.`);
  }
  if (error instanceof errors.JWKSNoMatchingKey) return new Problem("invalid_token", "Its issuer has no such key.");
  return error instanceof errors.JOSEError ? new Problem("invalid_token", "It is no token that can be read.") : error;
}
