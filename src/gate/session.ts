/** The session cookie: the decisions of one log-in, pinned, so that every hop shows the same page. */
import { base64url } from "jose";
import type { Decision, Pin } from "../assignment/decide.ts";
import type { Keyring } from "../assignment/keyring.ts";
import { createMemo } from "../assignment/memo.ts";
import { after, type Pending } from "../assignment/pending.ts";

export const sessionSeconds = 3600;
/** The hour slides, but a cookie this young is not set again. */
const renewAfterSeconds = 300;
/** How long a signature is waited for that can be done without. */
export const resignMs = 50;
/** The value of a session whose first page failed open. Unsigned: forging it only keeps oneself out. */
export const failedOpenValue = "open";

export interface Session {
  /** Whom it belongs to; "" while there is no device (a forced variation needs none). */
  deviceId: string;
  issuedAtSeconds: number;
  pins: readonly Pin[];
  /** A page with the variation on it has been served. */
  exposed: boolean;
  /** A sign-up form was sent in this log-in, so its end is a sign-up's. */
  signup: boolean;
}

const methods = ["auto", "sticky", "inclusion", "forced"] as const;
type Packed = [1, string, number, [string, string | 0, number, string | 0, number][], 0 | 1, 0 | 1];

function pack(session: Session): string {
  const packed: Packed = [
    1,
    session.deviceId,
    session.issuedAtSeconds,
    session.pins.map((pin) => [
      pin.experimentId,
      pin.variationId ?? 0,
      methods.indexOf(pin.method),
      pin.segmentId ?? 0,
      pin.epoch,
    ]),
    session.exposed ? 1 : 0,
    session.signup ? 1 : 0,
  ];
  return base64url.encode(JSON.stringify(packed));
}

/** Trusts the shape: only what we signed comes here, and the leading number tells one shape from the next. */
function unpack(payload: string): Session | null {
  const packed: Packed = JSON.parse(new TextDecoder().decode(base64url.decode(payload)));
  if (packed[0] !== 1) return null;
  const [, deviceId, issuedAtSeconds, pins, exposed, signup] = packed;
  return {
    deviceId,
    issuedAtSeconds,
    pins: pins.map(([experimentId, variationId, method, segmentId, epoch]) => ({
      experimentId,
      variationId: variationId || null,
      method: methods[method] ?? "auto",
      ...(segmentId ? { segmentId } : {}),
      epoch,
    })),
    exposed: exposed === 1,
    signup: signup === 1,
  };
}

const unpacked = createMemo<Session>(4_096);

/** The session of the first genuine, unexpired value; the word "open" where the session failed open; or null. */
export function readSession(
  keyring: Keyring,
  tenant: string,
  values: readonly string[],
  nowMs: number,
): Pending<Session | "open" | null> {
  const [value, ...others] = values;
  if (value === undefined) return null;
  if (value === failedOpenValue) return "open";
  return after(keyring.verify("ses", tenant, value), (verified) => {
    const session = verified && (unpacked.get(verified.payload) ?? unpack(verified.payload));
    if (!session || nowMs / 1000 - session.issuedAtSeconds > sessionSeconds) {
      return readSession(keyring, tenant, others, nowMs);
    }
    unpacked.set(verified.payload, session);
    return session;
  });
}

export function signSession(keyring: Keyring, tenant: string, session: Session): Promise<string> {
  return keyring.sign("ses", tenant, pack(session));
}

/** Whether the hour should be made to slide. */
export function isAged(session: Session, nowMs: number): boolean {
  return nowMs / 1000 - session.issuedAtSeconds > renewAfterSeconds;
}

/** What a decision makes of the session: the very same object when nothing in it changes. */
export function nextSession(
  session: Session | null,
  decision: Pick<Decision, "pins" | "added">,
  knownDeviceId: string | null,
  nowMs: number,
): Session | null {
  if (decision.pins === undefined) return session;
  const deviceId = knownDeviceId ?? session?.deviceId ?? "";
  if (session && session.deviceId === deviceId && samePins(session.pins, decision.pins)) return session;
  return {
    deviceId,
    issuedAtSeconds: Math.floor(nowMs / 1000),
    pins: decision.pins,
    exposed: decision.added.length === 0 && session?.exposed === true,
    signup: session?.signup ?? false,
  };
}

function samePins(before: Session["pins"], now: Session["pins"]): boolean {
  return (
    before === now ||
    (before.length === now.length && before.every((pin, index) => JSON.stringify(pin) === JSON.stringify(now[index])))
  );
}
