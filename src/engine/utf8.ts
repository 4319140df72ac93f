/**
 * The UTF-8 form of `text`, one character a byte. A lone surrogate becomes U+FFFD, as the Encoding Standard has it.
 */
export function toUtf8Characters(text: string): string {
  let characters = "";
  for (let i = 0; i < text.length; i++) {
    let code = text.charCodeAt(i);
    if (code < 0x80) {
      characters += String.fromCharCode(code);
      continue;
    }
    if (code < 0x800) {
      characters += String.fromCharCode(0xc0 | (code >> 6), continuation(code));
      continue;
    }
    if ((code & 0xf800) === 0xd800) {
      const low = text.charCodeAt(i + 1);
      if (code < 0xdc00 && (low & 0xfc00) === 0xdc00) {
        code = 0x10000 + ((code & 0x3ff) << 10) + (low & 0x3ff);
        i++;
        characters += String.fromCharCode(0xf0 | (code >> 18), continuation(code >> 12));
        characters += String.fromCharCode(continuation(code >> 6), continuation(code));
        continue;
      }
      code = 0xfffd;
    }
    characters += String.fromCharCode(0xe0 | (code >> 12), continuation(code >> 6), continuation(code));
  }
  return characters;
}

const continuation = (bits: number): number => 0x80 | (bits & 0x3f);
