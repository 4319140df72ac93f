/**
 * `murmur3(salt + "/" + subject)`: MurmurHash3 x86 32-bit, taken apart so that the state after the salt is computed once a
 * salt. `subject.ts` hashes many salts together. Held to `murmur3`, bit by bit, by test.
 */
import { unitAt } from "./unit-at.ts";
import { utf8Room, writeUtf8 } from "./utf8.ts";

const rotateLeft = (x: number, by: number): number => (x << by) | (x >>> (32 - by));
/** What is done to each word of the input before it meets the state. */
export const mix = (word: number): number => Math.imul(rotateLeft(Math.imul(word, 0xcc9e2d51), 15), 0x1b873593);
export const step = (state: number, mixed: number): number =>
  (Math.imul(rotateLeft(state ^ mixed, 13), 5) + 0xe6546b64) | 0;

export function finish(state: number): number {
  let h = state;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** What of `word` is left over behind `filled` bits of another: `word >>> (32 - filled)`, but 0 when `filled` is 0. */
export const overflow = (word: number, filled: number): number => (word >>> 1) >>> (31 - filled);

/** The UTF-8 form of a text, in words. Use it again by `load`. */
export class PackedText {
  #bytes = new Uint8Array(256);
  /** Little-endian, as all machines are that JavaScript engines run on. Zeros fill the last one, and one more is 0. */
  words = new Int32Array(this.#bytes.buffer);
  /** In bytes. */
  length = 0;

  load(text: string): this {
    const room = utf8Room(text) + 8;
    if (this.#bytes.length < room) {
      this.#bytes = new Uint8Array((room + 3) & ~3);
      this.words = new Int32Array(this.#bytes.buffer);
    }
    const { words } = this;
    const length = writeUtf8(text, this.#bytes);
    this.length = length;
    words[length >> 2] = (words[length >> 2] as number) & ((1 << ((length & 3) * 8)) - 1);
    words[(length >> 2) + 1] = 0;
    return this;
  }
}

/** A bucketing salt, with the state of the hash after `salt/`. */
export class Salt {
  readonly text: string;
  /** Of `salt/`, in bytes. */
  readonly length: number;
  /** After the whole words of `salt/`. */
  readonly state: number;
  /** The bytes past the last whole word, little-endian: `length & 3` of them. */
  readonly rest: number;
  /** Where the subject keeps its hash. Set by `Subject.add`. */
  place = -1;

  constructor(text: string) {
    const { words, length } = new PackedText().load(`${text}/`);
    const whole = length >> 2;
    let state = 0;
    for (let i = 0; i < whole; i++) state = step(state, mix(words[i] as number));
    this.text = text;
    this.length = length;
    this.state = state;
    this.rest = words[whole] as number;
  }
}

/** Two or three bytes of UTF-8 as a little-endian word, the first of three marked with `lead`. */
const packTwo = (unit: number): number => 0x80c0 | (unit >> 6) | ((unit & 0x3f) << 8);
const packThree = (bits: number, lead: number): number =>
  lead | (bits >> 12) | ((0x80 | ((bits >> 6) & 0x3f)) << 8) | ((0x80 | (bits & 0x3f)) << 16);
/** The four bytes of a surrogate pair. */
function packPair(high: number, low: number): number {
  const point = 0x10000 + ((high & 0x3ff) << 10) + (low & 0x3ff);
  return packThree(point >> 6, 0xf0) | ((0x80 | (point & 0x3f)) << 24);
}

/** `murmur3(salt + "/" + text)` in one walk from letters to hash, of which nothing is kept. */
export function hashAlone(salt: Salt, text: string): number {
  const { length } = text;
  let { state } = salt;
  let word = salt.rest;
  let filled = (salt.length & 3) * 8;
  let count = salt.length >> 2;
  for (let at = 0; at < length; ) {
    // One character, packed, and how many bits of it count; or as many letters of ASCII as come, up to four.
    let bytes = unitAt(text, at);
    let bits = 8;
    if (bytes > 0x7f) {
      at++;
      if (bytes < 0x800) {
        bytes = packTwo(bytes);
        bits = 16;
      } else if ((bytes & 0xf800) !== 0xd800) {
        bytes = packThree(bytes, 0xe0);
        bits = 24;
      } else {
        const next = at < length ? unitAt(text, at) : 0;
        if (bytes > 0xdbff || (next & 0xfc00) !== 0xdc00) {
          bytes = packThree(0xfffd, 0xe0);
          bits = 24;
        } else {
          bytes = packPair(bytes, next);
          bits = 32;
          at++;
        }
      }
    } else if (at + 3 < length) {
      const second = unitAt(text, at + 1);
      const third = unitAt(text, at + 2);
      const fourth = unitAt(text, at + 3);
      if ((second | third | fourth) < 0x80) {
        // Most ids are little else, and `filled` stays as it is.
        bytes |= (second << 8) | (third << 16) | (fourth << 24);
        state = step(state, mix(word | (bytes << filled)));
        word = overflow(bytes, filled);
        count++;
        at += 4;
        continue;
      }
      bits = second > 0x7f ? 8 : third > 0x7f ? 16 : 24;
      bytes |= ((second << 8) | (third << 16)) & ((1 << bits) - 1);
      at += bits >> 3;
    } else at++;
    word |= bytes << filled;
    filled += bits;
    if (filled >= 32) {
      state = step(state, mix(word));
      count++;
      filled -= 32;
      word = (bytes >>> 1) >>> (bits - filled - 1);
    }
  }
  return finish(state ^ mix(word) ^ (count * 4 + (filled >> 3)));
}
