/** Who sent a request: the root token's holder, one with a JWT of the tenant's issuer, or one with a token of ours. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { ControlRequest } from "../../control/control.ts";
import { Problem } from "../../model/problem.ts";
import type { Tenant } from "../../model/tenant.ts";
import { scopes, tokenPattern } from "../../model/token.ts";
import { clientOf, createFloodGuard, type Verdict } from "./flood.ts";
import { createTokenVerifier } from "./issuer.ts";

const jwtPattern = /^[\w-]+\.[\w-]+\.[\w-]+$/;
const longestJwt = 8_192;

export interface Caller {
  tenant: Tenant;
  /** Of a token of ours only the control plane can tell whether it is genuine. */
  credential: ControlRequest["credential"];
  /** To be told what the control plane said of it. */
  settle(verdict: Verdict): void;
}

export interface AuthenticatorOptions {
  /** Null: there is no root. */
  rootToken: string | null;
  /** @throws {Problem} when the request names no tenant */
  tenantOf(request: Request): Tenant;
  now: () => number;
}

/** @returns a function that throws a Problem: 401, 404 or 400 without a tenant, 429 in a flood, 503 without the issuer's keys */
export function createAuthenticator({ rootToken, tenantOf, now }: AuthenticatorOptions) {
  const rootDigest = rootToken === null ? null : sha256(rootToken);
  const verify = createTokenVerifier(now);
  const flood = createFloodGuard(now);

  return async (request: Request): Promise<Caller> => {
    const [, token] = /^Bearer +([\x21-\x7e]+)$/i.exec(request.headers.get("authorization") ?? "") ?? [];
    if (token === undefined) throw new Problem("invalid_token", "Send Authorization: Bearer <token>.");
    const digest = sha256(token);
    if (rootDigest !== null && timingSafeEqual(digest, rootDigest)) {
      return { tenant: tenantOf(request), credential: { actor: { name: "root", scopes } }, settle() {} };
    }
    const isOurs = tokenPattern.test(token);
    const isJwt = token.length <= longestJwt && jwtPattern.test(token);
    if (!isOurs && !isJwt) throw new Problem("invalid_token");
    const tenant = tenantFor(request);
    if (!isOurs && tenant.management === undefined) throw new Problem("invalid_token");

    const settle = flood.enter(clientOf(request), `${tenant.id} ${digest.toString("hex")}`);
    if (isOurs || tenant.management === undefined) {
      return { tenant, credential: { tokenHash: digest.toString("base64url") }, settle };
    }
    try {
      return { tenant, credential: { actor: await verify(token, tenant.management) }, settle };
    } catch (error) {
      settle(error instanceof Problem && error.code === "issuer_unavailable" ? "unknown" : "wrong");
      throw error;
    }
  };

  /** Which tenants there are, only the root is told. */
  function tenantFor(request: Request): Tenant {
    try {
      return tenantOf(request);
    } catch (error) {
      throw error instanceof Problem && error.code === "tenant_not_found" ? new Problem("invalid_token") : error;
    }
  }
}

/** Of the same length whatever the text: what is compared in constant time must be. */
function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
