/**
 * Signed values for cookies and override tokens: `<payload>.<key id>.<mac>`, URL-safe throughout. The first key signs,
 * all verify, so keys rotate without anyone losing an assignment. The mac covers purpose and tenant: a value is worth
 * nothing under another name or at another tenant's.
 */
import { base64url } from "jose";
import { createMemo } from "./memo.ts";
import { after, type Pending } from "./pending.ts";

/** Of 32 bytes in base64url. */
const macLength = 43;
const payloadPattern = /^[A-Za-z0-9_-]{1,3500}$/;
const hmac = { name: "HMAC", hash: "SHA-256" };
const encoder = new TextEncoder();

export interface SigningKey {
  kid: string;
  secret: Uint8Array<ArrayBuffer>;
}

export type CryptoGuard = <T>(call: () => Promise<T>) => Promise<T>;

export interface Verified {
  payload: string;
  /** Signed with a key that no longer signs: sign it anew. */
  outdated: boolean;
}

export interface Keyring {
  /** @throws (by rejecting) when the platform's cryptography fails, or the payload is too long for a cookie. */
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
    const key = await crypto.subtle.importKey("raw", secret, hmac, false, ["sign", "verify"]);
    imported.set(kid, key);
    return key;
  }

  const textOf = (purpose: string, tenant: string, payload: string) =>
    encoder.encode(`${purpose}|${tenant}|${payload}`);

  return {
    async sign(purpose, tenant, payload) {
      if (!signer) throw new Error("no key to sign with");
      // What no isolate could read again must not be relied on: better to fail open now than to flip at the next hop.
      if (!payloadPattern.test(payload)) throw new Error(`a ${purpose} of ${payload.length} characters is too long`);
      const value = await guard(async () => {
        const mac = await crypto.subtle.sign("HMAC", await keyOf(signer), textOf(purpose, tenant, payload));
        return `${payload}.${signer.kid}.${base64url.encode(new Uint8Array(mac))}`;
      });
      memo.set(`${purpose}|${tenant}|${value}`, { payload, outdated: false });
      return value;
    },
    verify(purpose, tenant, value) {
      const known = memo.get(`${purpose}|${tenant}|${value}`);
      if (known) return known;
      const [payload = "", kid = "", mac = "", ...rest] = value.split(".");
      const key = keys.find((each) => each.kid === kid);
      if (!key || rest.length > 0 || !payloadPattern.test(payload) || mac.length !== macLength) return null;
      let given: Uint8Array<ArrayBuffer>;
      try {
        given = Uint8Array.from(base64url.decode(mac));
      } catch {
        return null;
      }
      // One mac, one spelling: the last character's spare bits must be zero.
      if (base64url.encode(given) !== mac) return null;
      return after(
        guard(async () => crypto.subtle.verify("HMAC", await keyOf(key), given, textOf(purpose, tenant, payload))),
        (isGenuine) => {
          if (!isGenuine) return null;
          const verified = { payload, outdated: key !== signer };
          memo.set(`${purpose}|${tenant}|${value}`, verified);
          return verified;
        },
      );
    },
  };
}
