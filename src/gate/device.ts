/** The device cookie: 128 bits, signed. The id used for bucketing is the id set. */
import { base64url } from "jose";
import type { Keyring } from "../assignment/keyring.ts";
import { after, type Pending } from "../assignment/pending.ts";

/** The longest life browsers grant (RFC 6265bis §5.5). */
export const deviceSeconds = 400 * 24 * 3600;
/** A cookie older than this is set again, so that a returning visitor never loses it. */
const renewAfterDays = 30;
const dayMs = 24 * 3600_000;
/** Requests of one browser that arrive together before any has its cookie: long enough for a slow page's tabs. */
const togetherMs = 10_000;
const payloadPattern = /^([A-Za-z0-9_-]{22})([0-9a-z]{3,5})$/;
const encoder = new TextEncoder();

export interface Device {
  id: string;
  /** A cookie to set, or null when the visitor's own will do. */
  cookie: string | null;
}

const dayOf = (nowMs: number) => Math.floor(nowMs / dayMs);

/** The device of the first genuine value among those sent, or null. */
export function readDevice(
  keyring: Keyring,
  tenant: string,
  values: readonly string[],
  nowMs: number,
): Pending<Device | null> {
  const [value, ...others] = values;
  if (value === undefined) return null;
  return after(keyring.verify("did", tenant, value), (verified) => {
    const [, id, day] = payloadPattern.exec(verified?.payload ?? "") ?? [];
    if (!verified || id === undefined || day === undefined) return readDevice(keyring, tenant, others, nowMs);
    const renew = verified.outdated || dayOf(nowMs) - Number.parseInt(day, 36) > renewAfterDays;
    const kept = { id, cookie: null };
    // What is known stays good although it cannot be signed anew.
    return renew ? issueDevice(keyring, tenant, id, nowMs).catch(() => kept) : kept;
  });
}

async function issueDevice(keyring: Keyring, tenant: string, id: string, nowMs: number): Promise<Device> {
  const cookie = await keyring.sign("did", tenant, `${id}${dayOf(nowMs).toString(36)}`);
  return { id, cookie };
}

export interface Newcomer {
  /**
   * The random bytes with which the browser opened this TLS connection, where the platform tells them. Tabs that a
   * browser opens at once share a connection, so they become one device although none has a cookie yet.
   */
  tlsClientRandom: string | undefined;
  userAgent: string;
}

/** A new device. */
export async function mintDevice(
  keyring: Keyring,
  tenant: string,
  { tlsClientRandom, userAgent }: Newcomer,
  nowMs: number,
): Promise<Device> {
  const bytes = new Uint8Array(16);
  if (tlsClientRandom) {
    // Signed, so that nobody who sees the handshake can tell the id. A proxy may carry several people on one connection:
    // the browser and the moment keep them apart.
    const moment = Math.floor(nowMs / togetherMs);
    const seed = base64url.encode(encoder.encode(`${tlsClientRandom} ${moment} ${userAgent.slice(0, 512)}`));
    const digest = await crypto.subtle.digest("SHA-256", encoder.encode(await keyring.sign("newcomer", tenant, seed)));
    bytes.set(new Uint8Array(digest, 0, 16));
  } else {
    crypto.getRandomValues(bytes);
  }
  return issueDevice(keyring, tenant, base64url.encode(bytes), nowMs);
}
