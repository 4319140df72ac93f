/** Base64 as Amplitude's clients write it: URL-safe or standard, padded or not. */

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

/** The text in it; undefined where there is none. */
export function decodeBase64(text: string): string | undefined {
  try {
    const binary = atob(text.trim().replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = new Uint8Array(binary.length);
    let seen = 0;
    for (let at = 0; at < binary.length; at++) {
      const byte = binary.charCodeAt(at);
      bytes[at] = byte;
      seen |= byte;
    }
    // ASCII, as most users are, is itself.
    return seen < 0x80 ? binary : decoder.decode(bytes);
  } catch {
    return undefined;
  }
}
