/** UTF-8 as little-endian words, as MurmurHash3 reads it. */
import { unitAt } from "./unit-at.ts";

/**
 * The UTF-8 form of the character whose first unit is `unit`, 0x80 or more, as a little-endian word; its second unit,
 * or what comes next, is `next`. A lone surrogate becomes U+FFFD, as in `writeUtf8`.
 */
export function packCharacter(unit: number, next: number): number {
  if (unit < 0x800) return 0x80c0 | (unit >> 6) | ((unit & 0x3f) << 8);
  if ((unit & 0xf800) !== 0xd800) return packThree(unit, 0xe0);
  if (unit > 0xdbff || (next & 0xfc00) !== 0xdc00) return packThree(0xfffd, 0xe0);
  const point = 0x10000 + ((unit & 0x3ff) << 10) + (next & 0x3ff);
  return packThree(point >> 6, 0xf0) | ((0x80 | (point & 0x3f)) << 24);
}

/** Three bytes that bear 6 bits each, the first of them marked with `lead`. */
const packThree = (bits: number, lead: number): number =>
  lead | (bits >> 12) | ((0x80 | ((bits >> 6) & 0x3f)) << 8) | ((0x80 | (bits & 0x3f)) << 16);

/** How many bits of a packed character count: 16, 24 or 32, which alone takes two units. */
export function bitsOfPacked(character: number): number {
  const lead = character & 0xff;
  if (lead < 0xe0) return 16;
  return lead < 0xf0 ? 24 : 32;
}

/** What of `word` is left over behind `filled` bits of another: `word >>> (32 - filled)`, but 0 when `filled` is 0. */
export const overflow = (word: number, filled: number): number => (word >>> 1) >>> (31 - filled);

/** The UTF-8 form of a text. Use it again by `load`. */
export class PackedText {
  /** The last one that counts holds `length & 3` bytes, and is 0 when that is 0. */
  words = new Int32Array(64);
  /** In bytes. */
  length = 0;

  load(text: string): void {
    const { length } = text;
    // A unit takes three bytes at most, and the last word may be empty.
    if (this.words.length * 4 < length * 3 + 4) this.words = new Int32Array(length + 1);
    const { words } = this;
    let count = 0;
    let word = 0;
    let filled = 0;
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
        words[count++] = word;
        word = overflow(bytes, filled);
        filled += bits - 32;
      }
    }
    words[count] = word;
    this.length = count * 4 + (filled >> 3);
  }
}
