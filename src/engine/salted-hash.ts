/**
 * `murmur3(salt + "/" + subject)` for many salts and few subjects: MurmurHash3 x86 32-bit, taken apart so that the
 * state after the salt is computed once a salt, and the subject's words, mixed, once a subject and alignment. What
 * is left for each pair is one step a word. Held to `murmur3`, bit by bit, by test.
 */
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

/** A subject's bytes as words, when `offset` bytes of a salt share the first word with them. */
class Words {
  readonly #offset: number;
  /** The first bytes, shifted to make room for the salt's; 0 when `offset` is 0. */
  head = 0;
  /** Whether salt and subject together fill that first word. */
  fillsHead = false;
  /** The whole words that follow, mixed: `count` of them. */
  body = new Int32Array(16);
  count = 0;
  /** What is left at the end, mixed; 0 when nothing is. */
  tail = 0;

  constructor(offset: number) {
    this.#offset = offset;
  }

  /** Makes room for a subject of `length` bytes; returns how many of them go into the head. */
  #begin(length: number): number {
    const headLength = (4 - this.#offset) & 3;
    this.fillsHead = length >= headLength;
    this.count = this.fillsHead ? (length - headLength) >> 2 : 0;
    if (this.body.length < this.count) this.body = new Int32Array(this.count);
    return headLength;
  }

  load(bytes: Uint8Array, length: number): void {
    const headLength = this.#begin(length);
    const { body, count } = this;
    this.head = readWord(bytes, 0, Math.min(length, headLength)) << (8 * this.#offset);
    let at = headLength;
    for (let i = 0; i < count; i++, at += 4) body[i] = mix(readWord(bytes, at, at + 4));
    this.tail = this.fillsHead ? mix(readWord(bytes, at, length)) : 0;
  }

  /** The same, straight from a text, for most ids are ASCII; false when this one is not. */
  loadAscii(text: string): boolean {
    const { length } = text;
    const headLength = this.#begin(length);
    const { body, count } = this;
    let seen = 0;
    let head = 0;
    let at = 0;
    for (; at < headLength && at < length; at++) {
      const code = text.charCodeAt(at);
      seen |= code;
      head |= code << (8 * at);
    }
    this.head = head << (8 * this.#offset);
    for (let i = 0; i < count; i++, at += 4) {
      const first = text.charCodeAt(at);
      const second = text.charCodeAt(at + 1);
      const third = text.charCodeAt(at + 2);
      const fourth = text.charCodeAt(at + 3);
      seen |= first | second | third | fourth;
      body[i] = mix(first | (second << 8) | (third << 16) | (fourth << 24));
    }
    let tail = 0;
    for (let shift = 0; at < length; at++, shift += 8) {
      const code = text.charCodeAt(at);
      seen |= code;
      tail |= code << shift;
    }
    this.tail = this.fillsHead ? mix(tail) : 0;
    return seen < 128;
  }
}

/** What is bucketed: hashes with any number of salts, its words being made once an alignment. Use it again by `load`. */
export class Subject {
  #text = "";
  /** Only when the text proves to be no ASCII. */
  #bytes = new Uint8Array(0);
  #isAscii = true;
  /** In bytes. */
  #length = 0;
  readonly #words: readonly Words[] = [0, 1, 2, 3].map((offset) => new Words(offset));
  /** Bit `n` tells whether the words at offset `n` are of this text. */
  #loaded = 0;

  get text(): string {
    return this.#text;
  }

  load(text: string): void {
    this.#text = text;
    this.#isAscii = true;
    this.#length = text.length;
    this.#loaded = 0;
  }

  /** `murmur3(salt + "/" + text)`. */
  hash(salt: Salt): number {
    const offset = salt.length & 3;
    const words = this.#words[offset] as Words;
    if ((this.#loaded & (1 << offset)) === 0) this.#fill(words, offset);
    let { state } = salt;
    if (offset !== 0) {
      const mixed = mix(salt.rest | words.head);
      // Too few bytes for a whole word go into the state without a step.
      state = words.fillsHead ? step(state, mixed) : state ^ mixed;
    }
    const { body, count } = words;
    for (let i = 0; i < count; i++) state = step(state, body[i] ?? 0);
    return finish(state ^ words.tail ^ (salt.length + this.#length));
  }

  #fill(words: Words, offset: number): void {
    this.#loaded |= 1 << offset;
    if (this.#isAscii && words.loadAscii(this.#text)) return;
    if (this.#isAscii) {
      this.#isAscii = false;
      if (this.#bytes.length < utf8Room(this.#text)) this.#bytes = new Uint8Array(utf8Room(this.#text));
      this.#length = writeUtf8(this.#text, this.#bytes);
    }
    words.load(this.#bytes, this.#length);
  }
}
