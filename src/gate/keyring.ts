/**
 * Signed values for cookies and override tokens: `<payload>.<key id>.<mac>`, URL-safe throughout. The first key signs,
 * all verify, so keys rotate without anyone losing an assignment. The mac covers purpose and tenant: a value is worth
 * nothing under another name or at another tenant's.
 */
import { base64url } from "jose";
import type { SigningKey } from "../settings.ts";
import { createMemo } from "./memo.ts";
import { after, type Pending } from "./pending.ts";

/** HMAC-SHA-256 cut to 128 bits (RFC 2104 §5). */
const macBytes = 16;
const payloadPattern = /^[A-Za-z0-9_-]{1,3500}$/;
const hmac = { name: "HMAC", hash: "SHA-256" };
const encoder = new TextEncoder();

export type CryptoGuard = <T>(call: () => Promise<T>) => Promise<T>;

export interface Verified {
  payload: string;
  /** Signed with a key that no longer signs: sign it anew. */
  outdated: boolean;
}

export interface Keyring {
  /** @throws (by rejecting) when the platform's cryptography fails. */
  sign(purpose: string, tenant: string, payload: string): Promise<string>;
  /** Null when the value is forged, truncated, of another purpose or tenant, or of a key no longer known. */
  verify(purpose: string, tenant: string, value: string): Pending<Verified | null>;
}

export function createKeyring(keys: readonly SigningKey[], guard: CryptoGuard): Keyring {
  const imported = new Map<string, CryptoKey>();
  const memo = createMemo<Verified>(8_192);
  const signer = keys[0];

  async function keyOf({ kid, secret }: SigningKey): Promise<CryptoKey> {
    const known = imported.get(kid);
    if (known) return known;
    const key = await crypto.subtle.importKey("raw", secret, hmac, false, ["sign"]);
    imported.set(kid, key);
    return key;
  }

  async function macOf(key: SigningKey, purpose: string, tenant: string, payload: string): Promise<Uint8Array> {
    const text = encoder.encode(`${purpose}|${tenant}|${payload}`);
    return new Uint8Array(await crypto.subtle.sign("HMAC", await keyOf(key), text), 0, macBytes);
  }

  return {
    async sign(purpose, tenant, payload) {
      if (!signer) throw new Error("no key to sign with");
      const value = await guard(async () => {
        const mac = await macOf(signer, purpose, tenant, payload);
        return `${payload}.${signer.kid}.${base64url.encode(mac)}`;
      });
      memo.set(`${purpose}|${tenant}|${value}`, { payload, outdated: false });
      return value;
    },
    verify(purpose, tenant, value) {
      const known = memo.get(`${purpose}|${tenant}|${value}`);
      if (known) return known;
      const [payload = "", kid = "", mac = "", ...rest] = value.split(".");
      const key = keys.find((each) => each.kid === kid);
      if (!key || rest.length > 0 || !payloadPattern.test(payload) || mac.length !== 22) return null;
      let given: Uint8Array;
      try {
        given = base64url.decode(mac);
      } catch {
        return null;
      }
      if (given.length !== macBytes || base64url.encode(given) !== mac) return null;
      return after(
        guard(() => macOf(key, purpose, tenant, payload)),
        (expected) => {
          if (!crypto.subtle.timingSafeEqual(expected, given)) return null;
          const verified = { payload, outdated: key !== signer };
          memo.set(`${purpose}|${tenant}|${value}`, verified);
          return verified;
        },
      );
    },
  };
}
