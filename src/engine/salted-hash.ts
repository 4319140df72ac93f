/**
 * `murmur3(salt + "/" + subject)` for many salts and few subjects: MurmurHash3 x86 32-bit, taken apart so that the
 * state after the salt is computed once a salt, and the subject's words, mixed, once a subject and alignment. What
 * is left for each pair is one step a word. Held to `murmur3`, bit by bit, by test.
 */
import { bitsOfPacked, overflow, PackedText, packCharacter } from "./packed-text.ts";
import { unitAt } from "./unit-at.ts";
import { utf8Room, writeUtf8 } from "./utf8.ts";

const rotateLeft = (x: number, by: number): number => (x << by) | (x >>> (32 - by));
/** What is done to each word of the input before it meets the state. */
const mix = (word: number): number => Math.imul(rotateLeft(Math.imul(word, 0xcc9e2d51), 15), 0x1b873593);
const step = (state: number, mixed: number): number => (Math.imul(rotateLeft(state ^ mixed, 13), 5) + 0xe6546b64) | 0;

function finish(state: number): number {
  let h = state;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** The bytes from `from` up to `to`, at most four, as a little-endian word. */
function readWord(bytes: Uint8Array, from: number, to: number): number {
  let word = 0;
  for (let at = to - 1; at >= from; at--) word = (word << 8) | (bytes[at] ?? 0);
  return word;
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

  constructor(text: string) {
    const salted = `${text}/`;
    const bytes = new Uint8Array(utf8Room(salted));
    this.text = text;
    this.length = writeUtf8(salted, bytes);
    const whole = this.length & ~3;
    let state = 0;
    for (let at = 0; at < whole; at += 4) state = step(state, mix(readWord(bytes, at, at + 4)));
    this.state = state;
    this.rest = readWord(bytes, whole, this.length);
  }
}

/** A subject's words, mixed, as they stand when `offset` bytes of a salt come before them. */
class Aligned {
  readonly #shift: number;
  /** What follows the salt's bytes in their word; 0 when `offset` is 0. */
  head = 0;
  /** Whether salt and subject together fill that first word. */
  fillsHead = false;
  /** The whole words that follow: `count` of them. */
  body = new Int32Array(16);
  count = 0;
  /** What is left at the end; 0 when nothing is. */
  tail = 0;

  constructor(offset: number) {
    this.#shift = offset * 8;
  }

  load({ words, length }: PackedText): void {
    const shift = this.#shift;
    const back = 32 - shift;
    const bytes = length + (shift >> 3);
    this.fillsHead = bytes >= 4;
    this.count = shift === 0 ? bytes >> 2 : Math.max(0, (bytes >> 2) - 1);
    if (this.body.length < this.count) this.body = new Int32Array(this.count);
    const { body, count } = this;
    if (shift === 0) {
      for (let i = 0; i < count; i++) body[i] = mix(words[i] as number);
      this.tail = mix(words[count] as number);
      return;
    }
    let before = words[0] as number;
    this.head = before << shift;
    for (let i = 0; i < count; i++) {
      const word = words[i + 1] as number;
      body[i] = mix((before >>> back) | (word << shift));
      before = word;
    }
    if (!this.fillsHead) this.tail = 0;
    // The last bytes lie in one word or in two.
    else this.tail = mix((before >>> back) | (count + 1 <= length >> 2 ? (words[count + 1] as number) << shift : 0));
  }
}

/** With so many salts, mixing the subject's words beforehand pays. */
const minShared = 3;

/** Hashes what is bucketed with any number of salts; with many, its words are mixed once, and kept until another comes. */
export class Subject {
  readonly #isShared: boolean;
  readonly #packed = new PackedText();
  /** The text of which the words are. */
  #text = "";
  readonly #aligned: readonly Aligned[] = [0, 1, 2, 3].map((offset) => new Aligned(offset));
  /** Bit `n` tells whether what is aligned at offset `n` is of this text. */
  #loaded = 0;

  /** @param salts How many salts it will meet, by estimate. */
  constructor(salts: number) {
    this.#isShared = salts >= minShared;
  }

  /** `murmur3(salt + "/" + text)`. */
  hash(salt: Salt, text: string): number {
    if (this.#isShared) return this.#hashAligned(salt, text);
    return hashText(salt, text);
  }

  #hashAligned(salt: Salt, text: string): number {
    const offset = salt.length & 3;
    const aligned = this.#aligned[offset] as Aligned;
    if (text !== this.#text) this.#load(text);
    if ((this.#loaded & (1 << offset)) === 0) {
      this.#loaded |= 1 << offset;
      aligned.load(this.#packed);
    }
    let { state } = salt;
    if (offset !== 0) {
      const mixed = mix(salt.rest | aligned.head);
      // Too few bytes for a whole word go into the state without a step.
      state = aligned.fillsHead ? step(state, mixed) : state ^ mixed;
    }
    const { body, count } = aligned;
    for (let i = 0; i < count; i++) state = step(state, body[i] as number);
    return finish(state ^ aligned.tail ^ (salt.length + this.#packed.length));
  }

  #load(text: string): void {
    this.#text = text;
    this.#packed.load(text);
    this.#loaded = 0;
  }
}

/** The same with one salt, straight from the text, read as in `PackedText`: nothing is kept for the next. */
function hashText(salt: Salt, text: string): number {
  const { length } = text;
  let { state } = salt;
  let word = salt.rest;
  let filled = (salt.length & 3) * 8;
  let count = salt.length >> 2;
  for (let at = 0; at < length; ) {
    let bytes = unitAt(text, at);
    let bits = 8;
    if (at + 3 < length) {
      // Four letters of ASCII at a time, for most ids are little else; else those up to the first character that is not.
      const second = unitAt(text, at + 1);
      const third = unitAt(text, at + 2);
      const fourth = unitAt(text, at + 3);
      if ((bytes | second | third | fourth) < 0x80) {
        bytes |= (second << 8) | (third << 16) | (fourth << 24);
        bits = 32;
        at += 4;
      } else if (bytes > 0x7f) {
        bytes = packCharacter(bytes, second);
        bits = bitsOfPacked(bytes);
        at += bits === 32 ? 2 : 1;
      } else {
        bits = second > 0x7f ? 8 : third > 0x7f ? 16 : 24;
        bytes |= ((second << 8) | (third << 16)) & ((1 << bits) - 1);
        at += bits >> 3;
      }
    } else if (bytes > 0x7f) {
      bytes = packCharacter(bytes, at + 1 < length ? unitAt(text, at + 1) : 0);
      bits = bitsOfPacked(bytes);
      at += bits === 32 ? 2 : 1;
    } else at++;
    word |= bytes << filled;
    if (filled + bits < 32) filled += bits;
    else {
      state = step(state, mix(word));
      count++;
      word = overflow(bytes, filled);
      filled += bits - 32;
    }
  }
  return finish(state ^ mix(word) ^ (count * 4 + (filled >> 3)));
}
