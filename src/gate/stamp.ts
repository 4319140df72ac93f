/** What the origin is told: plain headers for reading, and the same signed for trusting. */

import { base64url } from "jose";
import type { Address } from "../assignment/address.ts";
import type { Assignment } from "../assignment/decide.ts";
import type { CryptoGuard } from "../assignment/keyring.ts";
import { createMemo } from "../assignment/memo.ts";
import { after, type Pending } from "../assignment/pending.ts";
import type { StampValue } from "../model/tenant.ts";

/**
 * Every header of ours, and what some origin would take for one: CGI and its kin (RFC 3875 §4.1.18) write all that is
 * neither letter nor digit as an underscore. Whatever a client sends under such a name is taken off.
 */
export const isOurs = (name: string): boolean => /^x[^a-z0-9](?:experiment|vestibule)[^a-z0-9]/.test(name);
export const failedOpenHeader = "x-experiment-failed-open";
/** The client's address, signed, for tenants that ask for it. */
export const clientIpHeader = "x-vestibule-client-ip";

const headerNames: readonly (readonly [StampValue, string])[] = [
  ["experiment_id", "x-experiment-id"],
  ["variation_id", "x-experiment-variation-id"],
  ["segment_id", "x-experiment-segment-id"],
  ["control", "x-experiment-control"],
  ["method", "x-experiment-method"],
  ["config", "x-experiment-config"],
  ["stamp", "x-experiment-stamp"],
];

export type StampValues = Readonly<Partial<Record<StampValue, string>>>;

/** Tokens of one minute are alike, so that a page's next visitor needs no new signature. They live 60 to 120 seconds. */
const slotSeconds = 60;
/** Origins answer 400 or 431 to more than 8 to 16 KiB of headers, and that would cost a log-in. */
const maxConfigCharacters = 4_096;
const maxPathCharacters = 1_024;
const maxMemoKeyCharacters = 8_192;
const header = base64url.encode(JSON.stringify({ alg: "HS256", typ: "JWT" }));
const encoder = new TextEncoder();

interface Description {
  values: StampValues;
  carriesConfig: boolean;
  /** Tells one from another. */
  key: string;
}

/** By the very assignments: a decision is shared by all hops of a log-in. */
const described = new WeakMap<readonly Assignment[], Description>();

function describe(assignments: readonly Assignment[]): Description {
  const known = described.get(assignments);
  if (known) return known;
  const list = (read: (assignment: Assignment) => string) => assignments.map(read).join(",");
  const config = list(({ variation }) => variation.encodedConfig);
  const carriesConfig = config.length <= maxConfigCharacters;
  const values = {
    experiment_id: list(({ experiment }) => experiment.id),
    variation_id: list(({ variation }) => variation.id),
    ...(assignments.some(({ segmentId }) => segmentId) ? { segment_id: list((each) => each.segmentId ?? "") } : {}),
    control: list(({ control }) => String(control)),
    method: list(({ method }) => method),
    ...(carriesConfig ? { config } : {}),
  };
  // What is signed says more than the headers do.
  const epochs = assignments.map(({ epoch }) => epoch);
  const description = { values, carriesConfig, key: JSON.stringify([values, epochs]) };
  described.set(assignments, description);
  return description;
}

export interface Stamper {
  /**
   * The values for these assignments, in their order, lists parted by commas where there are several. Parameters of more
   * than 4 KiB are left out, and a path is cut at 1,024 characters.
   */
  stamp(tenant: string, assignments: readonly Assignment[], url: Address, nowMs: number): Pending<StampValues>;
  signClientIp(tenant: string, ip: string, url: Address, nowMs: number): Pending<string>;
}

export function createStamper(secret: Uint8Array<ArrayBuffer>, guard: CryptoGuard): Stamper {
  const tokens = createMemo<string>(1_024);
  let imported: CryptoKey | undefined;

  /** A compact JWS (RFC 7515 §7.1) with HS256. */
  async function sign(claims: Record<string, unknown>): Promise<string> {
    return guard(async () => {
      imported ??= await crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
      const input = `${header}.${base64url.encode(JSON.stringify(claims))}`;
      const mac = await crypto.subtle.sign("HMAC", imported, encoder.encode(input));
      return `${input}.${base64url.encode(new Uint8Array(mac))}`;
    });
  }

  function signOnce(memoKey: string, nowMs: number, claims: () => Record<string, unknown>): Pending<string> {
    const slot = Math.floor(nowMs / 1000 / slotSeconds);
    const slotKey = `${slot} ${memoKey}`;
    const known = tokens.get(slotKey);
    if (known) return known;
    const iat = slot * slotSeconds;
    return after(sign({ iss: "vestibule", iat, exp: iat + 2 * slotSeconds, ...claims() }), (token) => {
      if (slotKey.length <= maxMemoKeyCharacters) tokens.set(slotKey, token);
      return token;
    });
  }

  return {
    stamp(tenant, assignments, url, nowMs) {
      const { values, carriesConfig, key } = describe(assignments);
      const path = url.pathname.slice(0, maxPathCharacters);
      const memoKey = `${tenant} ${url.host}${path} ${key}`;
      const token = signOnce(memoKey, nowMs, () => ({
        aud: tenant,
        host: url.host,
        path,
        experiments: assignments.map(({ experiment, variation, segmentId, control, method, epoch }) => ({
          experiment_id: experiment.id,
          variation_id: variation.id,
          ...(segmentId === undefined ? {} : { segment_id: segmentId }),
          control,
          method,
          epoch,
          ...(carriesConfig ? { config: variation.config } : {}),
        })),
      }));
      return after(token, (stamp) => ({ ...values, stamp }));
    },
    signClientIp(tenant, ip, url, nowMs) {
      return signOnce(`ip ${tenant} ${url.host} ${ip}`, nowMs, () => ({ aud: tenant, host: url.host, ip }));
    },
  };
}

/** Puts the stamp onto a request's headers. */
export function setStampHeaders(headers: Headers, values: StampValues): void {
  for (const [value, name] of headerNames) {
    const text = values[value];
    if (text !== undefined) headers.set(name, text);
  }
}

/**
 * The query with the stamp's values under the tenant's names. Whatever a client sent under those names is taken off,
 * stamped or not; every other byte stays.
 */
export function stampQuery(
  search: string,
  names: Readonly<Partial<Record<StampValue, string | undefined>>>,
  values: StampValues,
): string {
  const ours = new Map(Object.entries(names).flatMap(([value, name]) => (name ? [[name, value as StampValue]] : [])));
  if (ours.size === 0) return search;
  const nameOf = (pair: string) => {
    const name = pair.split("=", 1)[0] ?? "";
    try {
      return decodeURIComponent(name.replaceAll("+", " "));
    } catch {
      return name;
    }
  };
  const pairs = search.length > 1 ? search.slice(1).split("&") : [];
  const kept = pairs.filter((pair) => !ours.has(nameOf(pair)));
  const added = [...ours].flatMap(([name, value]) => {
    const text = values[value];
    return text === undefined ? [] : [`${name}=${encodeURIComponent(text)}`];
  });
  if (kept.length === pairs.length && added.length === 0) return search;
  const query = [...kept, ...added].join("&");
  return query === "" ? "" : `?${query}`;
}
