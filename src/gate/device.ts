/** The device cookie: 128 random bits, signed. The id used for bucketing is the id set. */
import { base64url } from "jose";
import { verifyDevice } from "../assignment/device-cookie.ts";
import type { Keyring } from "../assignment/keyring.ts";

/** The longest life browsers grant (RFC 6265bis section 5.5). */
export const deviceSeconds = 400 * 24 * 3600;
/** An older cookie is set again, so that a returning visitor never loses it. */
const renewAfterDays = 30;
const dayMs = 24 * 3600_000;

export interface Device {
  id: string;
  /** A cookie value to set, or null when the visitor's own will do. */
  cookie: string | null;
}

const dayOf = (nowMs: number) => Math.floor(nowMs / dayMs);

/** The device of the first genuine value among those sent, or null. */
export async function readDevice(
  keyring: Keyring,
  tenant: string,
  values: readonly string[],
  nowMs: number,
): Promise<Device | null> {
  const verified = await verifyDevice(keyring, tenant, values);
  if (verified === null) return null;
  const { id, day, outdated } = verified;
  const kept = { id, cookie: null };
  const isOld = outdated || dayOf(nowMs) - day > renewAfterDays;
  // If re-signing fails, keep using the verified cookie.
  return isOld ? signDevice(keyring, tenant, id, nowMs).catch(() => kept) : kept;
}

async function signDevice(keyring: Keyring, tenant: string, id: string, nowMs: number): Promise<Device> {
  const cookie = await keyring.sign("did", tenant, `${id}${dayOf(nowMs).toString(36)}`);
  return { id, cookie };
}

/** A new device. */
export async function mintDevice(keyring: Keyring, tenant: string, nowMs: number): Promise<Device> {
  const id = base64url.encode(crypto.getRandomValues(new Uint8Array(16)));
  return signDevice(keyring, tenant, id, nowMs);
}
