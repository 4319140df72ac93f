/**
 * The 64-bit hash a member is kept as: murmur3 of `<id type>/<id>` under two seeds. Two of a million subjects share one
 * with a probability of about one in 37 million.
 */
import { utf8Room, writeUtf8 } from "../engine/utf8.ts";
import type { CohortIdType } from "../model/cohort.ts";

/** Any two do; they are part of the stored format. */
const highSeed = 0x2c1b3c6d;
const lowSeed = 0x297a2d39;

let bytes = new Uint8Array(1_024);

/** Writes the hash to `to[at]` (low) and `to[at + 1]` (high): a little-endian 64-bit integer. */
export function hashMember(idType: CohortIdType, id: string, to: Uint32Array, at: number): void {
  const text = `${idType}/${id}`;
  if (bytes.length < utf8Room(text)) bytes = new Uint8Array(utf8Room(text) * 2);
  const length = writeUtf8(text, bytes);
  to[at] = murmur3(bytes, length, lowSeed);
  to[at + 1] = murmur3(bytes, length, highSeed);
}

/** MurmurHash3 x86 32-bit of the first `length` bytes. */
function murmur3(of: Uint8Array, length: number, seed: number): number {
  let hash = seed;
  const end = length & ~3;
  for (let i = 0; i < end; i += 4) {
    const word = byte(of, i) | (byte(of, i + 1) << 8) | (byte(of, i + 2) << 16) | (byte(of, i + 3) << 24);
    hash ^= scramble(word);
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
  }
  let rest = 0;
  for (let i = length - 1; i >= end; i--) rest = (rest << 8) | byte(of, i);
  if (length > end) hash ^= scramble(rest);
  hash ^= length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

const byte = (of: Uint8Array, at: number) => of[at] as number;

function scramble(word: number): number {
  const mixed = Math.imul(word, 0xcc9e2d51);
  return Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593);
}
