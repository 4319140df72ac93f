/**
 * `murmur3(salt + "/" + subject)` for many salts and few subjects: the subject's words are made once a context, and salts
 * are hashed many at a time.
 */
import { finish, hashAlone, mix, overflow, PackedText, Salt, step } from "./salted-hash.ts";

/** A subject's words as they stand behind `offset` bytes of salt, mixed: the same for all salts of that alignment. */
class MixedText {
  readonly #offset: number;
  /** The first is not mixed, for the rest of the salt goes into it. */
  words = new Int32Array(64);
  /** How many words are whole. */
  whole = 0;
  /** The turn it is of. */
  turn = 0;

  constructor(offset: number) {
    this.#offset = offset;
  }

  load({ words: from, length }: PackedText): void {
    const filled = this.#offset * 8;
    const whole = (this.#offset + length) >> 2;
    if (this.words.length <= whole) this.words = new Int32Array(whole * 2);
    const { words } = this;
    this.whole = whole;
    let before = from[0] as number;
    words[0] = before << filled;
    for (let i = 1; i <= whole; i++) {
      const word = from[i] as number;
      words[i] = mix(overflow(before, filled) | (word << filled));
      before = word;
    }
  }
}

/** How many salts are hashed together; a multiple of four. */
const blockSize = 8;

/** Salts of the same alignment, behind which the subject's words stand alike. */
class Block {
  /** Place of the first. */
  readonly start: number;
  readonly mixed: MixedText;
  size = 0;
  /** The turn its hashes are of. */
  turn = 0;

  constructor(start: number, mixed: MixedText) {
    this.start = start;
    this.mixed = mixed;
  }
}

function enlarge(array: Int32Array<ArrayBuffer>, length: number): Int32Array<ArrayBuffer> {
  if (array.length >= length) return array;
  const larger = new Int32Array(length * 2);
  larger.set(array);
  return larger;
}

/** Of what is not remembered. */
const noTurn = -1;

/** With so many salts, remembering the subject pays. */
const minShared = 3;

/** Hashes what is bucketed with any number of salts; with many, its words are kept until another comes. */
export class Subject {
  readonly #salts = new Map<string, Salt>();
  readonly #blocks: Block[] = [];
  /** By alignment: the last block. */
  readonly #open: Block[] = [];
  #isShared = false;
  readonly #packed = new PackedText();
  /** Whose words are packed, when shared. */
  #text = "";
  /** Goes up with every text. */
  #turn = 1;
  /** By place of a salt: what is known of it, and the hash. */
  #states = new Int32Array(0);
  #rests = new Int32Array(0);
  #lengths = new Int32Array(0);
  #hashes = new Int32Array(0);

  /** The salt of this text. */
  add(text: string): Salt {
    const known = this.#salts.get(text);
    if (known !== undefined) return known;
    const salt = new Salt(text);
    this.#salts.set(text, salt);
    this.#isShared = this.#salts.size >= minShared;
    const block = this.#findRoom(salt.length & 3);
    const place = block.start + block.size++;
    salt.place = place;
    this.#states[place] = salt.state;
    this.#rests[place] = salt.rest;
    this.#lengths[place] = salt.length;
    // What has been hashed was hashed without it.
    this.#turn++;
    return salt;
  }

  #findRoom(offset: number): Block {
    const open = this.#open[offset];
    if (open !== undefined && open.size < blockSize) return open;
    const block = new Block(this.#blocks.length * blockSize, open?.mixed ?? new MixedText(offset));
    this.#open[offset] = block;
    const places = this.#blocks.push(block) * blockSize;
    this.#states = enlarge(this.#states, places);
    this.#rests = enlarge(this.#rests, places);
    this.#lengths = enlarge(this.#lengths, places);
    this.#hashes = enlarge(this.#hashes, places);
    return block;
  }

  /** `murmur3(salt + "/" + text)`. */
  hash(salt: Salt, text: string): number {
    if (!this.#isShared) return hashAlone(salt, text);
    this.load(salt, text);
    return this.hashOf(salt) >>> 0;
  }

  /** Hashes a text, with other salts at the same time. Returns its turn: `hashOf` tells what `isLoaded` of this turn. */
  load(salt: Salt, text: string): number {
    if (!this.#isShared) {
      this.#hashes[salt.place] = hashAlone(salt, text);
      return noTurn;
    }
    if (text !== this.#text) {
      this.#packed.load(text);
      this.#text = text;
      this.#turn++;
    }
    const block = this.#blockOf(salt);
    if (block.turn !== this.#turn) this.#hashBlock(block);
    return this.#turn;
  }

  /** Whether the salt's hash is of this turn's text: another evaluation may have started from within. */
  isLoaded(salt: Salt, turn: number): boolean {
    return this.#blockOf(salt).turn === turn;
  }

  /** The hash, as 32 bits with a sign: V8 hands it over without an object. */
  hashOf(salt: Salt): number {
    return this.#hashes[salt.place] as number;
  }

  #blockOf({ place }: Salt): Block {
    return this.#blocks[(place / blockSize) | 0] as Block;
  }

  /**
   * Each step of a hash waits for the one before, but a processor has room for four that do not wait for each other:
   * together they take little longer than one.
   */
  #hashBlock(block: Block): void {
    const { start, size, mixed } = block;
    if (mixed.turn !== this.#turn) {
      mixed.load(this.#packed);
      mixed.turn = this.#turn;
    }
    block.turn = this.#turn;
    const hashes = this.#hashes;
    const { words, whole } = mixed;
    const end = start + size;
    this.#begin(start, end, mixed);
    for (let place = start; place < end; place += 4) {
      let a = hashes[place] as number;
      let b = hashes[place + 1] as number;
      let c = hashes[place + 2] as number;
      let d = hashes[place + 3] as number;
      for (let i = 1; i < whole; i++) {
        const word = words[i] as number;
        a = step(a, word);
        b = step(b, word);
        c = step(c, word);
        d = step(d, word);
      }
      hashes[place] = a;
      hashes[place + 1] = b;
      hashes[place + 2] = c;
      hashes[place + 3] = d;
    }
    const tail = whole > 0 ? (words[whole] as number) : 0;
    const lengths = this.#lengths;
    const { length } = this.#packed;
    for (let place = start; place < end; place++) {
      hashes[place] = finish((hashes[place] as number) ^ tail ^ ((lengths[place] as number) + length));
    }
  }

  /** The hashes after the first word, which is part salt. */
  #begin(start: number, end: number, { words, whole }: MixedText): void {
    const hashes = this.#hashes;
    const states = this.#states;
    const rests = this.#rests;
    const first = words[0] as number;
    for (let place = start; place < end; place++) {
      const state = states[place] as number;
      const mixed = mix((rests[place] as number) | first);
      // Too few bytes for a whole word go into the state without a step.
      hashes[place] = whole > 0 ? step(state, mixed) : state ^ mixed;
    }
  }
}
