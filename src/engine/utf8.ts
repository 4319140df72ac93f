import { unitAt } from "./unit-at.ts";

/** Room that the UTF-8 form of a text takes at most, in bytes. */
export const utf8Room = (text: string): number => text.length * 3;

/**
 * Writes the UTF-8 form of `text` to the start of `bytes`, which must have room, and returns its length. A lone
 * surrogate becomes U+FFFD, as the Encoding Standard has it.
 */
export function writeUtf8(text: string, bytes: Uint8Array): number {
  const { length } = text;
  let end = 0;
  for (let i = 0; i < length; i++) {
    const code = unitAt(text, i);
    if (code < 0x80) bytes[end++] = code;
    else if (code < 0x800) {
      bytes[end++] = 0xc0 | (code >> 6);
      bytes[end++] = 0x80 | (code & 0x3f);
    } else {
      const next = (code & 0xf800) === 0xd800 && i + 1 < length ? unitAt(text, i + 1) : 0;
      const point = (code & 0xf800) === 0xd800 ? readPair(code, next) : code;
      if (point > 0xffff) {
        i++;
        bytes[end++] = 0xf0 | (point >> 18);
        bytes[end++] = 0x80 | ((point >> 12) & 0x3f);
      } else bytes[end++] = 0xe0 | (point >> 12);
      bytes[end++] = 0x80 | ((point >> 6) & 0x3f);
      bytes[end++] = 0x80 | (point & 0x3f);
    }
  }
  return end;
}

/** The code point of two units, the first a surrogate; U+FFFD when they are no pair. */
function readPair(high: number, low: number): number {
  const isPair = high < 0xdc00 && (low & 0xfc00) === 0xdc00;
  return isPair ? 0x10000 + ((high & 0x3ff) << 10) + (low & 0x3ff) : 0xfffd;
}
