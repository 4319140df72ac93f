/**
 * `murmur3(salt + "/" + subject)` for many salts and few subjects: MurmurHash3 x86 32-bit, taken apart so that the
 * state after the salt is computed once a salt, and the subject's words, mixed, once a subject and alignment. What
 * is left for each pair is one step a word. Held to `murmur3`, bit by bit, by test.
 */
import { writeUtf8 } from "./utf8.ts";

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

/** Up to four bytes from `at`, little-endian; those past `end` are 0. */
function readWord(bytes: Uint8Array, at: number, end: number): number {
  let word = 0;
  for (let i = 0; i < 4 && at + i < end; i++) word |= (bytes[at + i] ?? 0) << (8 * i);
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
    const bytes = new Uint8Array(text.length * 3 + 1);
    this.text = text;
    this.length = writeUtf8(`${text}/`, bytes);
    const whole = this.length & ~3;
    let state = 0;
    for (let at = 0; at < whole; at += 4) state = step(state, mix(readWord(bytes, at, whole)));
    this.state = state;
    this.rest = readWord(bytes, whole, this.length);
  }
}

/** A subject's bytes as words, when `offset` bytes of a salt share the first word with them. */
class Words {
  /** The first bytes, shifted to make room for the salt's; meaningful when `offset` is not 0. */
  readonly head: number;
  /** Whether salt and subject together fill that first word. */
  readonly fillsHead: boolean;
  /** The whole words that follow, mixed. */
  readonly body: Int32Array;
  /** What is left at the end, mixed; 0 when nothing is. */
  readonly tail: number;

  constructor(bytes: Uint8Array, length: number, offset: number) {
    const headLength = (4 - offset) & 3;
    this.fillsHead = length >= headLength;
    this.head = offset === 0 ? 0 : readWord(bytes, 0, Math.min(length, headLength)) << (8 * offset);
    const count = this.fillsHead ? (length - headLength) >> 2 : 0;
    this.body = new Int32Array(count);
    let at = headLength;
    for (let i = 0; i < count; i++, at += 4) {
      this.body[i] = mix(
        (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24),
      );
    }
    this.tail = this.fillsHead ? mix(readWord(bytes, at, length)) : 0;
  }
}

// Only used between two lines of `Subject.#align`, which calls nothing that could come back here.
let scratch = new Uint8Array(512);

/** What is bucketed: hashes with any number of salts, its words being made once. */
export class Subject {
  readonly text: string;
  #length = 0;
  #words: [Words?, Words?, Words?, Words?] = [];

  constructor(text: string) {
    this.text = text;
  }

  /** `murmur3(salt + "/" + subject)`. */
  hash(salt: Salt): number {
    const offset = (salt.length & 3) as 0 | 1 | 2 | 3;
    const words = this.#words[offset] ?? this.#align(offset);
    let state = salt.state;
    if (offset !== 0) {
      const mixed = mix(salt.rest | words.head);
      // Too few bytes for a whole word go into the state without a step.
      state = words.fillsHead ? step(state, mixed) : state ^ mixed;
    }
    const { body } = words;
    for (let i = 0; i < body.length; i++) state = step(state, body[i] ?? 0);
    return finish(state ^ words.tail ^ (salt.length + this.#length));
  }

  #align(offset: 0 | 1 | 2 | 3): Words {
    if (scratch.length < this.text.length * 3) scratch = new Uint8Array(this.text.length * 3);
    this.#length = writeUtf8(this.text, scratch);
    const words = new Words(scratch, this.#length, offset);
    this.#words[offset] = words;
    return words;
  }
}
