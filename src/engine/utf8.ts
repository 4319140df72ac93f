/**
 * Writes the UTF-8 form of `text` into `into` from index `at` and returns the index after the last byte. A lone
 * surrogate becomes U+FFFD, as the Encoding Standard has it. `into` must have room for three bytes a code unit.
 */
export function writeUtf8(text: string, into: Uint8Array, at = 0): number {
  let end = at;
  for (let i = 0; i < text.length; i++) {
    let code = text.charCodeAt(i);
    if (code < 0x80) {
      into[end++] = code;
      continue;
    }
    if (code < 0x800) {
      into[end++] = 0xc0 | (code >> 6);
      into[end++] = 0x80 | (code & 0x3f);
      continue;
    }
    if ((code & 0xf800) === 0xd800) {
      const low = text.charCodeAt(i + 1);
      if (code < 0xdc00 && (low & 0xfc00) === 0xdc00) {
        code = 0x10000 + ((code & 0x3ff) << 10) + (low & 0x3ff);
        i++;
        into[end++] = 0xf0 | (code >> 18);
        into[end++] = 0x80 | ((code >> 12) & 0x3f);
        into[end++] = 0x80 | ((code >> 6) & 0x3f);
        into[end++] = 0x80 | (code & 0x3f);
        continue;
      }
      code = 0xfffd;
    }
    into[end++] = 0xe0 | (code >> 12);
    into[end++] = 0x80 | ((code >> 6) & 0x3f);
    into[end++] = 0x80 | (code & 0x3f);
  }
  return end;
}
