/**
 * Who is signed in: the token, sealed in a cookie that only this deployment can open (AES-GCM under a key derived from
 * `COOKIE_KEYS`). Nothing of it is stored, but for a note that it was ended before its time.
 */
import { base64url } from "jose";
import type { SigningKey } from "../assignment/keyring.ts";

const idleSeconds = 8 * 3600;
const wholeSeconds = 7 * 24 * 3600;
/** A cookie younger than this is not sealed anew. */
const renewSeconds = 600;
/** What fits into a cookie of 4,096 bytes once sealed. */
export const longestToken = 2_600;

export interface Session {
  /** Names the session where it is ended. */
  id: string;
  token: string;
  tenant: string;
  /** What every form of this session holds, and no other site can know. */
  formKey: string;
  startedAt: number;
}

/** KV key of the note that a session was ended. */
export const endedSessionKey = (id: string): string => `ended-session:${id}`;

/** Where ended sessions are noted; shared by all isolates, though some may learn of it late. */
export interface EndedSessions {
  has(id: string): Promise<boolean>;
  add(id: string, ttlSeconds: number): Promise<void>;
}

export interface OpenedSession extends Session {
  /** Whether its cookie is to be sealed anew, so that it does not run out while somebody works. */
  isAgeing: boolean;
}

export interface Sessions {
  begin(token: string, tenant: string): Session;
  seal(session: Session, host: string): Promise<string>;
  /** Null when the value is forged, of another host, too old, or was ended. */
  open(value: string, host: string, ended: EndedSessions): Promise<OpenedSession | null>;
  end(session: Session, ended: EndedSessions): Promise<void>;
}

const encoder = new TextEncoder();
const ivBytes = 12;

export function createSessions(keys: readonly SigningKey[], now: () => number): Sessions {
  const derived = new Map<string, Promise<CryptoKey>>();
  /** What this isolate ended is over at once, whatever the store still says. */
  const endedHere = new Set<string>();
  const seconds = () => Math.floor(now() / 1000);

  function keyOf({ kid, secret }: SigningKey): Promise<CryptoKey> {
    const known = derived.get(kid) ?? deriveKey(secret);
    derived.set(kid, known);
    return known;
  }

  return {
    begin: (token, tenant) => ({ id: random(16), formKey: random(16), token, tenant, startedAt: seconds() }),

    async seal({ id, formKey, token, tenant, startedAt }, host) {
      const [key] = keys;
      if (key === undefined) throw new Error("no COOKIE_KEYS: nobody can sign in");
      const iv = crypto.getRandomValues(new Uint8Array(ivBytes));
      const text = encoder.encode(JSON.stringify([id, formKey, token, tenant, startedAt, seconds()]));
      const sealed = new Uint8Array(await crypto.subtle.encrypt(cipher(iv, host), await keyOf(key), text));
      return `${key.kid}.${base64url.encode(iv)}.${base64url.encode(sealed)}`;
    },

    async open(value, host, ended) {
      const [kid, iv = "", sealed = "", ...rest] = value.split(".");
      const key = keys.find((one) => one.kid === kid);
      if (key === undefined || rest.length > 0) return null;
      const fields = await unseal(await keyOf(key), iv, sealed, host);
      if (fields === null) return null;
      const [id, formKey, token, tenant, startedAt, seenAt] = fields;
      const at = seconds();
      if (at - seenAt > idleSeconds || at - startedAt > wholeSeconds || endedHere.has(id)) return null;
      if (await isEnded(id, ended)) return null;
      return { id, formKey, token, tenant, startedAt, isAgeing: at - seenAt > renewSeconds || key !== keys[0] };
    },

    async end({ id }, ended) {
      if (endedHere.size >= 1_000) endedHere.clear();
      endedHere.add(id);
      try {
        await ended.add(id, idleSeconds);
      } catch (error) {
        // The browser forgets its cookie all the same.
        console.warn(JSON.stringify({ message: "the end of a session cannot be noted", reason: String(error) }));
      }
    },
  };
}

/** The store being down keeps nobody out: the token is asked about on every page all the same. */
async function isEnded(id: string, ended: EndedSessions): Promise<boolean> {
  try {
    return await ended.has(id);
  } catch (error) {
    console.warn(JSON.stringify({ message: "ended sessions cannot be read", reason: String(error) }));
    return false;
  }
}

type Fields = [id: string, formKey: string, token: string, tenant: string, startedAt: number, seenAt: number];

async function unseal(key: CryptoKey, iv: string, sealed: string, host: string): Promise<Fields | null> {
  try {
    const text = await crypto.subtle.decrypt(cipher(bytesOf(iv), host), key, bytesOf(sealed));
    return JSON.parse(new TextDecoder().decode(text));
  } catch {
    return null;
  }
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(base64url.decode(text));
}

/** Sealed for one host: a cookie of one admin host is worth nothing on another. */
function cipher(iv: Uint8Array<ArrayBuffer>, host: string) {
  return { name: "AES-GCM", iv, additionalData: encoder.encode(`dashboard|${host}`) };
}

async function deriveKey(secret: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  const material = await crypto.subtle.importKey("raw", secret, "HKDF", false, ["deriveKey"]);
  const info = encoder.encode("vestibule dashboard session");
  const derivation = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(32), info };
  return crypto.subtle.deriveKey(derivation, material, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
}

function random(bytes: number): string {
  return base64url.encode(crypto.getRandomValues(new Uint8Array(bytes)));
}

/** `Secure` by its very name on https. Not `__Host-`: that would send it with every request to the gate on the same host. */
function cookieName({ protocol }: URL): string {
  return protocol === "https:" ? "__Secure-vst_admin" : "vst_admin";
}

export function readCookie(request: Request, url: URL): string | null {
  const name = cookieName(url);
  const cookies = (request.headers.get("cookie") ?? "").split(";").map((pair) => pair.trim());
  return cookies.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1) ?? null;
}

/** @param value null takes the cookie away */
export function cookieOf(value: string | null, url: URL, path: string): string {
  const age = value === null ? 0 : idleSeconds;
  const secure = url.protocol === "https:" ? "; Secure" : "";
  return `${cookieName(url)}=${value ?? ""}; Path=${path}; Max-Age=${age}; HttpOnly; SameSite=Strict${secure}`;
}
