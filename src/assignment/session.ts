/** The session cookie: the decisions of one login, pinned, so that every request of it shows the same page. */
import { base64url } from "jose";
import { flowNames } from "../model/flow.ts";
import type { DecidedPart } from "./decide.ts";
import type { Pin } from "./evaluation.ts";
import type { Keyring } from "./keyring.ts";
import { createMemo } from "./memo.ts";

export const sessionSeconds = 3600;

/** How long after a call of the page has logged in the page may take to send the visitor to the application. */
const succeededSeconds = 60;
/** The hour slides, but a younger cookie is not set again. */
const renewAfterSeconds = 300;
/** How long a signature is awaited that can be done without. */
export const resignTimeoutMs = 50;
/**
 * The value that marks a login as unassigned to its end: its first page failed open or could not be assigned. It is not
 * signed, since cryptography may be what failed; whoever forges it only keeps their own browser out.
 */
export const unassignedValue = "open";

/** An authorization request of this browser, as far as its response must be recognized. */
export interface LoginRequest {
  /** Tag of `client_id` and `state` (or what stands for it); null where the request names neither. */
  id: string | null;
  /** Tag of `state`; null where it is not in the query, as in a pushed or signed request. */
  state: string | null;
  /** Tag of the redirect URI; null where it is not in the query. */
  redirectUri: string | null;
}

/** The login under way. */
export interface Login {
  /** The newest first; several tabs may each have one. */
  requests: readonly LoginRequest[];
  /** Tag of the path of the newest: another realm on this host has another. */
  path: string;
  clientId: string | null;
  connection: string | null;
  organization: string | null;
  /** Whether the response to the application is a form that posts itself (OAuth 2.0 Form Post Response Mode, SAML). */
  postsForm: boolean;
}

export interface Session {
  /** The device it belongs to; "" while there is none (a forced variation needs none). */
  deviceId: string;
  /** Unit of the user that its pins of user experiments belong to; null while none is known. */
  userUnit: string | null;
  issuedAtSeconds: number;
  pins: readonly Pin[];
  decided: readonly DecidedPart[];
  login: Login | null;
  /** Tag of the authorization address that the provider's last redirect led to: it starts no login of its own. */
  redirect: string | null;
  /** A page has been shown in this login. */
  hasPage: boolean;
  /** A sign-up form was sent in this login, so that it ends as a sign-up. */
  isSignup: boolean;
  /** A variation was forced in this login, so that nothing of it is counted. */
  isForced: boolean;
  /** A call of the page has logged in already: the redirect to the application that follows is the same login's. */
  hasSucceeded: boolean;
}

/** How long the browser is to keep the cookie. */
export const cookieSeconds = ({ hasSucceeded }: Session): number => (hasSucceeded ? succeededSeconds : sessionSeconds);

const version = 2;
const methods = ["auto", "sticky", "inclusion", "forced"] as const;
const exposedBit = 8;
const flows = [...flowNames, "all"] as const;
const parts: readonly DecidedPart[] = flows.flatMap((flow): DecidedPart[] => [`${flow}.device`, `${flow}.user`]);
const [pageBit, signupBit, forcedBit, formBit, successBit] = [1, 2, 4, 8, 16] as const;

type PackedPin = [id: string, variation: string | 0, method: number, segment: string | 0, epoch: number];
type PackedRequest = [id: string | 0, state: string | 0, redirectUri: string | 0];
type PackedLogin = [
  requests: PackedRequest[],
  path: string,
  clientId: string | 0,
  connection: string | 0,
  organization?: string,
];
type Packed = [
  typeof version,
  deviceId: string,
  issuedAtSeconds: number,
  pins: PackedPin[],
  bits: number,
  decided: number[],
  userUnit: string | 0,
  login: PackedLogin | 0,
  redirect: string | 0,
];
/** The format before flows: `exposed` and `signup` of the whole session. */
type PackedBefore = [1, string, number, PackedPin[], 0 | 1, 0 | 1];

function pack(session: Session): string {
  const { login } = session;
  const packed: Packed = [
    version,
    session.deviceId,
    session.issuedAtSeconds,
    session.pins.map((pin) => [
      pin.experimentId,
      pin.variationId ?? 0,
      methods.indexOf(pin.method) | (pin.exposed ? exposedBit : 0),
      pin.segmentId ?? 0,
      pin.epoch,
    ]),
    (session.hasPage ? pageBit : 0) |
      (session.isSignup ? signupBit : 0) |
      (session.isForced ? forcedBit : 0) |
      (session.hasSucceeded ? successBit : 0) |
      (login?.postsForm ? formBit : 0),
    session.decided.map((part) => parts.indexOf(part)),
    session.userUnit ?? 0,
    login === null
      ? 0
      : [
          login.requests.map(({ id, state, redirectUri }) => [id ?? 0, state ?? 0, redirectUri ?? 0]),
          login.path,
          login.clientId ?? 0,
          login.connection ?? 0,
          ...(login.organization === null ? ([] as const) : ([login.organization] as const)),
        ],
    session.redirect ?? 0,
  ];
  return base64url.encode(JSON.stringify(packed));
}

function unpackPin([experimentId, variationId, bits, segmentId, epoch]: PackedPin): Pin {
  return {
    experimentId,
    variationId: variationId || null,
    method: methods[bits & ~exposedBit] ?? "auto",
    ...(segmentId ? { segmentId } : {}),
    epoch,
    ...(bits & exposedBit ? { exposed: true } : {}),
  };
}

/** Trusts the shape: only what we signed comes here, and the leading number is the format's version. */
function unpack(payload: string): Session | null {
  const packed: Packed | PackedBefore = JSON.parse(new TextDecoder().decode(base64url.decode(payload)));
  if (packed[0] === 1) return unpackBefore(packed);
  if (packed[0] !== version) return null;
  const [, deviceId, issuedAtSeconds, pins, bits, decided, userUnit, login, redirect] = packed;
  return {
    deviceId,
    userUnit: userUnit || null,
    issuedAtSeconds,
    pins: pins.map(unpackPin),
    decided: decided.flatMap((index) => parts[index] ?? []),
    login: login === 0 ? null : unpackLogin(login, (bits & formBit) !== 0),
    redirect: redirect || null,
    hasPage: (bits & pageBit) !== 0,
    isSignup: (bits & signupBit) !== 0,
    isForced: (bits & forcedBit) !== 0,
    hasSucceeded: (bits & successBit) !== 0,
  };
}

function unpackLogin([requests, path, clientId, connection, organization]: PackedLogin, postsForm: boolean): Login {
  return {
    requests: requests.map(([id, state, redirectUri]) => ({
      id: id || null,
      state: state || null,
      redirectUri: redirectUri || null,
    })),
    path,
    clientId: clientId || null,
    connection: connection || null,
    organization: organization ?? null,
    postsForm,
  };
}

function unpackBefore([, deviceId, issuedAtSeconds, pins, exposed, signup]: PackedBefore): Session {
  const own = pins.map(unpackPin);
  return {
    deviceId,
    userUnit: null,
    issuedAtSeconds,
    pins: exposed ? own.map((pin) => ({ ...pin, exposed: true as const })) : own,
    decided: ["authentication.device", "authentication.user"],
    login: null,
    redirect: null,
    hasPage: exposed === 1,
    isSignup: signup === 1,
    isForced: own.some(({ method }) => method === "forced"),
    hasSucceeded: false,
  };
}

const unpacked = createMemo<Session>(4_096);

/** The session of the first genuine, unexpired value; `unassigned` where a value says so and none is genuine; or null. */
export async function readSession(
  keyring: Keyring,
  tenant: string,
  values: readonly string[],
  nowMs: number,
): Promise<Session | "unassigned" | null> {
  let isUnassigned = false;
  for (const value of values) {
    if (value === unassignedValue) {
      isUnassigned = true;
      continue;
    }
    const verified = await keyring.verify("ses", tenant, value);
    if (!verified) continue;
    const session = unpacked.get(verified.payload) ?? unpack(verified.payload);
    if (!session || nowMs / 1000 - session.issuedAtSeconds > sessionSeconds) continue;
    unpacked.set(verified.payload, session);
    return session;
  }
  return isUnassigned ? "unassigned" : null;
}

export function signSession(keyring: Keyring, tenant: string, session: Session): Promise<string> {
  return keyring.sign("ses", tenant, pack(session));
}

/** Whether the cookie is old enough to be set again. */
export function isAged(session: Session, nowMs: number): boolean {
  return nowMs / 1000 - session.issuedAtSeconds > renewAfterSeconds;
}

/** Whether nothing of the session has changed, its age aside. */
export function isSameSession(one: Session, other: Session): boolean {
  return (Object.keys(one) as (keyof Session)[]).every(
    (field) => field === "issuedAtSeconds" || one[field] === other[field],
  );
}

/** Whether the session belongs to this device. Another device's pins are worth nothing. */
export const isSessionOf = (session: Session, deviceId: string | null): boolean =>
  session.deviceId === "" || session.deviceId === deviceId;
