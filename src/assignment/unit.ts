/** Subjects as units: keyed hashes, so that no raw id is stored. The same subject is the same unit within a tenant. */
import { base64url } from "jose";

const unitBytes = 16;
const encoder = new TextEncoder();

export type SubjectKind = "device" | "user";

export interface Units {
  /** @throws (by rejecting) when the platform's cryptography fails. */
  unitOf(tenant: string, kind: SubjectKind, id: string): Promise<string>;
}

export type UnitGuard = <T>(dependency: "crypto", call: () => Promise<T>) => Promise<T>;

/** @param key Changing it makes everybody a new unit. */
export function createUnits(key: Uint8Array<ArrayBuffer>, guard: UnitGuard): Units {
  let imported: CryptoKey | undefined;
  return {
    unitOf: (tenant, kind, id) =>
      guard("crypto", async () => {
        imported ??= await crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
        const mac = await crypto.subtle.sign("HMAC", imported, encoder.encode(`unit|${tenant}|${kind}|${id}`));
        return base64url.encode(new Uint8Array(mac, 0, unitBytes));
      }),
  };
}
