/** UTF-8 as little-endian words, as MurmurHash3 reads it. */

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

/** What of `word` is left over behind `filled` bits of another; 0 when nothing is. */
export const overflow = (word: number, filled: number): number => (filled === 0 ? 0 : word >>> (32 - filled));

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
      const unit = text.charCodeAt(at++);
      let bytes = unit;
      let bits = 8;
      if (unit > 0x7f) {
        bytes = packCharacter(unit, at < length ? text.charCodeAt(at) : 0);
        bits = bitsOfPacked(bytes);
        if (bits === 32) at++;
      } else if (at + 2 < length) {
        // Four letters of ASCII at a time, for most ids are nothing else.
        const second = text.charCodeAt(at);
        const third = text.charCodeAt(at + 1);
        const fourth = text.charCodeAt(at + 2);
        if ((second | third | fourth) < 0x80) {
          bytes = unit | (second << 8) | (third << 16) | (fourth << 24);
          bits = 32;
          at += 3;
        }
      }
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
