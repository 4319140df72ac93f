/** Resource ids: a kind's prefix and base58, which leaves out the letters that look alike (`0`, `O`, `I`, `l`). */
import * as v from "valibot";

export type IdKind = "flg" | "var" | "exp" | "seg" | "grp" | "dep" | "tok" | "coh" | "lst";

const BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

const FNV_OFFSET = 0x6c62272e07bb014262b821756295c58dn;
const FNV_PRIME = 0x0000000001000000000000000000013bn;

const patternOf = (kind: IdKind) => new RegExp(`^${kind}_[A-HJ-NP-Za-km-z1-9]+$`);

const idSchema = (kind: IdKind, of: string) =>
  v.pipe(
    v.string(`must be the id of ${of}`),
    v.regex(patternOf(kind), `must be the id of ${of}: "${kind}_", then letters and digits without 0, O, I and l`),
  );

export const featureFlagId = idSchema("flg", "a feature flag");
export const variationId = idSchema("var", "a variation");
export const experimentId = idSchema("exp", "an experiment");
export const segmentId = idSchema("seg", "a segment");
export const groupId = idSchema("grp", "a group");
export const deploymentId = idSchema("dep", "a deployment");
export const cohortId = idSchema("coh", "a cohort");
export const logStreamId = idSchema("lst", "a log stream");
export const tokenId = idSchema("tok", "a token");

/** Whether `text` has the form of an id of that kind. */
export function isId(kind: IdKind, text: string): boolean {
  return patternOf(kind).test(text);
}

/**
 * The id of something that bears a key but no id of its own: the same key gives the same id, on any machine.
 * FNV-1a of 128 bits: long enough that two keys do not meet by chance, and nothing here needs to resist an attacker.
 */
export function derivedId(kind: IdKind, key: string): string {
  let hash = FNV_OFFSET;
  for (const byte of new TextEncoder().encode(`${kind}/${key}`)) {
    hash = BigInt.asUintN(128, (hash ^ BigInt(byte)) * FNV_PRIME);
  }
  return `${kind}_${base58(hash)}`;
}

/** A new id from `bytes` the caller drew at random; 16 are enough for a lifetime of resources. */
export function newId(kind: IdKind, bytes: Uint8Array): string {
  let number = 0n;
  for (const byte of bytes) number = (number << 8n) | BigInt(byte);
  return `${kind}_${base58(number)}`;
}

function base58(number: bigint): string {
  let text = "";
  let rest = number;
  do {
    text = BASE58.charAt(Number(rest % 58n)) + text;
    rest /= 58n;
  } while (rest > 0n);
  return text;
}
