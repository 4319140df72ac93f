/**
 * `murmur3(salt + "/" + subject)` for many salts and few subjects: MurmurHash3 x86 32-bit, taken apart so that the
 * state after the salt is computed once a salt, and the subject's words, mixed, once a subject and alignment. What
 * is left for each pair is one step a word. Held to `murmur3`, bit by bit, by test.
 */
import { toUtf8Characters } from "./utf8.ts";

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

/** The characters from `from` up to `to`, at most four, as bytes of a little-endian word. */
function readWord(characters: string, from: number, to: number): number {
  let word = 0;
  for (let at = to - 1; at >= from; at--) word = (word << 8) | characters.charCodeAt(at);
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
    const characters = toUtf8Characters(`${text}/`);
    this.text = text;
    this.length = characters.length;
    const whole = this.length & ~3;
    let state = 0;
    for (let at = 0; at < whole; at += 4) state = step(state, mix(readWord(characters, at, at + 4)));
    this.state = state;
    this.rest = readWord(characters, whole, this.length);
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

  /** Takes one character a byte; false when a character proves to be no ASCII. */
  load(characters: string): boolean {
    const { length } = characters;
    const headLength = (4 - this.#offset) & 3;
    this.head = readWord(characters, 0, Math.min(length, headLength)) << (8 * this.#offset);
    this.fillsHead = length >= headLength;
    const count = this.fillsHead ? (length - headLength) >> 2 : 0;
    if (this.body.length < count) this.body = new Int32Array(count);
    let seen = 0;
    for (let i = 0; i < length && i < headLength; i++) seen |= characters.charCodeAt(i);
    let at = headLength;
    for (let i = 0; i < count; i++, at += 4) {
      const first = characters.charCodeAt(at);
      const second = characters.charCodeAt(at + 1);
      const third = characters.charCodeAt(at + 2);
      const fourth = characters.charCodeAt(at + 3);
      seen |= first | second | third | fourth;
      this.body[i] = mix(first | (second << 8) | (third << 16) | (fourth << 24));
    }
    this.count = count;
    this.tail = this.fillsHead ? mix(readWord(characters, at, length)) : 0;
    for (; at < length; at++) seen |= characters.charCodeAt(at);
    return seen < 128;
  }
}

/** What is bucketed: hashes with any number of salts, its words being made once an alignment. Use it again by `load`. */
export class Subject {
  #text = "";
  /** The text itself until it proves to be no ASCII, then its bytes. */
  #characters = "";
  #isEncoded = false;
  readonly #words: readonly Words[] = [0, 1, 2, 3].map((offset) => new Words(offset));
  /** Bit `n` tells whether the words at offset `n` are of this text. */
  #loaded = 0;

  get text(): string {
    return this.#text;
  }

  load(text: string): void {
    this.#text = text;
    this.#characters = text;
    this.#isEncoded = false;
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
    return finish(state ^ words.tail ^ (salt.length + this.#characters.length));
  }

  #fill(words: Words, offset: number): void {
    if (!words.load(this.#characters) && !this.#isEncoded) {
      this.#characters = toUtf8Characters(this.#text);
      this.#isEncoded = true;
      words.load(this.#characters);
    }
    this.#loaded |= 1 << offset;
  }
}
